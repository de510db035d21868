"""The run as a picture: losses with the chance line, task weights, validation R@1."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fashionbert.files import replacing
from fashionbert.training.record import read_metrics

_COLOURS = {
    "masked_words": "#2563eb",
    "masked_patches": "#d97706",
    "alignment": "#059669",
    "contrastive": "#9333ea",
    "pair": "#059669",
    "vectors": "#9333ea",
}
_SMOOTHING = 0.95


def draw_curves(metrics: Path, picture: Path) -> None:
    """Draw a metrics file.

    Args:
        metrics: ``metrics.jsonl`` of a run.
        picture: PNG to write.
    """
    lines = read_metrics(metrics)
    figure = Figure(figsize=(11, 7.5), layout="constrained", facecolor="white")
    losses, weights, recalls, rate = figure.subplots(2, 2).ravel()
    for task in ("masked_words", "masked_patches", "alignment", "contrastive"):
        _smooth(losses, lines, f"loss.{task}", task.replace("_", " "), _COLOURS[task])
        _smooth(weights, lines, f"weight.{task}", task.replace("_", " "), _COLOURS[task])
    chance = [(line["epoch"], line["chance.alignment"]) for line in lines if "chance.alignment" in line]
    if chance:
        losses.plot(*zip(*chance, strict=True), color=_COLOURS["alignment"], ls=":", lw=1, label="alignment by chance")
    losses.set(title="Losses (nats)", ylim=(0, None))
    weights.set(title="Task weights", ylim=(0, 1))
    for system in ("vectors", "pair"):
        for direction, style in (("text_to_image", "-"), ("image_to_text", "--")):
            name = f"validation.{system}.{direction}"
            points = [(line["epoch"], 100 * line[name]) for line in lines if name in line]
            if points:
                label = f"{system}, {direction.replace('_', ' ')}"
                recalls.plot(*zip(*points, strict=True), style, marker="o", ms=4, color=_COLOURS[system], label=label)
    recalls.set(title="Validation R@1, subcategory-101 (%)", ylim=(0, None))
    _smooth(rate, lines, "learning_rate", "learning rate", "#475569", smoothing=0.0)
    rate.set(title="Learning rate", ylim=(0, None))
    for axes in (losses, weights, recalls, rate):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=8)
    with replacing(picture) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _smooth(
    axes: Axes, lines: list[dict[str, Any]], name: str, label: str, colour: str, smoothing: float = _SMOOTHING
) -> None:
    points = [(line["epoch"], line[name]) for line in lines if name in line]
    if not points:
        return
    smoothed, value, weight = [], 0.0, 0.0
    for epoch, figure in points:
        value, weight = smoothing * value + (1 - smoothing) * figure, smoothing * weight + (1 - smoothing)
        smoothed.append((epoch, value / weight))
    axes.plot(*zip(*smoothed, strict=True), color=colour, label=label)
