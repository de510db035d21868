"""``fashionbert``: the commands, and what a person sees when something is wrong with the input."""

import sys

import typer

from fashionbert.cli import (
    bench,
    catalogue,
    clicks,
    convert,
    demo,
    distill,
    evaluate,
    export,
    features,
    index,
    reproduce,
    score,
    search,
    serve,
    train,
)
from fashionbert.errors import FashionBertError
from fashionbert.files import disk_is_full, file_remedy
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
app.add_typer(convert.app, name="convert")
app.command()(features.features)
app.command()(train.train)
app.command()(distill.distill)
app.command()(evaluate.evaluate)
app.command()(export.export)
app.command()(score.score)
app.command()(index.index)
app.command()(index.calibrate)
app.command()(search.search)
app.command()(serve.serve)
app.command()(demo.demo)
app.add_typer(clicks.app, name="clicks")
app.add_typer(reproduce.app, name="reproduce")
app.add_typer(bench.app, name="bench")


def main() -> None:
    """Run the command line; faults of the input end with exit code 2 and without a traceback."""
    keep_freed_memory()
    try:
        app()
    except Exception as error:
        full = disk_is_full(error)
        if isinstance(error, FashionBertError) and not full:
            sys.stderr.write(f"error: {error}\n")
            sys.exit(2)
        if not full and isinstance(error, OSError) and error.filename is not None:
            sys.stderr.write(f"error: {error.filename}: {error.strerror}; {file_remedy(error)}\n")
            sys.exit(2)
        if not full:
            raise
        sys.stderr.write(
            f"error: the disk is full ({error}); nothing half written will be taken for whole, what is finished is "
            "kept: free some space and run the same command again\n"
        )
        sys.exit(1)
    except SystemExit as ending:
        if ending.code == _INTERRUPTED:
            sys.stderr.write("stopped; run the same command again to go on\n")
        raise
