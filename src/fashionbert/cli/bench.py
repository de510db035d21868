"""``fashionbert bench``: fashionbert beside others, on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from fashionbert.bench import Measured

app = typer.Typer(help="Measure fashionbert beside others on this machine.", no_args_is_help=True)

NOT_SHOWN = "quality: all weights are random; patch features, tokenizing, a network between caller and model"


@app.callback()
def bench() -> None:
    """Measure fashionbert beside others on this machine."""


@app.command()
def scoring(
    layers: Annotated[int, typer.Option(min=2, help="Layers of every model.")] = 6,
    width: Annotated[int, typer.Option(min=8, help="Width of every model.")] = 384,
    heads: Annotated[int, typer.Option(min=1, help="Heads of attention.")] = 12,
    tokens: Annotated[int, typer.Option(min=3, help="WordPieces of the query.")] = 16,
    candidates: Annotated[int, typer.Option(min=2, help="Pictures that the query is scored against.")] = 100,
    repetitions: Annotated[int, typer.Option(min=1, help="Turns of each.")] = 7,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of a result file, as JSON.")] = None,
) -> None:
    """Score one query against many pictures, by fashionbert and by others at equal layers, width and tokens.

    Nothing else should run meanwhile. Who is not installed is left out and named.
    """
    from tempfile import TemporaryDirectory

    from rich.console import Console

    from fashionbert.bench import ScoringShape, gemm_rates, joint_operations, measure_in_turns, scoring_contenders
    from fashionbert.bench.results import write_result

    shape = ScoringShape(layers=layers, width=width, heads=heads, tokens=tokens, candidates=candidates)
    console = Console(stderr=True)
    with TemporaryDirectory() as folder, console.status("the machine's own limit") as status:
        rates = gemm_rates()
        contenders = scoring_contenders(shape, Path(folder))
        operations = joint_operations(shape)
        measured = measure_in_turns(contenders, repetitions, status.update)
    Console().print(_table(measured, candidates))
    joint = next((each for each in measured if each.seconds), None)
    if joint is not None:
        share = operations / joint.median / rates["fp32"]
        typer.echo(f"{joint.contender.name}: {100 * share:.0f} % of the rate of the largest fp32 matrix product")
    if out is not None:
        words = f"--layers {layers} --width {width} --heads {heads} --tokens {tokens} --candidates {candidates}"
        figures = {"gemm": rates, "joint_operations": operations, "contenders": [each.figures() for each in measured]}
        write_result(out, "scoring", f"fashionbert bench scoring {words}", NOT_SHOWN, figures)


def _table(measured: "Sequence[Measured]", units: int) -> "Table":
    from rich.table import Table

    table = Table("contender", title=f"{units} pairs of one query")
    for name in ("ms", "pairs/s", "times the first", "start, s", "peak, MB", "answer"):
        table.add_column(name, justify="right")
    first = next((each for each in measured if each.seconds), None)
    for each in measured:
        if first is None or not each.seconds:
            table.add_row(each.contender.name, "-", "-", "-", "-", "-", each.missing)
            continue
        table.add_row(
            each.contender.name,
            f"{1000 * each.median:,.1f}",
            f"{units / each.median:,.0f}",
            f"{each.median / first.median:.2f}",
            f"{each.start_seconds:.1f}",
            f"{each.peak_bytes / 1e6:,.0f}",
            _verdict(each),
        )
    return table


def _verdict(each: "Measured") -> str:
    if each.difference is None:
        return ""
    words = "as it should be" if each.is_right else "ANOTHER"
    return f"{words}, ± {each.difference:.0e}" if each.contender.tolerance is not None else f"± {each.difference:.0e}"
