"""``fashionbert convert``: other people's checkpoints."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(help="Turn checkpoints of other programs into ours, and back.", no_args_is_help=True)


@app.callback()
def convert() -> None:
    """Turn checkpoints of other programs into ours, and back."""


@app.command()
def easytransfer(
    source: Annotated[
        Path,
        typer.Argument(
            help="Folder or prefix of a checkpoint with its config.json; with --to easytransfer, a run folder."
        ),
    ],
    out: Annotated[Path, typer.Argument(help="Folder of the result, new or empty.")],
    to: Annotated[
        Literal["fashionbert", "easytransfer"], typer.Option("--to", help="Whose form the result has.")
    ] = "fashionbert",
) -> None:
    """Convert a TensorFlow checkpoint of the authors' code (EasyTransfer, scripts/fashion_bert).

    The result is a folder that FashionBertForPreTraining.from_pretrained loads, or the other way round a
    checkpoint that their code restores. Variables of the optimizer are skipped. Needs the extra easytransfer.
    """
    from fashionbert.interop import export_checkpoint, import_checkpoint

    if to == "easytransfer":
        typer.echo(f"written: {export_checkpoint(source, out)} and {out / 'config.json'}")
        return
    imported = import_checkpoint(source, out)
    scope = f" under {imported.scope!r}" if imported.scope else ""
    typer.echo(f"taken: {len(imported.taken)} variables of the model{scope} from {imported.prefix}")
    shown = ", ".join(imported.others[:8]) + (
        f" and {len(imported.others) - 8} more" if len(imported.others) > 8 else ""
    )
    typer.echo(f"skipped: {len(imported.optimizer)} of the optimizer" + (f", and {shown}" if shown else ""))
    typer.echo(f"written: {out}")
