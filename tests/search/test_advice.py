"""How many cards to re-rank: what was found out for a model, or the usual number."""

import shutil
from pathlib import Path

import pytest

from fashionbert.errors import RunError
from fashionbert.search import SearchEngine
from fashionbert.search.advice import ADVICE, USUAL_CARDS, Advice, advised, write_advice


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert advised(tmp_path) == Advice(USUAL_CARDS, "exact")
    write_advice(tmp_path, Advice(20, "fast"), {"recall": 0.5})
    assert advised(tmp_path) == Advice(20, "fast")


def test_advice_of_an_earlier_version_is_of_exact_scores(tmp_path: Path) -> None:
    (tmp_path / ADVICE).write_text('{"rerank": 7, "found": {}}')
    assert advised(tmp_path) == Advice(7, "exact")


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", '{"rerank": true}', '{"rerank": -1}', '{"rerank": "20"}', '{"rerank": 1e9}'),
        *('{"rerank": 5, "speed": "slow"}', '{"rerank": 5, "speed": []}'),
    ],
)
def test_what_is_no_advice_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / ADVICE).write_text(text)
    with pytest.raises(RunError, match=ADVICE):
        advised(tmp_path)


def test_an_engine_takes_it_from_its_run(own_index: Path, shop_index: Path, tmp_path: Path) -> None:
    run = shutil.copytree(shop_index.parent / "run", tmp_path / "run")
    assert SearchEngine.open(own_index, model=run).cards == USUAL_CARDS
    write_advice(run, Advice(3), {})
    assert SearchEngine.open(own_index, model=run).cards == 3
