"""``fashionbert reproduce``: published figures, derived anew."""

from pathlib import Path
from typing import Annotated

import typer

from fashionbert.cli.options import Assignments

app = typer.Typer(help="Derive published figures anew.", no_args_is_help=True)


@app.callback()
def reproduce() -> None:
    """Derive published figures anew."""


@app.command()
def fashiongen(
    catalogue: Annotated[str, typer.Argument(help="Catalogue: a folder, a table, or a data set's name.")],
    out: Annotated[Path, typer.Argument(help="Folder of the files.")],
    angles: Annotated[
        int, typer.Option("--angles", min=1, max=3, help="Rows of a product; crops where it has fewer photos.")
    ] = 3,
    assignments: Assignments = None,
) -> None:
    """Write a catalogue as HDF5 files in the layout of Fashion-Gen, to rehearse the published recipe with them."""
    from fashionbert.catalogue import open_catalogue
    from fashionbert.cli.bars import picture_progress
    from fashionbert.config import load_settings
    from fashionbert.interop import write_fashiongen

    products = open_catalogue(catalogue, load_settings(None, None, assignments or ()).catalogue)
    with picture_progress(len(products)) as show:
        paths = write_fashiongen(products, out, angles=angles, progress=lambda done: show(done, 0.0, 0))
    for path in paths:
        typer.echo(f"written: {path}")


@app.command()
def parity(
    checkpoint: Annotated[Path, typer.Argument(help="Folder or prefix of a checkpoint of the authors' code.")],
    case: Annotated[Path, typer.Argument(help="What their code was fed and gave, an .npz file.")],
    out: Annotated[Path | None, typer.Option("--out", help="Also write the differences here, as JSON.")] = None,
) -> None:
    """Show how far our outputs are from those that the authors' code gave for the same weights and inputs.

    Logits of the three tasks, pooled output, losses, task weights and total loss. Needs the extra easytransfer.
    """
    from tempfile import TemporaryDirectory

    from rich.console import Console

    from fashionbert.cli.tables import parity_table
    from fashionbert.files import write_json
    from fashionbert.interop import differences, import_checkpoint, read_case
    from fashionbert.model import FashionBertForPreTraining
    from fashionbert.provenance import commit, versions

    arrays = read_case(case)
    with TemporaryDirectory() as folder:
        import_checkpoint(checkpoint, Path(folder) / "model")
        model = FashionBertForPreTraining.from_pretrained(Path(folder) / "model").eval()
    found = differences(model, arrays)
    Console().print(parity_table(found))
    if out is not None:
        write_json(out, {"commit": commit(), "versions": versions(), "largest_difference": found})
        typer.echo(f"written: {out}")


@app.command("scoring-fault")
def scoring_fault() -> None:
    """Show how the released scorer makes its printed recalls of right ranks, and what they should have been.

    1,000 lists of 101 candidates with the ranks of the released model are laid out in batches of 64 and scored by the
    authors' arithmetic, query ids split without stripping; then the printed figures are corrected.
    """
    from rich.console import Console

    from fashionbert.cli.tables import scoring_fault_table

    Console().print(scoring_fault_table())
