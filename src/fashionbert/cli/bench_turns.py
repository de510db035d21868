"""What the commands of ``fashionbert bench`` share: contenders in turns, their tables, and the result file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fashionbert.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fashionbert.bench import Contender, Measured
    from fashionbert.bench.turns import Runs

Repetitions = Annotated[int, typer.Option(min=1, help="Turns of each.")]
Only = Annotated[
    list[str] | None, typer.Option("--only", metavar="NAME", help="Part of a contender's name; may be repeated.")
]
Out = Annotated[Path | None, typer.Option("--out", help="Folder of a result file, as JSON.")]


def measured_in_turns(
    contenders: "Sequence[Contender]",
    repetitions: int,
    only: list[str] | None,
    units: str,
    start: "Callable[[Contender], Runs] | None" = None,
) -> "tuple[dict[str, float], list[Measured]]":
    """Measure contenders and print what was measured.

    Args:
        contenders: who may take part.
        repetitions: turns of each.
        only: parts of the names of those that are wanted; None: all.
        units: what the work is counted in, for rates; empty: there are no rates.
        start: makes a contender ready; None: in a process of its own.

    Returns:
        The machine's own rates by arithmetic, and what was measured.

    Raises:
        SettingsError: nobody is wanted.
    """
    from rich.console import Console

    from fashionbert.bench import gemm_rates, measure_in_turns
    from fashionbert.bench.contender import Running
    from fashionbert.cli.bench_tables import print_measured

    chosen = [each for each in contenders if not only or any(word.lower() in each.name.lower() for word in only)]
    if not chosen:
        names = ", ".join(each.name for each in contenders)
        raise SettingsError(f"--only {' '.join(only or ())} names nobody", [f"there are: {names}"])
    with Console(stderr=True).status("the machine's own limit") as status:
        rates = gemm_rates()
        measured = measure_in_turns(chosen, repetitions, status.update, start or Running)
    print_measured(measured, units, Console())
    return rates, measured


def write_measured(
    folder: Path,
    kind: str,
    command: str,
    not_shown: str,
    figures: dict[str, Any],
    rates: dict[str, float],
    measured: "Sequence[Measured]",
) -> None:
    """Write a result file.

    Args:
        folder: of the result files.
        kind: part of its name.
        command: the words behind ``fashionbert bench`` that measure it again.
        not_shown: what nobody should read out of it.
        figures: beside those of the contenders.
        rates: the machine's own.
        measured: of the contenders.
    """
    from fashionbert.bench.results import write_result

    found = {"gemm": rates, **figures, "contenders": [each.figures() for each in measured]}
    write_result(folder, kind, f"fashionbert bench {command}", not_shown, found)


def said(repetitions: int, only: list[str] | None) -> str:
    """Say the options that every benchmark has, as they are typed."""
    return " ".join([f"--repetitions {repetitions}", *(f"--only {name!r}" for name in only or ())])
