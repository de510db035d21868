"""Example grids: the first queries of the first draw with their best five candidates. Nobody picked them.

Positions are inches from the upper left corner. Letters: C candidates of a list.
"""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image

from fashionbert.errors import PictureError
from fashionbert.evaluation import style
from fashionbert.evaluation.protocols import CandidateLists
from fashionbert.evaluation.ranking import pessimistic_order, rank_lists

SHOWN = 5
QUERIES = 10
_PICTURE = 1.5
_STEP = _PICTURE + 0.22
_WIDTH = 13.2
_MARGIN = 0.35
_HEAD = 0.75
_PIXELS = 240


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Words and pictures of the gallery, by index."""

    texts: Sequence[str]
    picture: Callable[[int], Image.Image]


@dataclass(frozen=True, kw_only=True)
class _Answer:
    place: int
    product: int
    score: float
    right: bool


def example_grid(lists: CandidateLists, scores_QC: NDArray[np.float64], examples: Examples) -> Figure:
    """Draw ten queries, the five candidates that the system puts first, and the right one with its rank."""
    rows = min(QUERIES, len(lists.queries))
    to_images = lists.direction == "text_to_image"
    row_height = _PICTURE + (0.5 if to_images else 0.28)
    height = _HEAD + rows * row_height + 0.1
    figure = style.new_figure(_WIDTH, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, _WIDTH), ylim=(height, 0), autoscale_on=False)
    axes.axis("off")
    words = "texts and the five best pictures" if to_images else "pictures and the five best texts"
    _write(axes, _MARGIN, 0.2, f"The first {rows} {words}, {lists.protocol}", size=13, weight="bold")
    note = f"Draw of seed {lists.seed}; not picked. Green: the right one."
    _write(axes, _MARGIN, 0.48, note, size=9, colour=style.MUTED)
    ranks_Q = rank_lists(scores_QC, lists.candidates == lists.queries[:, None], lists.present)
    draw = _pictures_row if to_images else _texts_row
    for row in range(rows):
        top = _HEAD + row * row_height
        axes.plot([_MARGIN, _WIDTH - _MARGIN], [top - 0.04] * 2, color=style.LINE, linewidth=0.8)
        query, answers = int(lists.queries[row]), _answers(lists, scores_QC, row)
        draw(axes, top + 0.08, query, answers, float(ranks_Q[row]), examples)
    return figure


def _answers(lists: CandidateLists, scores_QC: NDArray[np.float64], row: int) -> list[_Answer]:
    present_C = lists.present[row]
    candidates_C, scores_C = lists.candidates[row][present_C], scores_QC[row][present_C]
    truth_C = candidates_C == lists.queries[row]
    return [
        _Answer(place=place, product=int(candidates_C[at]), score=float(scores_C[at]), right=bool(truth_C[at]))
        for place, at in enumerate(pessimistic_order(scores_C, truth_C)[:SHOWN], start=1)
    ]


def _pictures_row(axes: Axes, top: float, query: int, answers: list[_Answer], rank: float, examples: Examples) -> None:
    _write(axes, _MARGIN, top, _wrapped(examples.texts[query], 27, 9), size=8.5)
    left = 2.5
    for answer in answers:
        _paste(axes, examples, answer.product, left, top, style.RIGHT if answer.right else style.WRONG)
        _write(
            axes,
            left,
            top + _PICTURE + 0.06,
            f"{answer.place}.  {answer.score:.3f}",
            size=8,
            colour=style.RIGHT if answer.right else style.MUTED,
            weight="bold" if answer.right else "normal",
        )
        left += _STEP
    left += 0.1
    if not any(answer.right for answer in answers):
        _paste(axes, examples, query, left, top, style.RIGHT, dashed=True)
        _write(axes, left, top + _PICTURE + 0.06, f"right one: {_place(rank)}", size=8, colour=style.RIGHT)


def _texts_row(axes: Axes, top: float, query: int, answers: list[_Answer], rank: float, examples: Examples) -> None:
    _paste(axes, examples, query, _MARGIN, top, style.LINE)
    left, line = _MARGIN + _PICTURE + 0.2, _PICTURE / (SHOWN + 1)
    shown = [(f"{answer.place}.", f"{answer.score:.3f}", answer.product, answer.right) for answer in answers]
    if not any(answer.right for answer in answers):
        shown.append(("", _place(rank), query, True))
    for number, (place, score, product, right) in enumerate(shown):
        at = top + number * line
        if right:
            axes.add_patch(
                Rectangle(
                    (left - 0.06, at - 0.025),
                    _WIDTH - _MARGIN - left + 0.06,
                    line - 0.02,
                    facecolor=style.RIGHT_PAPER,
                    edgecolor="none",
                )
            )
        colour, weight = (style.RIGHT, "bold") if right else (style.MUTED, "normal")
        _write(axes, left, at + 0.03, place, size=8.5, colour=colour, weight=weight)
        _write(axes, left + 0.22, at + 0.03, score, size=8.5, colour=colour, weight=weight)
        _write(axes, left + 0.95, at + 0.03, _wrapped(examples.texts[product], 150, 1), size=8.5)


def _place(rank: float) -> str:
    return f"rank {rank:.0f}" if np.isfinite(rank) else "no score"


def _wrapped(text: str, width: int, lines: int) -> str:
    return "\n".join(textwrap.wrap(text, width, max_lines=lines, placeholder=" …"))


def _write(
    axes: Axes, left: float, top: float, text: str, *, size: float, colour: str = style.INK, weight: str = "normal"
) -> None:
    axes.text(
        left, top, text, fontsize=size, color=colour, fontweight=weight, va="top", linespacing=1.3, parse_math=False
    )


def _paste(
    axes: Axes, examples: Examples, product: int, left: float, top: float, frame: str, *, dashed: bool = False
) -> None:
    try:
        picture = examples.picture(product).convert("RGB")
    except PictureError as error:
        _write(
            axes, left + 0.06, top + 0.06, _wrapped(f"no picture: {error.reason}", 18, 3), size=8, colour=style.MUTED
        )
    else:
        picture.thumbnail((_PIXELS, _PIXELS))
        scale = _PICTURE / max(picture.size)
        width, height = picture.width * scale, picture.height * scale
        x, y = left + (_PICTURE - width) / 2, top + (_PICTURE - height) / 2
        axes.imshow(np.asarray(picture), extent=(x, x + width, y + height, y), aspect="auto", interpolation="lanczos")
    bold = frame == style.RIGHT
    axes.add_patch(
        Rectangle(
            (left, top),
            _PICTURE,
            _PICTURE,
            fill=False,
            edgecolor=frame,
            linewidth=2.6 if bold else 1.0,
            linestyle=(0, (4, 2)) if dashed else "solid",
        )
    )
