"""What ``fashionbert bench`` prints, within eighty columns: times and answers first, then rates, starts and memory."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from fashionbert.bench import Measured
    from fashionbert.bench.frontier import Point


def print_measured(measured: "Sequence[Measured]", units: str, console: "Console") -> None:
    """Print what was measured of contenders, and who is missing.

    Args:
        measured: of the contenders.
        units: what their work is counted in, for rates; empty: there are no rates.
        console: to print to.
    """
    there = [each for each in measured if each.seconds]
    if there:
        console.print(times_table(there))
        console.print(costs_table(there, units))
    for each in measured:
        if not each.seconds:
            console.print(f"left out: {each.contender.name}: {each.missing}", markup=False, highlight=False)


def times_table(there: "Sequence[Measured]") -> "Table":
    """Make the table of times and answers.

    Args:
        there: contenders that took part.

    Returns:
        A row for each, with the 95th percentile where a turn has several laps. ``times`` is its time for a unit of work
        over that of the contender that it is held against. ``answer`` is ``same`` or ``OTHER``, with the largest
        difference to what it should be; the difference alone where it is not judged; empty where there is nothing to
        compare with.
    """
    from rich.table import Table

    by_name = {each.contender.name: each for each in there}
    has_laps = any(each.contender.laps > 1 for each in there)
    table = Table("contender")
    for name in ("p50, ms", "p95, ms") if has_laps else ("ms",):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("times", justify="right", no_wrap=True)
    table.add_column("answer", no_wrap=True)
    for each in there:
        against = by_name.get(each.contender.against, there[0])
        times = (each.median / each.contender.units) / (against.median / against.contender.units)
        slow = [_milliseconds(each.slow)] if has_laps else []
        table.add_row(each.contender.name, _milliseconds(each.median), *slow, f"{times:,.2f}", _verdict(each))
    return table


def costs_table(there: "Sequence[Measured]", units: str) -> "Table":
    """Make the table of rates, starts and memory.

    Args:
        there: contenders that took part.
        units: what their work is counted in; empty: there are no rates.

    Returns:
        A row for each; a dash where the memory is not known.
    """
    from rich.table import Table

    table = Table("contender")
    for name in (*([f"{units}/s"] if units else []), "start, s", "peak, MB"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in there:
        rate = [_rate(each.contender.units / each.median)] if units else []
        peak = f"{each.peak_bytes / 1e6:,.0f}" if each.peak_bytes else "-"
        table.add_row(each.contender.name, *rate, f"{each.start_seconds:.1f}", peak)
    return table


def frontier_table(points: "Sequence[Point]", chosen: "Point") -> "Table":
    """Make the table of quality against latency.

    Args:
        points: ways to search.
        chosen: the recommended one, which has a star.

    Returns:
        A row for each.
    """
    from rich.table import Table

    table = Table("run", "speed", "in", "re-ranked", title="text → image, whole split", caption="* recommended")
    for name in ("R@1, %", "ms a query", ""):
        table.add_column(name, justify="right")
    for point in points:
        low, high = point.interval
        table.add_row(
            point.run,
            point.speed,
            point.numbers,
            str(point.cards) if point.cards else "vectors alone",
            f"{100 * point.recall:.1f} ({100 * low:.1f}-{100 * high:.1f})",
            f"{point.milliseconds:.1f}",
            "*" if point is chosen else "",
        )
    return table


def profile_table(milliseconds: Mapping[str, float]) -> "Table":
    """Make the table of where time goes.

    Args:
        milliseconds: by kind of operator.

    Returns:
        A row for each kind, and one for the sum.
    """
    from rich.table import Table

    table = Table("where a step's time goes", show_footer=True)
    table.columns[0].footer = "together, under the profiler"
    whole = sum(milliseconds.values())
    table.add_column("ms", f"{whole:,.0f}", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    for kind, each in milliseconds.items():
        table.add_row(kind, f"{each:,.0f}", f"{each / whole:.0%}")
    return table


def _milliseconds(seconds: float) -> str:
    """Three figures at least: a product of vectors takes less than a tenth of a millisecond."""
    return f"{1000 * seconds:,.1f}" if seconds >= 0.01 else f"{1000 * seconds:.3g}"


def _rate(units_a_second: float) -> str:
    return f"{units_a_second:,.0f}" if units_a_second >= 100 else f"{units_a_second:.3g}"


def _verdict(each: "Measured") -> str:
    if each.difference is None:
        return ""
    words = "same " if each.is_right else "OTHER "
    return f"{words if each.contender.tolerance is not None else ''}± {each.difference:.0e}"
