"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Preset = Annotated[str | None, typer.Option("--preset", help="Settings to start from: paper, released, fast or tiny.")]
Config = Annotated[Path | None, typer.Option("--config", help="YAML file of settings, on top of the preset.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PART.NAME=VALUE", help="One setting, e.g. training.epochs=3; may be repeated."),
]
Features = Annotated[
    Path | None, typer.Option("--features", help="Feature store of the catalogue; without it one is made.")
]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, mps; auto takes a GPU where there is one.")]
Model = Annotated[
    Path | None, typer.Option("--model", help="The index's run folder, where it is no longer where it was.")
]
SpeedChoice = Annotated[
    Literal["exact", "fast", "split"] | None,
    typer.Option("--speed", help="Of the pair model: as trained, in int8 or bf16, or by its split form."),
]
ArithmeticChoice = Annotated[
    # The words of fashionbert.types.Precision, which would bring numpy and Pillow into every --help.
    Literal["auto", "bf16", "fp32"],
    typer.Option("--precision", help="Arithmetic of the model."),
]
