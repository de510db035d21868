"""``fashionbert``: the commands, and what a person sees when something is wrong with the input."""

import sys

import typer

from fashionbert.cli import catalogue, demo, evaluate, features, score, train
from fashionbert.errors import FashionBertError
from fashionbert.memory import keep_freed_memory

_INTERRUPTED = 130
"""What typer makes of Ctrl-C."""

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
app.command()(demo.demo)


def main() -> None:
    """Run the command line; faults of the input end with exit code 2 and without a traceback."""
    keep_freed_memory()
    try:
        app()
    except FashionBertError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    except SystemExit as ending:
        if ending.code == _INTERRUPTED:
            sys.stderr.write("stopped; run the same command again to go on\n")
        raise
