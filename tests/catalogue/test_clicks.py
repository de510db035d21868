"""Click logs: files we read, and logs of shoppers that never were."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fashionbert.catalogue import Catalogue, open_catalogue
from fashionbert.catalogue.click_model import ALL, HAS, KIND, NEITHER, ClickModel, ceiling, simulate_clicks
from fashionbert.catalogue.clicks import ClickLog, read_clicks, write_clicks
from fashionbert.errors import CatalogueError

ROWS = [("red dress", "007", 1, "a"), ("red dress", "8", 0, "a"), ("shirt, long", "9", 1, "b")]


def written(path: Path) -> Path:
    names = ("query", "product_id", "clicked", "session")
    if path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in ROWS))
    elif path.suffix == ".csv":
        lines = [",".join(f'"{cell}"' for cell in row) for row in ROWS]
        path.write_text("\n".join([",".join(names), *lines]) + "\n")
    else:
        pq.write_table(pa.table({name: [row[place] for row in ROWS] for place, name in enumerate(names)}), path)
    return path


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "log.parquet"])
def test_every_kind_of_file_gives_the_same_log(tmp_path: Path, name: str) -> None:
    log = read_clicks(written(tmp_path / name))
    assert log.queries == ["red dress", "red dress", "shirt, long"]
    assert log.product_ids == ["007", "8", "9"]
    assert log.clicked.tolist() == [True, False, True]
    assert log.sessions[0] == log.sessions[1] != log.sessions[2]


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("query,product_id,clicked\nred,1,yes\n,2,1\nblue,,0\n")
    with pytest.raises(CatalogueError, match="is no click log") as raised:
        read_clicks(tmp_path / "log.csv")
    assert raised.value.faults == (
        "1 rows have no query: row 2",
        "1 rows have no product_id: row 3",
        "1 rows have another clicked than 0 or 1, such as 'yes': row 1",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("query,clicked\nred,1\n", "no column 'product_id'"),
        ("query,product_id,clicked\n", "no rows"),
        ("", "cannot be"),
    ],
)
def test_what_is_no_log(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(CatalogueError) as raised:
        read_clicks(tmp_path / "log.csv")
    assert message in str(raised.value)
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_clicks(tmp_path / "gone.parquet")


def test_sessions_stay_together() -> None:
    sessions = np.repeat(np.arange(50), 4)
    log = ClickLog([f"q{session}" for session in sessions], ["p"] * 200, np.zeros(200, np.bool_), sessions)
    learnt, held_out = log.split(0.2, np.random.default_rng(0))
    assert len(held_out) == 40
    assert not set(learnt.sessions.tolist()) & set(held_out.sessions.tolist())
    assert sorted([*learnt.sessions, *held_out.sessions]) == sorted(sessions)


@pytest.fixture(scope="module")
def shop(world: Path) -> Catalogue:
    return open_catalogue(world)


def simulated(shop: Catalogue, model: ClickModel | None = None, seed: int = 0, sessions: int = 1500) -> pa.Table:
    return simulate_clicks(shop, sessions, model or ClickModel(), np.random.default_rng(seed))


def test_half_of_the_rows_are_clicks_and_the_same_seed_gives_the_same(shop: Catalogue) -> None:
    log = simulated(shop)
    assert sum(log["clicked"].to_pylist()) == len(log) / 2
    assert log.equals(simulated(shop))
    assert not log.equals(simulated(shop, seed=1))
    by_session = Counter(zip(log["session"].to_pylist(), log["clicked"].to_pylist(), strict=True))
    assert all(by_session[session, 0] == by_session[session, 1] for session in set(log["session"].to_pylist()))


def test_has_is_what_the_product_has(shop: Catalogue) -> None:
    products = {product.product_id: product for product in shop}
    for row in simulated(shop, sessions=200).to_pylist():
        product = products[row["product_id"]]
        kind, colour = product.subcategory.lower(), product.attributes["colour"]
        says_kind = row["query"] == kind or row["query"].endswith(f" {kind}")
        assert (row[HAS] > NEITHER) == says_kind
        if row[HAS] == ALL and row["query"] != kind:
            named = row["query"].removesuffix(kind).strip()
            assert named in {colour, product.attributes["pattern"], f"{product.attributes['pattern']} {colour}"}


def test_what_has_more_is_clicked_more(shop: Catalogue) -> None:
    log = simulated(shop)
    has, clicked = log[HAS].to_numpy(), log["clicked"].to_numpy()
    shares = [clicked[has == each].mean() for each in (NEITHER, KIND, ALL)]
    assert shares[0] < shares[1] < shares[2]
    assert 0.7 < ceiling(log) < 0.95


def test_without_appeal_nobody_clicks_and_with_all_everybody_does(shop: Catalogue) -> None:
    none = simulated(shop, ClickModel(appeal={ALL: 0.0, KIND: 0.0, NEITHER: 0.0}), sessions=20)
    assert len(none) == 0
    sure = ClickModel(appeal={ALL: 1.0, KIND: 0.0, NEITHER: 0.0}, eta=0.0)
    log = simulated(shop, sure, sessions=100)
    assert ceiling(log) == 1.0
    assert log["clicked"].to_pylist() == [int(has == ALL) for has in log[HAS].to_pylist()]


def test_a_catalogue_without_the_columns_is_refused(shop: Catalogue) -> None:
    model = replace(ClickModel(), properties={"colour": 0.5, "fabric": 0.5})
    with pytest.raises(CatalogueError, match="by words of its columns") as raised:
        simulated(shop, model)
    assert "no column 'fabric'" in raised.value.faults[0]


@pytest.mark.parametrize("name", ["log.parquet", "log.csv"])
def test_a_simulated_log_is_read_as_it_was_written(shop: Catalogue, tmp_path: Path, name: str) -> None:
    table = simulated(shop, sessions=20)
    write_clicks(table, tmp_path / name)
    log = read_clicks(tmp_path / name)
    assert log.queries == table["query"].to_pylist()
    assert log.clicked.tolist() == [bool(each) for each in table["clicked"].to_pylist()]
