"""Contenders in processes of their own, and what is said of those that cannot take part."""

from pathlib import Path
from typing import Any

import pytest

from fashionbert.bench import Contender, measure_in_turns


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
