"""Nothing is lost by kill -9, whether an indexing is killed or what writes to an index."""

import csv
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pytest

from fashionbert.catalogue import Catalogue, open_catalogue
from fashionbert.catalogue.synthetic import write_world
from fashionbert.search import IndexOptions, Query, SearchEngine, index_catalogue
from fashionbert.search.rows import fetch
from fashionbert.search.table import ViewTable, schema
from fashionbert.types import Product

pytestmark = pytest.mark.slow
FP32 = IndexOptions(precision="fp32")
Moment: TypeAlias = tuple[str, int, str]
NEW: list[Moment] = [
    ("add", 1, "torn"),
    ("add", 1, "data"),
    ("add", 2, "_transactions"),
    ("optimize", 1, "data"),
    ("optimize", 2, "data"),
]
CHANGED: list[Moment] = [
    ("merge_insert", 1, "torn"),
    ("merge_insert", 1, "data"),
    ("merge_insert", 2, "_transactions"),
    ("merge_insert", 1, "after"),
    ("optimize", 1, "data"),
]


def test_an_indexing_that_is_killed_goes_on_and_ends_as_if_it_had_not_been(
    world: Path, make_run: Callable[..., Path], tmp_path: Path
) -> None:
    catalogue, run, killed = open_catalogue(world), make_run(tmp_path / "run"), tmp_path / "killed"
    program = Path(__file__).with_name("killed_indexing.py")
    done = 0
    for kill_at in (20, 41):
        words = [world, run, killed, kill_at]
        ended = subprocess.run([sys.executable, program, *map(str, words)], capture_output=True, check=False)
        assert ended.returncode == -9, ended.stderr.decode()
        engine = SearchEngine.open(killed)  # searches at any moment
        assert done < len(engine.shelf.place_of) < len(catalogue)
        assert engine.search(Query(text="red dress")).hits
        done = len(engine.shelf.place_of)
    state = index_catalogue(catalogue, killed, model=run, options=FP32)
    assert (state.unchanged, state.written) == (done, len(catalogue) - done)
    index_catalogue(catalogue, tmp_path / "whole", model=run, options=FP32)
    one, other = SearchEngine.open(killed), SearchEngine.open(tmp_path / "whole")
    assert one.shelf.place_of.keys() == other.shelf.place_of.keys()
    for query in (
        Query(text="red dress"),
        Query(text="shirt", words=False),
        Query(more_like=(catalogue[0].product_id,)),
    ):
        found, expected = one.search(query), other.search(query)
        assert [hit.recall for hit in found.hits] == pytest.approx([hit.recall for hit in expected.hits], abs=1e-5)
        assert found.matches == expected.matches


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic shop of 30 products with 43 pictures."""
    return write_world(tmp_path_factory.mktemp("small"), groups=30, seed=1)


@pytest.fixture(scope="module")
def changed(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with other words, in each product."""
    folder = tmp_path_factory.mktemp("changed")
    (folder / "images").symlink_to(small / "images")
    for name in ("train.csv", "validation.csv"):
        with (small / name).open(encoding="utf-8", newline="") as file:
            rows = [{**row, "text": f"New: {row['text']}"} for row in csv.DictReader(file)]
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("model") / "run")


def commits(catalogue: Catalogue) -> list[list[Product]]:
    """Products that are written together: of eight pictures, or a few more."""
    made: list[list[Product]] = [[]]
    for product in catalogue:
        if sum(len(each.pictures) for each in made[-1]) >= 8:
            made.append([])
        made[-1].append(product)
    return made


def contents(products: Iterable[Product]) -> dict[str, str]:
    return {
        f"{product.product_id}/{view}": fetch(product, 8).content
        for product in products
        for view in range(len(product.pictures))
    }


def committed(index: Path, before: Catalogue | None, after: Catalogue) -> int:
    """Count the commits of an index, which has the products of those whole, each once, and the others as before."""
    rows = ViewTable.open(index)._scan(["view_id", "content"])
    found = dict(zip(rows["view_id"].to_pylist(), rows["content"].to_pylist(), strict=True))
    assert len(found) == len(rows)
    expected = contents(before or [])
    states = [expected]
    for commit in commits(after):
        states.append({**states[-1], **contents(commit)})
    return states.index(found)


def index_until(moment: Moment, catalogue: Path, run: Path, index: Path) -> None:
    words = [*moment, index, "index", catalogue, "--model", run, "--out", index, "--device", "cpu"]
    program = Path(__file__).parents[1] / "killed_inside.py"
    ended = subprocess.run(
        [sys.executable, program, *map(str, words), "--precision", "fp32"], capture_output=True, check=False
    )
    by = signal.SIGXFSZ if moment[-1] == "torn" else signal.SIGKILL
    assert ended.returncode == -by, ended.stderr.decode()


def whole(index: Path) -> pa.Table:
    """All rows in order, but for the records, whose last bits differ with the pictures they were read among."""
    columns = [field.name for field in schema(8) if field.name != "record"]
    return ViewTable.open(index)._scan(columns).select(columns).sort_by("view_id")


@pytest.mark.parametrize("is_new", [True, False], ids=["a new index", "an index that is brought up to date"])
def test_a_kill_inside_a_write_leaves_what_was_committed(
    small: Path, changed: Path, run: Path, tmp_path: Path, is_new: bool
) -> None:
    killed, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    before, after = None if is_new else open_catalogue(small), open_catalogue(changed)
    if before is not None:
        for index in (killed, undisturbed):
            index_catalogue(before, index, model=run, options=FP32)
    done = 0
    for name, number, when in NEW if is_new else CHANGED:
        index_until((name, number, when), changed, run, killed)
        sure = possible = len(commits(after))
        if name in ("add", "merge_insert"):
            sure, possible = done + number - (when != "after"), done + number - (when == "torn")
        done = committed(killed, before, after)
        assert sure <= done <= possible
        assert bool(SearchEngine.open(killed).search(Query(text="red dress")).hits) == bool(before or done)
    for index in (killed, undisturbed):
        index_catalogue(after, index, model=run, options=FP32)
    one, other = whole(killed), whole(undisturbed)
    assert one.drop_columns("vector") == other.drop_columns("vector")
    np.testing.assert_allclose(one["vector"].to_pylist(), other["vector"].to_pylist(), atol=1e-5)
