"""``fashionbert score``: how well words and pictures match, without writing a program."""

from pathlib import Path
from typing import Annotated

import typer

from fashionbert.cli.options import Device


def score(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    text: Annotated[str, typer.Argument(help="Words, for example a product's title.")],
    pictures: Annotated[list[Path], typer.Argument(help="One or several pictures.")],
    device: Device = "auto",
) -> None:
    """Print the probability that the words belong to each picture, best first."""
    from fashionbert.cli.stores import torch_device
    from fashionbert.scoring import Scorer

    scorer = Scorer.from_pretrained(run, device=torch_device(device))
    for ranked in scorer.rank(text, pictures):
        typer.echo(f"{ranked.score:.4f}  {pictures[ranked.index]}")
