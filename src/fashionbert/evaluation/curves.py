"""Recall against k, and the reliability diagram."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullLocator, PercentFormatter

from fashionbert.evaluation import style
from fashionbert.evaluation.protocols import DIRECTIONS
from fashionbert.evaluation.ranking import chance_recall, recall_at
from fashionbert.evaluation.run import Evaluation, Ranking

TITLES = {"text_to_image": "text → image", "image_to_text": "image → text"}
_LAST_CUT = 100
_TICKS = (1, 2, 5, 10, 20, 50, 100)
_NEAR_THE_AXIS = 0.08
"""Shares below have their figure above the point, not on the axis."""


def recall_curves(evaluation: Evaluation, protocol: str) -> Figure:
    """Draw R@k of every system under one protocol, both directions, with the chance line."""
    figure = style.new_figure(10.4, 4.4)
    panels = figure.subplots(1, 2, sharey=True)
    figure.subplots_adjust(left=0.07, right=0.985, top=0.82, bottom=0.13, wspace=0.08)
    figure.suptitle(f"Recall, protocol {protocol}", x=0.07, ha="left", fontsize=13, fontweight="bold", color=style.INK)
    cuts = np.unique(np.geomspace(1, _LAST_CUT, 60).round().astype(int))
    systems = evaluation.ranked_systems(protocol)
    for axes, direction in zip(panels, DIRECTIONS, strict=True):
        for place, system in reversed(list(enumerate(systems))):
            ranking = evaluation.rankings[protocol, direction, system]
            colour, main = style.SERIES[place % len(style.SERIES)], place == 0
            shares = [recall_at(ranking.ranks, cut) for cut in cuts]
            axes.plot(cuts, shares, color=colour, linewidth=2.4 if main else 1.6, label=system, zorder=3 + main)
            if main:
                _mark(axes, ranking, colour)
        ranking = evaluation.rankings[protocol, direction, systems[0]]
        chance = [chance_recall(ranking.sizes, ranking.relevant, cut) for cut in cuts]
        axes.plot(cuts, chance, color=style.MUTED, linewidth=1.2, linestyle=(0, (4, 3)), label="chance")
        style.dress(axes, TITLES[direction], "k: candidates looked at", "queries answered among the first k")
        axes.set_xscale("log")
        axes.set_xticks(_TICKS, [str(tick) for tick in _TICKS])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlim(0.93, 108)
        axes.set_ylim(0, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    panels[1].set_ylabel("")
    lines = dict(zip(*reversed(panels[0].get_legend_handles_labels()), strict=True))
    names = [*systems, "chance"]
    figure.legend(
        [lines[name] for name in names],
        names,
        loc="upper right",
        bbox_to_anchor=(0.99, 0.995),
        ncols=len(names),
        fontsize=9.5,
        frameon=False,
        labelcolor=style.INK,
    )
    return figure


def _mark(axes: Axes, ranking: Ranking, colour: str) -> None:
    for cut in (1, 5, 10):
        share = recall_at(ranking.ranks, cut)
        axes.plot([cut], [share], "o", color=colour, markersize=5.5, markeredgecolor=style.PAPER, zorder=5)
        axes.annotate(
            f"{share:.1%}",
            (cut, share),
            xytext=(6, -13 if share > _NEAR_THE_AXIS else 7),
            textcoords="offset points",
            fontsize=8.5,
            color=style.INK,
            fontweight="bold",
            path_effects=[withStroke(linewidth=3, foreground=style.PAPER)],
            zorder=6,
        )


def reliability_diagram(matching: dict[str, Any], system: str) -> Figure:
    """Draw how often pairs match against the match probability they were given, and how many there are."""
    figure = style.new_figure(5.4, 6.0)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    figure.subplots_adjust(left=0.13, right=0.97, top=0.865, bottom=0.08, hspace=0.12)
    figure.suptitle(
        f"Is a probability of 80 % right 80 % of the time?\n{system}: calibration error "
        f"{matching['calibration_error']:.3f}, accuracy {matching['accuracy']:.1%}",
        x=0.13,
        ha="left",
        fontsize=11,
        fontweight="bold",
        color=style.INK,
    )
    bars = matching["bins"]
    middles = [(bar["low"] + bar["high"]) / 2 for bar in bars]
    width = 0.9 / 15
    top.bar(middles, [bar["matches"] for bar in bars], width, color=style.SERIES[0], alpha=0.25)
    top.plot([0, 1], [0, 1], color=style.MUTED, linewidth=1.2, linestyle=(0, (4, 3)), label="perfectly calibrated")
    top.plot(
        [bar["probability"] for bar in bars],
        [bar["matches"] for bar in bars],
        "o-",
        color=style.SERIES[0],
        linewidth=1.8,
        markersize=5,
        markeredgecolor=style.PAPER,
        label="share of pairs that match",
    )
    style.dress(top, "", "", "pairs that do match")
    figure.legend(
        loc="upper left",
        bbox_to_anchor=(0.115, 0.925),
        ncols=2,
        fontsize=8.5,
        frameon=False,
        labelcolor=style.INK,
    )
    bottom.bar(middles, [bar["pairs"] for bar in bars], width, color=style.MUTED, alpha=0.6)
    style.dress(bottom, "", "match probability", "pairs")
    top.set_xlim(0, 1)
    top.set_ylim(0, 1.02)
    for axis in (top.yaxis, bottom.xaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    return figure
