"""Catalogue -> index, and the same again."""

import io
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashionbert import files
from fashionbert.catalogue import Catalogue, HeldPicture
from fashionbert.errors import CatalogueError, FolderInUseError, QueryError, SearchIndexError, SettingsError
from fashionbert.search import BuildState, IndexedPicture, IndexOptions, Query, SearchEngine, index_catalogue, indexing
from fashionbert.search import build as building
from fashionbert.search.calibration import Calibration
from fashionbert.search.manifest import MANIFEST
from fashionbert.search.rows import fetch
from fashionbert.search.table import FOLDER, ViewTable
from fashionbert.types import Product

FP32 = IndexOptions(precision="fp32")


@pytest.fixture
def update(own_index: Path, shop_index: Path) -> Callable[..., BuildState]:
    """Bring a copy of the index of the shop up to date."""

    def call(products: Sequence[Product], **changes: object) -> BuildState:
        return index_catalogue(products, own_index, model=shop_index.parent / "run", options=FP32, **changes)  # pyright: ignore[reportArgumentType]

    return call


def ids(index: Path) -> set[str]:
    return set(SearchEngine.open(index).shelf.place_of)


def test_what_is_unchanged_is_not_made_again(update: Callable[..., BuildState], shop: Catalogue) -> None:
    state = update([*shop])
    assert (state.products, state.unchanged, state.written, state.deleted) == (6, 6, 0, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"text": "another text"},
        {"category": "Clothes"},
        {"subcategory": "Coat"},
        {"group_id": "g9"},
        {"attributes": {"colour": "green"}},
    ],
)
def test_whatever_changes_is_made_anew(
    update: Callable[..., BuildState], own_index: Path, shop: Catalogue, change: dict[str, object]
) -> None:
    first, *rest = shop
    state = update([replace(first, **change), *rest])  # pyright: ignore[reportArgumentType]
    assert (state.unchanged, state.written) == (5, 1)
    [view, *_] = SearchEngine.open(own_index).views(first.product_id)
    for name, value in change.items():
        assert view[name] == value


def test_another_picture_is_seen_and_an_old_one_is_gone(
    update: Callable[..., BuildState], own_index: Path, shop: Catalogue, pictures: list[bytes]
) -> None:
    first, *rest = shop
    before = SearchEngine.open(own_index)
    assert len(before.views("d1")) == 2
    state = update([replace(first, pictures=(HeldPicture("new", pictures[0]),)), *rest])
    assert state.written == 1
    engine = SearchEngine.open(own_index)
    assert [view["picture"] for view in engine.views("d1")] == ["new"]
    assert engine.score([("red dress", IndexedPicture("d1"))]) == pytest.approx(
        engine.score([("red dress", pictures[0])]), abs=1e-5
    )


def test_only_prune_deletes(update: Callable[..., BuildState], own_index: Path, shop: Catalogue) -> None:
    some = [product for product in shop if product.product_id != "s3"]
    assert update(some).deleted == 0
    assert "s3" in ids(own_index)
    assert update(some, prune=True).deleted == 1
    assert ids(own_index) == {product.product_id for product in some}


def test_a_prune_that_would_empty_the_index_is_refused(
    update: Callable[..., BuildState], own_index: Path, shop: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_PRUNED_ANYWAY", 0)
    first, *_ = shop
    with pytest.raises(CatalogueError, match="would delete 5 of 6 products"):
        update([replace(first, text="changed")], prune=True)
    engine = SearchEngine.open(own_index)
    assert len(engine.shelf.place_of) == 6
    assert engine.views("d1")[0]["text"] == "changed"


def test_broken_pictures_are_set_aside_and_told(
    update: Callable[..., BuildState], own_index: Path, shop: Catalogue, pictures: list[bytes]
) -> None:
    broken = HeldPicture("broken", b"no picture")
    some = Product(product_id="n1", group_id="", text="a coat", pictures=(broken, HeldPicture("good", pictures[1])))
    none = Product(product_id="n2", group_id="", text="a coat", pictures=(broken,))
    state = update([*shop, some, none])
    assert state.written == 1
    assert state.without_picture == ("n2",)
    assert [(fault.product_id, fault.picture, fault.reason) for fault in state.faults] == [
        ("n1", "broken", "not-a-picture"),
        ("n2", "broken", "not-a-picture"),
    ]
    engine = SearchEngine.open(own_index)
    assert [(view["view"], view["picture"]) for view in engine.views("n1")] == [(1, "good")]
    assert not engine.has("n2")


def test_the_picture_of_a_product_is_the_first_that_there_is(
    update: Callable[..., BuildState], own_index: Path, shop: Catalogue, pictures: list[bytes]
) -> None:
    views = (HeldPicture("broken", b"no"), *(HeldPicture(f"good {place}", pictures[place]) for place in (1, 2)))
    update([*shop, Product(product_id="n1", group_id="", text="a coat", pictures=views)])
    engine = SearchEngine.open(own_index)
    assert engine.thumbnail("n1") == engine.thumbnail("n1", 1) != engine.thumbnail("n1", 2)
    assert engine.explain("red", "n1") == engine.explain("red", "n1", 1) != engine.explain("red", "n1", 2)
    found = engine.score([("red", IndexedPicture("n1")), *(("red", picture) for picture in pictures[1:3])])
    assert found[0] == pytest.approx(found[1], abs=1e-5)
    assert found[0] != pytest.approx(found[2], abs=1e-5)
    for ask in (engine.thumbnail, lambda name, view: engine.explain("red", name, view)):
        with pytest.raises(QueryError, match="product 'n1' has no picture 0"):
            ask("n1", 0)


def test_what_the_index_had_of_a_product_stays_when_its_pictures_break(
    update: Callable[..., BuildState], own_index: Path, shop: Catalogue
) -> None:
    first, *rest = shop
    state = update([replace(first, pictures=(HeldPicture("broken", b""),)), *rest], prune=True)
    assert state.without_picture == ("d1",)
    assert len(SearchEngine.open(own_index).views("d1")) == 2


def test_a_catalogue_without_a_usable_picture_is_an_error(shop_index: Path, tmp_path: Path) -> None:
    products = [Product(product_id=each, group_id="", text="a", pictures=(HeldPicture(each, b"no"),)) for each in "ab"]
    with pytest.raises(CatalogueError, match="no product of the catalogue has a picture that can be used"):
        index_catalogue(products, tmp_path / "index", model=shop_index.parent / "run", options=FP32)


def test_it_goes_on_where_it_stopped(
    shop: Catalogue, shop_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commits of two pictures; the third product that is fetched pulls the plug."""
    monkeypatch.setattr(building, "PICTURES_AT_ONCE", 2)

    def unplugged() -> Iterator[Product]:
        for number, product in enumerate(shop):
            if number == 3:
                raise KeyboardInterrupt
            yield product

    with pytest.raises(KeyboardInterrupt):
        index_catalogue(unplugged(), tmp_path / "index", model=shop_index.parent / "run", options=FP32)
    assert ids(tmp_path / "index") == {"d1", "d2", "d3"}
    state = index_catalogue(shop, tmp_path / "index", model=shop_index.parent / "run", options=FP32)
    assert (state.unchanged, state.written) == (3, 3)
    one, other = SearchEngine.open(tmp_path / "index"), SearchEngine.open(shop_index)
    for query in (Query(text="red dress"), Query(text="shirt", filter="price < 50"), Query(more_like=("d3",))):
        assert [hit.product_id for hit in one.search(query).hits] == [
            hit.product_id for hit in other.search(query).hits
        ]


def test_an_indexing_killed_before_its_first_row_is_no_index_yet(
    shop: Catalogue, shop_index: Path, tmp_path: Path
) -> None:
    folder, run = tmp_path / "index", shop_index.parent / "run"
    ViewTable.create(folder, 3)  # as another model leaves it
    assert index_catalogue(shop, folder, model=run, options=FP32).written == 6
    assert SearchEngine.open(folder).search(Query(text="red")).hits


def test_a_new_index_does_not_take_over_the_calibration_of_the_one_before(
    shop: Catalogue, own_index: Path, shop_index: Path
) -> None:
    Calibration(
        slope=1.0, offset=0.0, threshold=0.9, precision=0.8, reached=0.9, answered=0.5, queries=40, source="shop"
    ).write(own_index)
    index_catalogue(shop, own_index, model=shop_index.parent / "run", options=FP32)
    assert SearchEngine.open(own_index).is_calibrated
    shutil.rmtree(own_index / "table")
    (own_index / MANIFEST).unlink()
    index_catalogue(shop, own_index, model=shop_index.parent / "run", options=FP32)
    assert not SearchEngine.open(own_index).is_calibrated


def test_rows_of_an_unknown_model_stay(shop: Catalogue, own_index: Path, shop_index: Path) -> None:
    (own_index / MANIFEST).unlink()
    with pytest.raises(SearchIndexError, match=r"put its index.json back, or remove"):
        index_catalogue(shop, own_index, model=shop_index.parent / "run", options=FP32)
    assert len(ViewTable.open(own_index)) == 9


def test_two_that_make_an_index_at_once(
    shop: Catalogue, shop_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is refused while the other makes the table; what the other made before its turn came is not made anew."""
    folder, run = tmp_path / "index", shop_index.parent / "run"
    with files.only_writer(folder), pytest.raises(FolderInUseError):
        index_catalogue(shop, folder, model=run, options=FP32)

    @contextmanager
    def second(folder: Path) -> Iterator[None]:
        shutil.copytree(shop_index, folder, dirs_exist_ok=True)
        yield

    monkeypatch.setattr(indexing, "only_writer", second)
    state = index_catalogue(shop, folder, model=run, options=FP32)
    assert (state.unchanged, state.written) == (6, 0)


def states_of(shop: Catalogue, shop_index: Path, folder: Path) -> list[BuildState]:
    """What an indexing says of itself after each commit."""
    seen: list[BuildState] = []
    run = shop_index.parent / "run"
    index_catalogue(shop, folder / "index", model=run, options=FP32, progress=seen.append)
    return seen


def test_progress_counts_up(shop: Catalogue, shop_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "PICTURES_AT_ONCE", 3)
    seen = [state.products for state in states_of(shop, shop_index, tmp_path)]
    assert seen == sorted(seen)
    assert seen[-1] == 6
    assert len(seen) == 3


def test_a_new_index_has_its_rows_once_and_an_engine_keeps_what_it_holds(
    shop: Catalogue, shop_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commits of two pictures at least; an engine looks for no newer version while the index is brought up to date."""
    monkeypatch.setattr(building, "PICTURES_AT_ONCE", 2)
    index, run = tmp_path / "index", shop_index.parent / "run"
    index_catalogue(shop, index, model=run, options=FP32)
    data = index / FOLDER / "views.lance" / "data"
    assert len([*data.iterdir()]) == 1
    engine = SearchEngine.open(index)
    index_catalogue([replace(product, text="all new") for product in shop], index, model=run, options=FP32)
    for product in shop:
        views = engine.views(product.product_id)
        assert [view["text"] for view in views] == [product.text] * len(product.pictures)
        assert all(engine.thumbnail(product.product_id, view["view"]) for view in views)
    assert len(engine.search(Query(text="red dress", rerank=6)).hits) == 5
    assert engine.refresh()
    assert {hit.text for hit in engine.search(Query(text="red dress", rerank=6)).hits} == {"all new"}


def test_large_pictures_make_small_commits(
    shop: Catalogue, shop_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each product is written before the next is read, where its pictures are as large as a commit may be."""
    monkeypatch.setattr(building, "BYTES_AT_ONCE", min(fetch(product, 8).size for product in shop))
    seen = [state.written for state in states_of(shop, shop_index, tmp_path)]
    assert seen == [1, 2, 3, 4, 5, 6]


def test_a_product_keeps_so_many_pictures_at_most(shop: Catalogue, shop_index: Path, tmp_path: Path) -> None:
    options = replace(FP32, pictures=1)
    index_catalogue(shop, tmp_path / "index", model=shop_index.parent / "run", options=options)
    assert len(SearchEngine.open(tmp_path / "index").shelf) == 6


def test_thumbnails_are_small_pictures_of_the_same_shape(engine: SearchEngine) -> None:
    with Image.open(io.BytesIO(engine.thumbnail("d1", 1))) as picture:
        assert picture.size == (30, 40)  # smaller than the side that is allowed, so as it was


def test_vectors_have_length_one(engine: SearchEngine) -> None:
    assert engine.shelf.vectors is not None
    np.testing.assert_allclose(np.linalg.norm(engine.shelf.vectors, axis=1), 1, atol=1e-3)


def test_other_options_or_another_model_are_refused(
    shop: Catalogue, own_index: Path, shop_index: Path, make_run: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(SearchIndexError, match="pictures is 8, now 2"):
        index_catalogue(shop, own_index, model=shop_index.parent / "run", options=replace(FP32, pictures=2))
    other = make_run(tmp_path / "other", num_hidden_layers=1)
    with pytest.raises(SearchIndexError, match="model_fingerprint"):
        index_catalogue(shop, own_index, model=other, options=FP32)
    with pytest.raises(SearchIndexError, match="model_fingerprint"):
        SearchEngine.open(own_index, model=other)


def test_a_model_without_vectors_cannot_recall(shop: Catalogue, make_run: Callable[..., Path], tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", contrastive_size=0)
    with pytest.raises(SettingsError, match="has no vectors to recall by"):
        index_catalogue(shop, tmp_path / "index", model=run, options=FP32)


def test_the_model_may_move(own_index: Path, make_run: Callable[..., Path], shop: Catalogue, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    index_catalogue(shop, tmp_path / "moving", model=run, options=FP32)
    moved = run.rename(tmp_path / "moved")
    with pytest.raises(SearchIndexError, match="say where it is now with --model"):
        SearchEngine.open(tmp_path / "moving")
    assert SearchEngine.open(tmp_path / "moving", model=moved).search(Query(text="red")).hits
