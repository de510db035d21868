"""How many cards to re-rank: what was found out for a model, or the usual number."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fashionbert.catalogue import Catalogue
from fashionbert.errors import RunError, SearchIndexError
from fashionbert.search import IndexOptions, Query, SearchEngine, index_catalogue
from fashionbert.search.advice import ADVICE, USUAL_CARDS, Advice, advised, write_advice
from fashionbert.search.manifest import Manifest


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


def test_a_new_index_takes_the_speed_and_one_that_is_there_keeps_its_own(
    own_index: Path, shop_index: Path, shop: Catalogue, tmp_path: Path
) -> None:
    run = shutil.copytree(shop_index.parent / "run", tmp_path / "run")
    write_advice(run, Advice(3, "fast"), {})
    options = IndexOptions(precision="fp32")
    index_catalogue(shop, own_index, model=run, options=options)
    index_catalogue(shop, tmp_path / "new", model=run, options=options)
    assert [Manifest.read(folder).speed for folder in (own_index, tmp_path / "new")] == ["exact", "fast"]


def test_words_are_read_once_for_recall_and_for_pairs(
    make_run: Callable[..., Path], shop: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run", side_agreement=True, split_layers=1)
    index_catalogue(shop, tmp_path / "index", model=run, options=IndexOptions(precision="fp32"))
    engine, counts = SearchEngine.open(tmp_path / "index"), []
    texts = engine.kept.scorer.sides.texts
    monkeypatch.setattr(engine.kept.scorer.sides, "texts", lambda *given: counts.append(len(given[1])) or texts(*given))
    answer = engine.search(Query(text="red dress", rerank=3))
    assert answer.pairs > 0
    assert counts == [1]


def test_an_index_says_its_arithmetic_and_refuses_another(own_index: Path, shop_index: Path) -> None:
    """One of an earlier version does not say, and is taken."""
    manifest, run = Manifest.read(own_index), shop_index.parent / "run"
    assert manifest.numbers == "fp32"
    replace(manifest, numbers="").write(own_index)
    assert SearchEngine.open(own_index, model=run).cards == USUAL_CARDS
    replace(manifest, numbers="int8").write(own_index)
    with pytest.raises(SearchIndexError, match="numbers is 'int8', now 'fp32'"):
        SearchEngine.open(own_index, model=run)
