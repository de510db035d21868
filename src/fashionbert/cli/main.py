"""``fashionbert``: the commands, and what a person sees when something is wrong with the input."""

import sys

import typer

from fashionbert.cli import catalogue, evaluate, features, score, train
from fashionbert.errors import FashionBertError

app = typer.Typer(
    help="Match fashion words with fashion pictures: train, measure, search.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(catalogue.app, name="catalogue")
app.command()(features.features)
app.command()(train.train)
app.command()(evaluate.evaluate)
app.command()(score.score)


def main() -> None:
    """Run the command line; faults of the input end with exit code 2 and without a traceback."""
    try:
        app()
    except FashionBertError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("stopped; run the same command again to go on\n")
        sys.exit(130)
