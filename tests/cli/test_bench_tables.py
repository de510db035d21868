"""Tables of benchmarks fit into eighty columns, with every contender on a line of its own."""

import io

import numpy as np
import pytest
from rich.console import Console

from fashionbert.bench import Contender, Measured, ScoringShape, TrainingShape, scoring_contenders, training_contenders
from fashionbert.bench.frontier import Point
from fashionbert.cli.bench_tables import frontier_table, print_measured


def measured(contender: Contender, seconds: float = 12.3456, difference: float | None = None) -> Measured:
    return Measured(
        contender=contender,
        seconds=(seconds, seconds, 2 * seconds),
        start_seconds=123.4,
        peak_bytes=12_345_000_000,
        answer=np.zeros(1, np.float32),
        difference=difference,
    )


def printed(*found: Measured, units: str = "pairs") -> list[str]:
    stream = io.StringIO()
    print_measured(found, units, Console(file=stream, width=80))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


@pytest.fixture(scope="module")
def contenders(tmp_path_factory: pytest.TempPathFactory) -> list[Contender]:
    shape = ScoringShape(layers=2, width=8, heads=2, tokens=3, patches=4, features=2, candidates=2, split_layers=1)
    return [
        *scoring_contenders(shape, tmp_path_factory.mktemp("tables")),
        *training_contenders(TrainingShape(layers=1, width=8, heads=2)),
    ]


def test_every_contender_of_ours_has_one_line_in_each_table(contenders: list[Contender]) -> None:
    lines = printed(*(measured(each, difference=3e-3) for each in contenders))
    assert max(map(len, lines)) <= 80
    for each in contenders:
        assert sum(line.startswith(f"│ {each.name} ") for line in lines) == 2, each.name
    assert sum("12,345.6" in line for line in lines) == len(contenders)


@pytest.mark.parametrize(
    ("difference", "tolerance", "words"),
    [(3e-7, 1e-4, "same ± 3e-07"), (0.3, 1e-4, "OTHER ± 3e-01"), (5e-3, None, " ± 5e-03")],
)
def test_answers_are_judged_in_a_word(difference: float, tolerance: float | None, words: str) -> None:
    one = Contender(name="one", make="", arguments={}, tolerance=tolerance)
    row = next(line for line in printed(measured(one, difference=difference)) if line.startswith("│ one"))
    assert words in row
    assert ("same" in row, "OTHER" in row) == ("same" in words, "OTHER" in words)


def test_the_spread_over_laps_and_small_times_are_told() -> None:
    one = Contender(name="one", make="", arguments={}, laps=3)
    lines = printed(measured(one, seconds=0.00001234), units="queries")
    assert "p50, ms" in lines[1]
    assert "p95, ms" in lines[1]
    assert "0.0123" in lines[3]
    assert "queries/s" in "".join(lines)


def test_times_are_of_a_unit_of_work_against_whom_it_is_held() -> None:
    base = Contender(name="base", make="", arguments={}, units=10)
    half = Contender(name="half", make="", arguments={}, units=5, against="base")
    lines = printed(measured(base, 2.0), measured(half, 2.0))
    assert "2.00" in next(line for line in lines if line.startswith("│ half"))


def test_who_is_missing_is_named_below_with_the_reason() -> None:
    one, other = (Contender(name=name, make="", arguments={}) for name in ("one", "other"))
    gone = Measured(contender=other, missing="the package [rival] is not installed")
    lines = printed(measured(one), gone)
    assert lines[-1] == "left out: other: the package [rival] is not installed"
    assert printed(gone) == lines[-1:]


def test_without_units_there_are_no_rates_and_unknown_memory_is_a_dash() -> None:
    one = Contender(name="one", make="", arguments={})
    lines = printed(Measured(contender=one, seconds=(1.0,), start_seconds=2.0), units="")
    assert "/s" not in "".join(lines)
    assert next(line for line in reversed(lines) if line.startswith("│ one")).split("│")[-2].strip() == "-"


def test_the_frontier_fits_too() -> None:
    points = [
        Point(
            run="hm-fast",
            speed=speed,
            numbers="fp32",
            cards=cards,
            recall=0.4,
            interval=(0.38, 0.42),
            milliseconds=1234.5,
        )
        for speed in ("exact", "split")
        for cards in (0, 100)
    ]
    stream = io.StringIO()
    Console(file=stream, width=80).print(frontier_table(points, points[1]))
    rows = [line for line in stream.getvalue().splitlines() if line.startswith("│")]
    assert len(rows) == 4
    assert [line.rstrip("│ ").endswith("*") for line in rows] == [False, True, False, False]
