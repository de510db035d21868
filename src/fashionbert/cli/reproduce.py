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


@app.command("scoring-fault")
def scoring_fault() -> None:
    """Show how the released scorer makes its printed recalls of right ranks, and what they should have been.

    1,000 lists of 101 candidates with the ranks of the released model are laid out in batches of 64 and scored by the
    authors' arithmetic, query ids split without stripping; then the printed figures are corrected.
    """
    from rich.console import Console

    from fashionbert.cli.tables import scoring_fault_table

    Console().print(scoring_fault_table())
