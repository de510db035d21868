"""``fashionbert reproduce``: published figures, derived anew."""

import typer

app = typer.Typer(help="Derive published figures anew.", no_args_is_help=True)


@app.callback()
def reproduce() -> None:
    """Derive published figures anew."""


@app.command("scoring-fault")
def scoring_fault() -> None:
    """Show how the released scorer makes its printed recalls of right ranks, and what they should have been.

    1,000 lists of 101 candidates with the ranks of the released model are laid out in batches of 64 and scored by the
    authors' arithmetic, query ids split without stripping; then the printed figures are corrected.
    """
    from rich.console import Console

    from fashionbert.cli.tables import scoring_fault_table

    Console().print(scoring_fault_table())
