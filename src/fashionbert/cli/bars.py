"""Progress bars of the commands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


@contextmanager
def pair_progress(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Show what is being scored, one bar for each label.

    Args:
        console: where to show it; nothing is shown where it is no terminal.

    Yields:
        ``show(label, done, total)``: moves the bar of ``label`` to ``done`` pairs of ``total``.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def show(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=total)
            bars.update(tasks[label], completed=done, total=total)

        yield show


@contextmanager
def picture_progress(products: int) -> Iterator[Callable[[int, float, int], None]]:
    """Show how far the features of a catalogue are, on standard error.

    Args:
        products: products in all.

    Yields:
        A function of products done, pictures a second, and pictures set aside.
    """
    columns = (
        TextColumn("patch features"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("products"),
        TextColumn("{task.fields[rate]:.1f} pictures/s"),
        TextColumn("{task.fields[set_aside]} set aside"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("pictures", total=products, rate=0.0, set_aside=0)
        yield lambda done, rate, set_aside: bar.update(task, completed=done, rate=rate, set_aside=set_aside)


@contextmanager
def count_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many of something are done, on standard error.

    Args:
        what: the plural of what is counted.

    Yields:
        A function of those done and those there are.
    """
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
