import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fashionbert.catalogue import open_catalogue
from fashionbert.config import CatalogueSettings
from fashionbert.errors import CatalogueError

Shop = Callable[..., Path]
SHARED = Path(os.environ.get("FASHIONBERT_SHARED", "../shared"))
ROWS = [{"id": number, "image": f"{number}.jpg", "text": f"T{number}", "group": number // 2} for number in range(40)]
PICTURES = [f"{number}.jpg" for number in range(40)]


def test_a_catalogue_without_splits_gets_one_by_group(shop: Shop) -> None:
    folder = shop(ROWS, pictures=PICTURES)
    catalogue = open_catalogue(folder, CatalogueSettings(validation_share=0.2))
    assert catalogue.splits == {"train": 32, "validation": 8}
    splits = catalogue.column("split")
    assert all(len({splits[place] for place in places}) == 1 for places in catalogue.products_by_group.values())
    other = open_catalogue(folder, CatalogueSettings(validation_share=0.2, split_seed=1))
    assert other.column("split") != splits
    assert catalogue.data_hash != other.data_hash


def test_the_hash_stays_when_the_folder_moves_and_changes_with_a_picture(shop: Shop, tmp_path: Path) -> None:
    folder = shop(ROWS, pictures=PICTURES)
    moved = shutil.copytree(folder, tmp_path / "moved" / "here")
    before = open_catalogue(folder).data_hash
    assert open_catalogue(moved).data_hash == before
    (moved / "3.jpg").write_bytes(b"another size")
    assert open_catalogue(moved).data_hash != before


def test_tables_in_a_data_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "products.jsonl").write_text(json.dumps({**ROWS[0], "image": "x.jpg"}))
    (tmp_path / "data" / "x.jpg").write_bytes(b"x")
    assert open_catalogue(tmp_path)[0].pictures[0].read() == b"x"


def test_several_formats_need_a_choice(shop: Shop) -> None:
    folder = shop(ROWS, pictures=PICTURES)
    (folder / "extra.csv").write_text("id,image,text\n1,1.jpg,csv\n")
    with pytest.raises(CatalogueError, match=r"choose one: format=csv\|jsonl"):
        open_catalogue(folder)
    assert len(open_catalogue(folder, CatalogueSettings(format="jsonl"))) == 40
    assert open_catalogue(folder, CatalogueSettings(format="csv")).column("text") == ["csv"]
    assert open_catalogue(folder / "extra.csv").column("text") == ["csv"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "(?s)there is no file or folder .*set format=hub"),
        ("empty", "holds no Parquet, CSV, JSONL or HDF5 table"),
        ("table.xlsx", r"(?s)cannot tell the format .*name it: format=csv\|fashiongen\|jsonl\|parquet"),
    ],
)
def test_paths_that_are_no_catalogue(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "table.xlsx").write_bytes(b"x")
    with pytest.raises(CatalogueError, match=message):
        open_catalogue(tmp_path / name)


def test_all_faults_of_columns_and_template_come_at_once(shop: Shop) -> None:
    settings = CatalogueSettings(columns={"product_id": "sku", "color": "text"}, text="{title} {colour!r}")
    with pytest.raises(CatalogueError) as caught:
        open_catalogue(shop(ROWS, pictures=PICTURES), settings)
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "columns.product_id = 'sku'", "columns.color = 'text'", "text template", "text template",
    ]  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "splits"),
    [("hm", {"train": 8600, "validation": 1570}), ("myntra", {"train": 8469, "validation": 1323})],
)
def test_real_catalogues_open_whole(name: str, splits: dict[str, int]) -> None:
    catalogue = open_catalogue(SHARED / "data" / name)
    assert catalogue.splits == splits
    assert catalogue.faults == ()
    assert len(set(catalogue.column("product_id"))) == len(catalogue)
    assert not set(catalogue.split("train").column("group_id")) & set(catalogue.split("validation").column("group_id"))
    for place in (0, len(catalogue) // 2, len(catalogue) - 1):
        picture = catalogue[place].pictures[0].read()
        assert isinstance(picture, bytes)
        assert picture[:2] == b"\xff\xd8"
