"""``fashionbert score``: how well words and pictures match, without writing a program."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashionbert.cli.options import Device

if TYPE_CHECKING:
    from fashionbert.interop import OnnxScorer
    from fashionbert.scoring import Scorer


def score(
    run: Annotated[Path, typer.Argument(help="Run folder, or folder that fashionbert export wrote.")],
    text: Annotated[str, typer.Argument(help="Words, for example a product's title.")],
    pictures: Annotated[list[Path], typer.Argument(help="One or several pictures.")],
    device: Device = "auto",
) -> None:
    """Print the probability that the words belong to each picture, best first."""
    for ranked in _scorer(run, device).rank(text, pictures):
        typer.echo(f"{ranked.score:.4f}  {pictures[ranked.index]}")


def _scorer(folder: Path, device: str) -> "Scorer | OnnxScorer":
    from fashionbert.cli.stores import torch_device
    from fashionbert.errors import SettingsError
    from fashionbert.interop import OnnxScorer, is_exported
    from fashionbert.scoring import Scorer

    if not is_exported(folder):
        return Scorer.from_pretrained(folder, device=torch_device(device))
    if device not in ("auto", "cpu"):
        raise SettingsError(f"--device {device!r} cannot be used: an exported model runs on the CPU; leave it out")
    return OnnxScorer.from_pretrained(folder)
