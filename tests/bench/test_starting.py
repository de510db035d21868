"""Starts in fresh processes, and the programs that are started."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import BertConfig

from fashionbert.bench import Contender, Fresh, measure_in_turns, start_contenders
from fashionbert.errors import RunError, SearchIndexError


def program(name: str, *words: str) -> Contender:
    return Contender(name=name, make="python", arguments={"words": words})


def test_every_turn_is_a_process_and_one_that_fails_says_why(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    mark = f"open({str(marks)!r}, 'a').write('x')"
    good, bad, silent = measure_in_turns(
        [
            program("good", "-c", mark),
            program("bad", "-c", "raise ValueError('no such model')"),
            program("silent", "-c", "raise SystemExit(3)"),
        ],
        2,
        start=Fresh,
    )
    assert marks.read_text() == "xxx"
    assert len(good.seconds) == 2
    assert (good.peak_bytes, good.difference) == (0, None)
    assert good.start_seconds > 0
    assert bad.missing == "ValueError: no such model"
    assert silent.missing == "its process ended with 3"


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("starting") / "run")


def test_the_programs_give_a_first_answer(
    run: Path, shop_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_name = {each.name: each for each in start_contenders(run, tmp_path, index=shop_index)}
    assert len(by_name) == 7
    for name in ("import fashionbert", "transformers BERT loaded", "Scorer, first score", "index, first answer"):
        _, code, *words = by_name[name].arguments["words"]
        monkeypatch.setattr(sys, "argv", ["-c", *words])
        exec(code, {})
    assert all(each.against in by_name for each in by_name.values())


def test_the_bert_is_as_large_as_the_run(run: Path, tmp_path: Path) -> None:
    names = [each.name for each in start_contenders(run, tmp_path)]
    assert "index, first answer" not in names
    bert = BertConfig.from_pretrained(tmp_path)
    assert (bert.hidden_size, bert.num_hidden_layers, bert.max_position_embeddings) == (16, 2, 24)


def test_what_is_no_run_or_no_index_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run folder"):
        start_contenders(tmp_path, tmp_path)
    with pytest.raises(SearchIndexError, match="is no search index"):
        start_contenders(run, tmp_path, index=tmp_path)
