"""Contenders in processes of their own, and what is said of those that cannot take part."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fashionbert import bench
from fashionbert.bench import Contender, measure_in_turns

pytestmark = pytest.mark.slow  # each contender starts a process and imports torch in it


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)


def contender(name: str, make: str, same_as: str = "", tolerance: float | None = 0.1, **arguments: Any) -> Contender:
    return Contender(name=name, make=f"made_up:{make}", arguments=arguments, same_as=same_as, tolerance=tolerance)


def test_each_has_its_turns_and_its_answer_is_compared() -> None:
    said: list[str] = []
    one, near, far, rounded, other = measure_in_turns(
        [
            contender("one", "constant", value=1.0),
            contender("near", "constant", "one", value=1.0625),
            contender("far", "constant", "one", value=1.5),
            contender("rounded", "constant", "one", None, value=1.5),
            contender("of another shape", "constant", "one", value=1.0, count=2),
        ],
        2,
        said.append,
    )
    assert [len(each.seconds) for each in (one, near, far, rounded, other)] == [2] * 5
    assert [each.difference for each in (one, near, far, rounded, other)] == [None, 0.0625, 0.5, 0.5, float("inf")]
    assert [each.is_right for each in (one, near, far, rounded, other)] == [True, True, False, True, False]
    assert one.peak_bytes > 10_000_000
    assert one.start_seconds > one.median > 0
    assert said[0] == "starting one"
    assert said[-1] == "turn 2 of 2"


def test_who_cannot_take_part_says_why_and_the_others_go_on() -> None:
    lacking, old, broken, dead, later, alone = measure_in_turns(
        [
            contender("lacking", "not_installed"),
            contender("old", "too_old"),
            contender("broken", "broken"),
            contender("dead", "dead"),
            contender("later", "dies_later"),
            contender("alone", "constant", "broken", value=1.0),
        ],
        2,
    )
    assert old.missing == "ImportError: cannot import name 'new' from 'rival'"
    assert (later.missing, later.seconds) == ("its process ended with 9", ())
    assert lacking.missing == "the package rival is not installed"
    assert broken.missing == "ValueError: no such setting"
    assert dead.missing == "its process ended with 3"
    assert (alone.missing, alone.difference, len(alone.seconds)) == ("", None, 2)
    assert dead.figures() == {"name": "dead", "missing": dead.missing}
    assert "answer" not in alone.figures()


def test_a_turn_has_laps_each_timed_by_itself() -> None:
    several = contender("several", "counting")
    [measured] = measure_in_turns([replace(several, laps=3)], 2)
    assert len(measured.seconds) == 6
    assert min(measured.seconds) <= measured.median <= measured.slow <= max(measured.seconds)
    assert measured.figures()["p95_seconds"] == measured.slow
    [once] = measure_in_turns([several], 2)
    assert "p95_seconds" not in once.figures()


def test_what_our_own_software_refuses_is_told_whole() -> None:
    [refused] = measure_in_turns([contender("refused", "refused")], 1)
    assert "it cannot be" in refused.missing
    assert "one thing" in refused.missing
    assert "another" in refused.missing
    assert "\n" not in refused.missing


@pytest.mark.skipif(sys.platform != "linux", reason="the others' peak begins with that of who started them")
def test_the_peak_is_a_contenders_own_and_nobody_elses_libraries_are_in_it() -> None:
    held = np.ones(250_000_000, np.uint8)
    [measured] = measure_in_turns([contender("one", "constant", value=1.0)], 1)
    assert 10_000_000 < measured.peak_bytes < held.nbytes


def test_a_name_that_is_not_there_is_no_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nobody'"):
        bench.nobody  # noqa: B018
    assert all(getattr(bench, name) is not None for name in bench.__all__)
