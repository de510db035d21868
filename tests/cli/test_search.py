"""``fashionbert index``, ``search`` and ``calibrate``, as the shell calls them."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from fashionbert.search import Query, SearchEngine

Command: TypeAlias = Callable[..., tuple[int, str, str]]


def cells(output: str) -> dict[str, str]:
    rows = [[cell.strip() for cell in line.strip(" │").split("│")] for line in output.splitlines() if "│" in line]
    return {row[0]: row[1] for row in rows if len(row) == 2}


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("model") / "run")


def test_index_and_index_again(command: Command, world: Path, run: Path, tmp_path: Path) -> None:
    words = ["index", world, "--model", run, "--out", tmp_path / "index", "--device", "cpu"]
    code, out, _ = command(*words)
    assert code == 0
    found = cells(out)
    products = int(found["products"])
    assert found["made or made anew"] == str(products)
    assert len(SearchEngine.open(tmp_path / "index").shelf.place_of) == products
    lines = (world / "validation.csv").read_text("utf-8").splitlines()
    shutil.copytree(world, tmp_path / "smaller")
    (tmp_path / "smaller" / "validation.csv").write_text("\n".join(lines[:-2]) + "\n", "utf-8")
    words[1] = tmp_path / "smaller"
    code, out, _ = command(*words, "--prune")
    assert code == 0
    assert (cells(out)["unchanged"], cells(out)["deleted"]) == (str(products - 2), "2")


def test_search_answers_programs_and_people(
    command: Command, shop_index: Path, pictures: list[bytes], tmp_path: Path
) -> None:
    (tmp_path / "photo.png").write_bytes(pictures[0])
    words = ["--image", tmp_path / "photo.png", "--not", "sleeves", "--filter", "price < 50", "--more-like", "d3"]
    code, out, _ = command("search", shop_index, "red dress", *words, "--top", "2", "--device", "cpu", "--json")
    assert code == 0
    answer = json.loads(out)
    query = Query(
        text="red dress", image=pictures[0], unwanted=("sleeves",), filter="price < 50", more_like=("d3",), top=2
    )
    expected = SearchEngine.open(shop_index).search(query)
    assert [hit["product_id"] for hit in answer["hits"]] == [hit.product_id for hit in expected.hits]
    assert answer["hits"][0]["probability"] == pytest.approx(expected.hits[0].probability, abs=1e-5)
    assert answer["matches"] == expected.matches
    code, out, _ = command("search", shop_index, "red dress", "--device", "cpu")
    assert code == 0
    assert "5 of 5 cards" in out
    assert "red linen dress" in " ".join(out.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--filter", "cost < 5"], "cost"),
        (["--filter", "price <"], "price <"),
        (["--filter", "1=1; DROP TABLE views"], "error"),
        (["--more-like", "nobody"], "no product 'nobody' in the index"),
        (["--image", "nothing.jpg"], "nothing.jpg"),
        (["--not", " "], "not is empty"),
        (["x" * 10_001], "10,001 characters"),
    ],
)
def test_what_cannot_be_asked_is_told_in_words(
    command: Command, shop_index: Path, words: list[str], message: str
) -> None:
    code, out, complaint = command("search", shop_index, *words, "--device", "cpu")
    assert (code, out) == (2, "")
    assert complaint.startswith("error: ")
    assert message in complaint
    assert "Traceback" not in complaint


def test_no_index_and_no_model(command: Command, own_index: Path, world: Path, tmp_path: Path) -> None:
    code, _, complaint = command("search", tmp_path, "red")
    assert code == 2
    assert "has no index.json" in complaint
    code, _, complaint = command("search", own_index, "red", "--model", tmp_path / "gone")
    assert code == 2
    assert "gone" in complaint
    code, _, complaint = command("index", world, "--model", tmp_path / "gone", "--out", tmp_path / "new")
    assert code == 2
    assert not (tmp_path / "new" / "index.json").exists()


def test_a_file_where_the_index_should_be(command: Command, world: Path, run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    code, _, complaint = command("index", world, "--model", run, "--out", tmp_path / "file", "--device", "cpu")
    assert code == 2
    assert f"error: {tmp_path / 'file'}" in complaint
    assert (tmp_path / "file").read_text() == "mine"


def test_a_product_id_that_comes_again_is_told_and_the_first_is_indexed(
    command: Command, run: Path, world: Path, tmp_path: Path
) -> None:
    shutil.copytree(world, tmp_path / "twice")
    table = tmp_path / "twice" / "validation.csv"
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first, again = rows[0], {**rows[0], "text": "another text"}
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, first)
        writer.writeheader()
        writer.writerows([*rows, again])
    code, out, complaint = command(
        "index", tmp_path / "twice", "--model", run, "--out", tmp_path / "index", "--device", "cpu"
    )
    assert code == 0
    assert "an earlier row has the same product id: make them differ" in " ".join((out + complaint).split())
    texts = {view["text"] for view in SearchEngine.open(tmp_path / "index").views(first["product_id"])}
    assert texts == {first["text"]}


def test_calibrate_writes_what_searches_then_show(command: Command, world: Path, run: Path, tmp_path: Path) -> None:
    command("index", world, "--model", run, "--out", tmp_path / "index", "--device", "cpu")
    code, out, _ = command(
        "calibrate", tmp_path / "index", "--catalogue", world, "--precision", "0.5", "--device", "cpu"
    )
    assert code == 0
    assert "half of them with their product" in " ".join(out.split())
    engine = SearchEngine.open(tmp_path / "index")
    assert engine.is_calibrated
    assert all(hit.confidence is not None for hit in engine.search(Query(text="red dress")).hits)
    code, out, _ = command("search", tmp_path / "index", "red dress", "--device", "cpu")
    assert "match" in out


def test_nothing_to_calibrate_on(command: Command, shop_index: Path, world: Path) -> None:
    code, _, complaint = command("calibrate", shop_index, "--catalogue", world, "--device", "cpu")
    assert code == 2
    assert "none of the products to calibrate on has words" in complaint
