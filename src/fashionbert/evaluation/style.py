"""One look for all pictures; figures are made and saved without matplotlib's global state."""

import warnings
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fashionbert.files import replacing

INK = "#1f2933"
MUTED = "#6b7785"
LINE = "#dfe3e8"
PAPER = "#ffffff"
RIGHT = "#1a9850"
RIGHT_PAPER = "#e8f6ec"
WRONG = "#c3c9d1"
SERIES = ("#2457a6", "#d9742b", "#7b4ea3", "#2a8c8c")
DOTS_PER_INCH = 130


def new_figure(width: float, height: float) -> Figure:
    """Make a white figure of this many inches."""
    figure = Figure(figsize=(width, height), facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes, title: str, x_label: str, y_label: str) -> None:
    """Give axes the common look: a quiet grid, no box, a title on the left."""
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, pad=10)
    axes.set_xlabel(x_label, fontsize=9, color=MUTED)
    axes.set_ylabel(y_label, fontsize=9, color=MUTED)
    axes.tick_params(labelsize=8.5, colors=MUTED, length=0)
    axes.grid(color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG, whole or not at all; letters that the font lacks are drawn as boxes without a warning."""
    with replacing(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(temporary, format="png", dpi=DOTS_PER_INCH)
