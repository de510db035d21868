"""A version that is made of the former one is the version itself."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from fashionbert.search import held
from fashionbert.search.held import HeldRows, read_rows, renewed_rows
from fashionbert.search.shelf import Shelf
from fashionbert.search.table import ViewTable, schema
from fashionbert.search.words import word_ids


def rows(generator: np.random.Generator, ids: Iterable[str]) -> pa.Table:
    """Rows of products with one to three pictures; colours, and now and then a price or an attribute of their own."""
    columns: dict[str, list[object]] = {field.name: [] for field in schema(2)}
    for product_id in ids:
        written = str(generator.integers(1000))
        attributes = {"colour": str(generator.choice(["red", "blue", "green"]))}
        attributes |= {"price": written} if generator.random() < 0.5 else {}
        attributes |= {f"only {product_id}": "x"} if generator.random() < 0.2 else {}
        for view in range(int(generator.integers(1, 4))):
            columns["view_id"].append(f"{product_id}/{view}")
            columns["product_id"].append(product_id)
            columns["view"].append(view)
            columns["group_id"].append(str(generator.choice(["", "g1", "g2"])))
            columns["text"].append(f"text {written}")
            columns["words"].append(word_ids(f"text {written}"))
            columns["category"].append("")
            columns["subcategory"].append(str(generator.choice(["Dress", "Shirt"])))
            columns["attributes"].append(json.dumps(attributes))
            columns["picture"].append(f"picture {view}")
            columns["content"].append(written)
            columns["thumbnail"].append(b"t")
            columns["vector"].append(generator.normal(size=2))
            columns["record"].append(b"r")
    return pa.table({name: pa.array(columns[name], schema(2).field(name).type) for name in columns}, schema(2))


def make_table(folder: Path, seed: int) -> ViewTable:
    table = ViewTable.create(folder, 2)
    ids = [f"p{number}" for number in range(60)]
    table.upsert(rows(np.random.default_rng(seed), ids), ids, new=True)
    return table


def values_of(found: HeldRows) -> dict[str, list[str | None]]:
    """Value of every row under each attribute."""
    return {
        name: [None if code < 0 else column.values[code] for code in column.codes.tolist()]
        for name, column in found.columns.items()
    }


def check_equal(made: HeldRows, whole: HeldRows) -> None:
    assert made.row_ids.tolist() == whole.row_ids.tolist()
    assert made.rows.equals(whole.rows)
    assert made.words.to_pylist() == whole.words.to_pylist()
    assert made.vectors is not None
    assert whole.vectors is not None
    assert made.vectors.tolist() == whole.vectors.tolist()
    assert values_of(made) == values_of(whole)
    for name, column in made.columns.items():
        assert sorted(column.values) == sorted(whole.columns[name].values)
        assert sorted(map(str, column.numbers)) == sorted(map(str, whole.columns[name].numbers))


@pytest.mark.parametrize("seed", range(4))
def test_after_any_writes_it_is_what_a_whole_reading_gives(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "_MOST_NEW", 1.0)
    generator = np.random.default_rng(seed)
    table = make_table(tmp_path, seed)
    former = read_rows(table.pinned(), whole=True)
    for number in range(8):
        if generator.random() < 0.3:
            table.delete([f"p{each}" for each in generator.choice(60, 5, replace=False)])
        else:
            ids = [f"p{each}" for each in generator.choice(70, int(generator.integers(1, 6)), replace=False)]
            table.upsert(rows(generator, ids), ids, new=False)
        if number == 5:
            table.tidy(10**6)  # rows move to other files, and all their ids are new
        pinned = table.newest().pinned()
        made = renewed_rows(former, pinned)
        assert made is not None
        check_equal(made, read_rows(pinned, whole=True))
        former = made


def test_where_most_is_new_all_is_read(tmp_path: Path) -> None:
    table = make_table(tmp_path, 0)
    former = read_rows(table.pinned(), whole=True)
    ids = [f"p{number}" for number in range(20)]
    table.upsert(rows(np.random.default_rng(1), ids), ids, new=False)
    assert renewed_rows(former, table.newest().pinned()) is None


def test_an_index_that_was_made_anew_is_not_taken_for_the_former_one(tmp_path: Path) -> None:
    """Its row ids count from 0 again."""
    former = read_rows(make_table(tmp_path / "one", 0).pinned(), whole=True)
    other = make_table(tmp_path / "other", 7).newest().pinned()
    assert set(former.row_ids.tolist()) & set(other.identities()["_rowid"].to_pylist())
    made = renewed_rows(former, other)
    assert made is None  # hardly any picture of it is of the same content


def test_a_shelf_goes_on_from_the_former_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = make_table(tmp_path, 0)
    shelf = Shelf.of(table, exact_up_to=1000)
    table.upsert(rows(np.random.default_rng(1), ["new"]), ["new"], new=False)
    monkeypatch.setattr("fashionbert.search.shelf.read_rows", None)  # nothing is read whole any more
    after = Shelf.of(table, exact_up_to=1000, former=shelf)
    assert set(after.place_of) == {*shelf.place_of, "new"}
    assert after.version > shelf.version
    assert after.cards_of(after.rows_of("new"))[0]["text"].startswith("text ")
