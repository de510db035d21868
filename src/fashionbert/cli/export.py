"""``fashionbert export``: the pair model for programs without torch."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the result, new, empty, or of an earlier export.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="Also write a model with 8-bit weights, and say what that costs.")
    ] = False,
) -> None:
    """Write the pair model as ONNX, compared with the run's model on random pairs.

    The folder has all that scoring needs: fashionbert score takes it in place of a run folder. Needs the extra onnx.
    """
    from fashionbert.interop import export_onnx

    exported = export_onnx(run, out, int8=int8)
    parity, eight_bits = exported.parity, exported.int8
    typer.echo(
        f"model.onnx: {_megabytes(out / 'model.onnx')}; margins of {parity.pairs} random pairs are "
        f"{parity.largest:.1g} from the model's at most"
    )
    if eight_bits is not None:
        typer.echo(
            f"model-int8.onnx: {_megabytes(out / 'model-int8.onnx')}; {eight_bits.largest:.2g} at most, "
            f"{eight_bits.mean:.2g} in the mean, rank correlation {eight_bits.rank_correlation:.4f}"
        )
    typer.echo(f"written: {out}")


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
