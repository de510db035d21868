"""How many cards to re-rank: what was found out for a model, or the usual number."""

import shutil
from pathlib import Path

import pytest

from fashionbert.errors import RunError
from fashionbert.search import SearchEngine
from fashionbert.search.advice import ADVICE, USUAL_CARDS, advised_cards, write_advice


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert advised_cards(tmp_path) == USUAL_CARDS
    write_advice(tmp_path, 20, {"recall": 0.5})
    assert advised_cards(tmp_path) == 20


@pytest.mark.parametrize(
    "text", ["", "[]", '{"rerank": true}', '{"rerank": -1}', '{"rerank": "20"}', '{"rerank": 1e9}']
)
def test_what_is_no_advice_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / ADVICE).write_text(text)
    with pytest.raises(RunError, match=ADVICE):
        advised_cards(tmp_path)


def test_an_engine_takes_it_from_its_run(own_index: Path, shop_index: Path, tmp_path: Path) -> None:
    run = shutil.copytree(shop_index.parent / "run", tmp_path / "run")
    assert SearchEngine.open(own_index, model=run).cards == USUAL_CARDS
    write_advice(run, 3, {})
    assert SearchEngine.open(own_index, model=run).cards == 3
