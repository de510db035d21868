"""The table on disk: commits, versions, words and vectors."""

import gc
import shutil
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from fashionbert.errors import SearchIndexError
from fashionbert.search import table as tables
from fashionbert.search.table import FOLDER, TABLE, ViewTable, age_of_held, schema


def rows(
    ids: list[str], *, text: str = "a dress", views: int = 1, vectors: NDArray[np.float32] | None = None
) -> pa.Table:
    """Rows of products with two-dimensional vectors; all else says nothing."""
    named = [(product_id, view) for product_id in ids for view in range(views)]
    columns = {field.name: ["-"] * len(named) for field in schema(2)}
    columns |= {
        "view_id": [f"{product_id}/{view}" for product_id, view in named],
        "product_id": [product_id for product_id, _ in named],
        "view": [view for _, view in named],
        "text": [text] * len(named),
        "words": [[1, 2]] * len(named),
        "content": [f"content of {product_id}" for product_id, _ in named],
        "thumbnail": [b"t"] * len(named),
        "record": [view_id.encode() for view_id in (f"{product_id}/{view}" for product_id, view in named)],
        "vector": list(np.tile([1.0, 0.0], (len(named), 1)) if vectors is None else vectors),
    }
    return pa.table({name: pa.array(columns[name], schema(2).field(name).type) for name in columns}, schema(2))


@pytest.fixture
def table(tmp_path: Path) -> ViewTable:
    table = ViewTable.create(tmp_path, 2)
    table.upsert(rows(["a", "b"], views=2), ["a", "b"], new=True)
    return table


def test_a_product_is_replaced_with_all_its_pictures(table: ViewTable) -> None:
    table.upsert(rows(["b", "c"], text="a shirt"), ["b", "c"], new=False)
    found = table.rows_in_memory(whole=False)
    assert sorted(zip(found["product_id"].to_pylist(), found["view"].to_pylist(), strict=True)) == [
        ("a", 0),
        ("a", 1),
        ("b", 0),
        ("c", 0),
    ]
    assert table.contents() == {each: f"content of {each}" for each in "abc"}


def test_a_product_without_rows_is_deleted(table: ViewTable) -> None:
    table.upsert(rows(["a"]), ["a", "b"], new=False)
    assert [*table.contents()] == ["a"]


@pytest.mark.parametrize("name", ["o'neill", "'; DROP TABLE views; --", 'a"b', "ä/日本", "%"])
def test_any_id_is_only_an_id(table: ViewTable, name: str) -> None:
    table.upsert(rows([name]), [name], new=False)
    assert set(table.contents()) == {"a", "b", name}
    table.delete([name])
    assert set(table.contents()) == {"a", "b"}


def test_a_pinned_version_does_not_change(table: ViewTable) -> None:
    held = table.pinned()
    ids = held.rows_in_memory(whole=False)["_rowid"].to_numpy()
    table.delete(["a"])
    table.upsert(rows(["b"], text="new"), ["b"], new=False)
    table.tidy(exact_up_to=100)
    assert len(held) == 4
    assert held.take(ids, ["text"])["text"].to_pylist() == ["a dress"] * 4
    assert held.version < held.newest().version
    assert held.newest().contents().keys() == {"b"}


def test_only_live_rows_are_left_once_nobody_reads_the_others(table: ViewTable) -> None:
    data = table.folder / FOLDER / "views.lance" / "data"
    for number in range(4):
        table.upsert(rows([f"p{number}"]), [f"p{number}"], new=True)
    assert len([*data.iterdir()]) == 5
    table.tidy(exact_up_to=100)
    assert len([*data.iterdir()]) == 1
    held = table.pinned()
    table.upsert(rows(["a"], text="new"), ["a"], new=False)
    table.tidy(exact_up_to=100)
    assert len([*data.iterdir()]) > 1
    found = held.rows_in_memory(whole=True)
    taken = held.take(found["_rowid"].to_numpy(), ["record", "text", "thumbnail", "vector"])
    assert (len(taken), set(taken["text"].to_pylist())) == (8, {"a dress"})
    del held
    gc.collect()
    table.tidy(exact_up_to=100)
    assert len([*data.iterdir()]) == 1
    assert len(table.contents()) == 6


def test_what_was_the_newest_a_day_ago_may_still_be_read() -> None:
    """At 100 h: the newest 25 h ago was that of 70 h, which is 30 h old; with no older one the oldest stays, too."""
    hour, minute = 3600.0, 60.0
    written = [each * hour for each in (10, 40, 70, 99, 99.5)]
    assert age_of_held(written, 100 * hour) == 30 * hour + minute
    assert age_of_held([70 * hour], 100 * hour) == 30 * hour + minute
    assert age_of_held([90 * hour, 99 * hour], 100 * hour) == 10 * hour + minute
    assert age_of_held([75 * hour, 99 * hour], 100 * hour) == 25 * hour + minute
    assert age_of_held([101 * hour], 100 * hour) == minute  # another machine's clock


def test_versions_older_than_any_reader_are_deleted_under_readers(
    table: ViewTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_HELD_SECONDS", 0.0)
    monkeypatch.setattr(tables, "_CLOCK_SECONDS", 0.0)
    held = table.pinned()
    table.upsert(rows(["a"], text="new"), ["a"], new=False)
    table.tidy(exact_up_to=100)
    assert len([*(table.folder / FOLDER / "views.lance" / "data").iterdir()]) == 1
    assert len(held.newest()) == 3


def test_rows_are_taken_in_the_order_that_is_asked(table: ViewTable) -> None:
    found = table.rows_in_memory(whole=True)
    ids, products, views = (found[name].to_pylist() for name in ("_rowid", "product_id", "view"))
    order = [3, 0, 2, 0]
    taken = table.take([ids[place] for place in order], ["record"])
    assert taken["record"].to_pylist() == [f"{products[place]}/{views[place]}".encode() for place in order]
    assert table.take([], ["record"]).num_rows == 0


def test_two_writers_make_no_doubles(table: ViewTable) -> None:
    other = table.newest()
    table.upsert(rows(["x"], text="by one"), ["x"], new=True)
    other.upsert(rows(["x"], text="by the other"), ["x"], new=True)
    other.upsert(rows(["y"]), ["y"], new=False)
    table.delete(["a"])
    assert sorted(other.newest().contents()) == ["b", "x", "y"]
    assert len(table.newest()) == 2 + 1 + 1  # b has two pictures
    table.upsert(rows(["x"], text="again"), ["x"], new=False)
    assert len(table.newest()) == 4


def test_a_garbled_file_is_told(table: ViewTable) -> None:
    ids = table.rows_in_memory(whole=False)["_rowid"].to_numpy()
    for data in (table.folder / FOLDER).rglob("*.lance"):
        if data.is_file():
            data.write_bytes(b"x" * data.stat().st_size)
    with pytest.raises(SearchIndexError, match="is lost or damaged"):
        ViewTable.open(table.folder).take(ids, ["record"])


def test_an_empty_table_can_be_tidied(tmp_path: Path) -> None:
    table = ViewTable.create(tmp_path, 2)
    table.tidy(exact_up_to=0)
    assert table.contents() == {}
    assert table.rows_in_memory(whole=True).num_rows == 0


def test_the_nearest_are_those_of_the_largest_inner_product(tmp_path: Path) -> None:
    angles = np.linspace(0, 3, 50)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    table = ViewTable.create(tmp_path, 2)
    ids = [f"p{number:02d}" for number in range(50)]
    table.upsert(rows(ids, vectors=vectors), ids, new=True)
    wanted = np.array([np.cos(1.0), np.sin(1.0)], np.float32)
    found = table.find_near(wanted, 5)
    expected = np.argsort(-vectors @ wanted)[:5]
    assert table.take(found, ["product_id"])["product_id"].to_pylist() == [ids[place] for place in expected]


@pytest.mark.slow
def test_above_a_size_the_nearest_come_from_an_approximate_index(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(6000, 2)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    table = ViewTable.create(tmp_path, 2)
    ids = [f"p{number}" for number in range(6000)]
    table.upsert(rows(ids, vectors=vectors), ids, new=True)
    table.tidy(exact_up_to=100)
    found = table.find_near(vectors[7], 50)
    near = vectors[[int(name[1:]) for name in table.take(found, ["product_id"])["product_id"].to_pylist()]]
    assert np.median(near @ vectors[7]) > 0.999
    assert len(set(found.tolist())) == 50


@pytest.mark.parametrize("left", [schema(2), schema(3), pa.schema([("a", pa.int32())])])
def test_an_empty_table_gives_way_to_a_new_one(tmp_path: Path, left: pa.Schema) -> None:
    lancedb.connect(tmp_path / FOLDER).create_table(TABLE, schema=left)
    table = ViewTable.create(tmp_path, 2)
    table.upsert(rows(["a"]), ["a"], new=True)
    assert table.newest().rows_in_memory(whole=True)["product_id"].to_pylist() == ["a"]


def test_a_table_whose_making_was_cut_off_is_made(tmp_path: Path) -> None:
    ViewTable.create(tmp_path, 3)
    for version in (tmp_path / FOLDER).rglob("_versions/*"):
        version.unlink()
    table = ViewTable.create(tmp_path, 2)
    table.upsert(rows(["a"]), ["a"], new=True)
    assert [*table.newest().contents()] == ["a"]


def test_rows_do_not_give_way_to_a_new_table(table: ViewTable) -> None:
    with pytest.raises(SearchIndexError, match=r"has no index.json, but a table that holds rows.*remove .*/table to"):
        ViewTable.create(table.folder, 3)
    assert set(table.newest().contents()) == {"a", "b"}


def test_a_damaged_table_does_not_give_way_to_a_new_one(tmp_path: Path) -> None:
    ViewTable.create(tmp_path, 2)
    for version in (tmp_path / FOLDER).rglob("*.manifest"):
        version.write_bytes(b"x" * 100)
    with pytest.raises(SearchIndexError, match="or is damaged"):
        ViewTable.create(tmp_path, 2)


def test_rows_whose_versions_are_lost_do_not_give_way(table: ViewTable) -> None:
    for version in (table.folder / FOLDER).rglob("_versions/*"):
        version.unlink()
    data = table.folder / FOLDER / f"{TABLE}.lance" / "data"
    before = sorted(data.iterdir())
    with pytest.raises(SearchIndexError, match="or is damaged"):
        ViewTable.create(table.folder, 2)
    assert before == sorted(data.iterdir()) != []


def test_no_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(SearchIndexError, match="is lost or damaged"):
        ViewTable.open(tmp_path)


def test_a_lost_file_is_told(table: ViewTable) -> None:
    ids = table.rows_in_memory(whole=False)["_rowid"].to_numpy()
    for data in (table.folder / FOLDER).rglob("*.lance"):
        if data.is_file():
            data.unlink()
    with pytest.raises(SearchIndexError, match="is lost or damaged"):
        ViewTable.open(table.folder).take(ids, ["record"])
    shutil.rmtree(table.folder / FOLDER)
    with pytest.raises(SearchIndexError, match="is lost or damaged"):
        ViewTable.open(table.folder)
