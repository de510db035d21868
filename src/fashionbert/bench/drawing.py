"""The frontier as a picture."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from fashionbert.bench.frontier import Point
from fashionbert.evaluation import style

_LOOKS = {"exact": "o-", "fast": "s--", "split": "^:"}
"""Point and line of a speed; a run has its colour."""
_TICKS = [step * 10**power for power in range(-2, 6) for step in (1, 2, 3, 5)]


def frontier_figure(points: Sequence[Point], chosen: Point) -> Figure:
    """Draw recall against milliseconds, the recommended point marked.

    Args:
        points: all of them.
        chosen: the recommended one.

    Returns:
        The figure.
    """
    figure = style.new_figure(8.4, 5.6)
    axes = figure.subplots()
    figure.subplots_adjust(left=0.09, right=0.97, top=0.9, bottom=0.29)
    runs = list(dict.fromkeys(point.run for point in points))
    names = list(dict.fromkeys((point.run, point.speed, point.numbers) for point in points))
    for place, (run, speed, numbers) in enumerate(names):
        own = [point for point in points if (point.run, point.speed) == (run, speed)]
        colour = style.SERIES[runs.index(run) % len(style.SERIES)]
        axes.errorbar(
            [point.milliseconds for point in own],
            [100 * point.recall for point in own],
            yerr=[
                [100 * (point.recall - point.interval[0]) for point in own],
                [100 * (point.interval[1] - point.recall) for point in own],
            ],
            fmt=_LOOKS[speed],
            linewidth=1,
            color=colour,
            ecolor=style.LINE,
            elinewidth=1,
            label=f"{run}, {speed}, {numbers}",
            zorder=3,
        )
        for point in own:
            axes.annotate(
                str(point.cards),
                (point.milliseconds, 100 * point.recall),
                (0, 6 if place % 2 == 0 else -14),  # series that cross have their words on two sides
                textcoords="offset points",
                ha="center",
                fontsize=8.5,
                color=colour,
            )
    axes.scatter(
        [chosen.milliseconds],
        [100 * chosen.recall],
        s=140,
        facecolors="none",
        edgecolors=style.RIGHT,
        linewidths=2,
        zorder=4,
        label="recommended",
    )
    style.dress(axes, "Text → image, whole split", "milliseconds of one query", "R@1, %")
    axes.set_xscale("log")
    low, high = (edge(point.milliseconds for point in points) for edge in (min, max))
    ticks = [tick for tick in _TICKS if 0.9 * low <= tick <= 1.1 * high]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.1)
    legend = axes.legend(
        frameon=False,
        fontsize=9,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.13),
        ncols=2,
        labelcolor=style.INK,
        title_fontsize=9,
    )
    legend.set_title("numbers: cards re-ranked")
    return figure
