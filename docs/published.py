"""Write the page of published figures and the pictures of docs/evaluation.md: ``python docs/published.py``.

``tests/docs/test_published.py`` fails when the page differs from what this would write.
"""

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fashionbert.evaluation import style
from fashionbert.evaluation.released_scorer import CUTS, HITS, QUERIES, scored_their_way

DOCS = Path(__file__).parent
PAGE = DOCS / "reference" / "published.md"
PICTURES = DOCS / "pictures"
DIRECTIONS = {"image_to_text": "image → text", "text_to_image": "text → image"}
COLOURS = {"perhaps": style.SERIES[1], "released": style.SERIES[1], "own": style.SERIES[0]}
DECIMALS = (1, 2, 3, 4, 6)
_GENERATED = "<!-- written by docs/published.py from docs/published.yaml: change these, then run it -->"


def read_published() -> dict[str, Any]:
    """Read docs/published.yaml."""
    return yaml.safe_load((DOCS / "published.yaml").read_text("utf-8"))


def page(published: dict[str, Any]) -> str:
    """Lay the figures out as tables, one for each kind of list, since only figures of one kind may be compared."""
    lines = ["# Published figures", "", _GENERATED, ""]
    lines += [
        "Recall on Fashion-Gen with 101 candidates, in percent, R@1 / R@5 / R@10 as printed. Figures of different "
        "tables below were asked other questions; so were figures of different scorers. "
        "[Why](../evaluation.md#why-101-candidate-figures-of-different-papers-cannot-be-compared). "
        "None of them was measured by us.",
    ]
    for kind, words in published["lists"].items():
        lines += ["", f"## Wrong candidates: {words}", ""]
        lines += ["| model | image → text | text → image | scorer | source |", "| --- | --- | --- | --- | --- |"]
        lines += [_row(each, published) for each in published["figures"] if each["lists"] == kind]
    lines += ["", "## Sources", ""]
    lines += [f"- {source['name']}: {source['place']}" for source in published["sources"].values()]
    return "\n".join(lines) + "\n"


def _row(figure: dict[str, Any], published: dict[str, Any]) -> str:
    recalls = [" / ".join(f"{share:.2f}" for share in figure[direction]) for direction in DIRECTIONS]
    scorer, source = published["scorers"][figure["scorer"]], published["sources"][figure["source"]]
    return f"| {figure['model']} | {recalls[0]} | {recalls[1]} | {scorer} | {source['name']} |"


def draw_published(published: dict[str, Any]) -> Figure:
    """Draw R@1 of every model in both directions, by what was asked and by whose scorer."""
    figures = published["figures"]
    figure = style.new_figure(9.6, 6.2)
    axes = figure.subplots()
    figure.subplots_adjust(left=0.2, right=0.97, top=0.9, bottom=0.12)
    for place, each in enumerate(figures):
        ends = [each[direction][0] for direction in DIRECTIONS]
        colour = COLOURS[each["scorer"]]
        axes.plot(ends, [place, place], color=colour, linewidth=2, alpha=0.5, zorder=2)
        for end, marker in zip(ends, "os", strict=True):
            axes.plot([end], [place], marker, color=colour, markersize=7, zorder=3)
    style.dress(axes, "R@1 of 101 candidates on Fashion-Gen, as printed", "R@1, percent", "")
    axes.set_yticks(range(len(figures)), [each["model"] for each in figures])
    axes.invert_yaxis()
    axes.set_xlim(0, 78)
    _name_lists(axes, figures, published["lists"])
    marks = [axes.plot([], [], marker, color=style.MUTED)[0] for marker in "os"]
    bands = [axes.plot([], [], color=style.SERIES[one], linewidth=5)[0] for one in (1, 0)]
    words = [*DIRECTIONS.values(), "scored with the fault, or likely so", "own scorer"]
    frame = {"frameon": True, "edgecolor": style.LINE}
    axes.legend(
        [*marks, *bands], words, **frame, loc="upper right", bbox_to_anchor=(1, 0.9), fontsize=8.5, labelcolor=style.INK
    )
    return figure


def _name_lists(axes: Axes, figures: list[dict[str, Any]], words: dict[str, str]) -> None:
    """Rule off models of different lists and write beside them where their wrong candidates come from."""
    start = 0
    for place, each in enumerate(figures):
        last = place + 1 == len(figures) or figures[place + 1]["lists"] != each["lists"]
        if last:
            axes.text(77.5, start - 0.15, words[each["lists"]], ha="right", va="center", fontsize=8, color=style.MUTED)
            axes.axhline(place + 0.5, color=style.LINE, linewidth=1.2)
            start = place + 1


def draw_scoring_fault() -> Figure:
    """Draw what the released scorer makes of right ranks, beside the recalls that these ranks are."""
    figure = style.new_figure(9.6, 3.8)
    panels = figure.subplots(1, 2, sharey=True)
    figure.subplots_adjust(left=0.08, right=0.98, top=0.86, bottom=0.15, wspace=0.08)
    for axes, (direction, words) in zip(panels, DIRECTIONS.items(), strict=True):
        theirs, counted = scored_their_way(direction)
        right = [hits / QUERIES for hits in HITS[direction]]
        places = np.arange(len(CUTS))
        for shift, shares, colour, name in (
            (-0.2, theirs, style.SERIES[1], f"as printed, over {counted:,} queries"),
            (0.2, right, style.SERIES[0], f"over the {QUERIES:,} real ones"),
        ):
            percent = 100 * np.array(shares)
            bars = axes.bar(places + shift, percent, 0.38, color=colour, label=name, zorder=3)
            axes.bar_label(bars, [f"{share:.1f}" for share in percent], fontsize=8.5, color=style.INK, padding=2)
        style.dress(axes, words, "", "percent of queries" if axes is panels[0] else "")
        axes.set_xticks(places, [f"R@{cut}" for cut in CUTS])
        axes.set_ylim(0, 118)
        axes.set_yticks(range(0, 101, 20))
        axes.legend(loc="upper left", fontsize=8.5, frameon=False, labelcolor=style.INK)
    return figure


def tied_recall(decimals: int, *, lists: int = 2000, candidates: int = 101) -> tuple[float, float]:
    """R@1 of one drawn model when its probabilities are rounded and ties count for it, and against it.

    Args:
        decimals: to which the probabilities are rounded.
        lists: drawn lists; logits of wrong pairs are normal around 5, of right ones around 11, deviation 2.
        candidates: of each list, the right one included.

    Returns:
        R@1 with the right answer first among equals, and last.
    """
    rng = np.random.default_rng(0)
    logits_LC = rng.normal(5, 2, (lists, candidates))
    logits_LC[:, 0] += 6
    rounded_LC = np.round(1 / (1 + np.exp(-logits_LC)), decimals)
    right_L1, wrong_LC = rounded_LC[:, :1], rounded_LC[:, 1:]
    favoured = (wrong_LC <= right_L1).all(axis=1)
    honest = (wrong_LC < right_L1).all(axis=1)
    return float(favoured.mean()), float(honest.mean())


def draw_ties() -> Figure:
    """Draw how far one model's R@1 depends on who wins a tie."""
    figure = style.new_figure(6.4, 3.6)
    axes = figure.subplots()
    figure.subplots_adjust(left=0.11, right=0.97, top=0.87, bottom=0.16)
    favoured, honest = zip(*(tied_recall(decimals) for decimals in DECIMALS), strict=True)
    places = range(len(DECIMALS))
    for shares, colour, name in (
        (favoured, style.SERIES[1], "ties count for the model"),
        (honest, style.SERIES[0], "ties count against it (here)"),
    ):
        axes.plot(places, [100 * share for share in shares], "o-", color=colour, linewidth=2, label=name, zorder=3)
    style.dress(axes, "One drawn model, scores rounded", "decimals of the probability", "R@1, percent")
    axes.set_xticks(places, [str(decimals) for decimals in DECIMALS])
    axes.set_ylim(0, 105)
    axes.legend(loc="lower right", fontsize=8.5, frameon=False, labelcolor=style.INK)
    return figure


if __name__ == "__main__":
    found = read_published()
    PAGE.write_text(page(found), "utf-8")
    PICTURES.mkdir(exist_ok=True)
    for name, picture in {
        "published": draw_published(found),
        "scoring-fault": draw_scoring_fault(),
        "ties": draw_ties(),
    }.items():
        style.save(picture, PICTURES / f"{name}.png")
