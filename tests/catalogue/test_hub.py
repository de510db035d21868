import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import datasets
import datasets.config
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fashionbert.catalogue import open_catalogue
from fashionbert.config import CatalogueSettings
from fashionbert.errors import CatalogueError, MissingExtraError

HUB = CatalogueSettings(format="hub")
Bytes = Callable[..., bytes]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def write(folder: Path, split: str, pictures: list[bytes]) -> None:
    folder.mkdir(exist_ok=True)
    features = datasets.Features(
        {"sku": datasets.Value("int64"), "photo": datasets.Image(), "text": datasets.Value("string")}
    )
    rows = {
        "sku": [len(split) * 1000 + number for number in range(len(pictures))],
        "photo": [{"bytes": data, "path": None} for data in pictures],
        "text": [f"{split} {number}" for number in range(len(pictures))],
    }
    datasets.Dataset.from_dict(rows, features).to_parquet(folder / f"{split}-00000-of-00001.parquet")


def test_a_folder_of_shards(tmp_path: Path, picture: Bytes) -> None:
    pictures = [picture(seed) for seed in range(5)]
    write(tmp_path / "shop", "train", pictures[:3])
    write(tmp_path / "shop", "validation", pictures[3:])
    catalogue = open_catalogue(tmp_path / "shop", HUB)
    assert catalogue.splits == {"train": 3, "validation": 2}
    assert [product.pictures[0].read() for product in catalogue] == pictures
    assert catalogue[4].pictures[0].name == "validation row 2"
    assert catalogue.column("text") == ["train 0", "train 1", "train 2", "validation 0", "validation 1"]


def test_a_folder_of_image_files_with_metadata(tmp_path: Path, picture: Bytes) -> None:
    folder = tmp_path / "shop" / "train"
    folder.mkdir(parents=True)
    rows = []
    for number in range(2):
        (folder / f"{number}.jpg").write_bytes(picture(number))
        rows.append({"file_name": f"{number}.jpg", "id": f"p{number}", "caption": f"caption {number}"})
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    catalogue = open_catalogue(tmp_path / "shop", HUB.model_copy(update={"validation_share": 0}))
    assert [product.pictures[0].read() for product in catalogue] == [picture(0), picture(1)]
    assert catalogue.column("product_id") == ["p0", "p1"]
    assert catalogue.column("text") == ["caption 0", "caption 1"]


def test_the_hash_does_not_depend_on_the_folder_but_on_the_pictures(tmp_path: Path, picture: Bytes) -> None:
    for folder, seed in (("one", 0), ("two", 0), ("three", 5)):
        write(tmp_path / folder, "train", [picture(seed)])
    one, two, three = (open_catalogue(tmp_path / folder, HUB).data_hash for folder in ("one", "two", "three"))
    assert one == two
    assert one != three


def test_a_data_set_without_pictures_says_so(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    pq.write_table(pa.table({"id": ["1"], "image": ["a.jpg"], "text": ["T"]}), tmp_path / "shop" / "train.parquet")
    with pytest.raises(CatalogueError, match="columns of pictures: none"):
        open_catalogue(tmp_path / "shop", HUB)


def test_an_unknown_name_says_so(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"cannot load data set .*missing"):
        open_catalogue(tmp_path / "missing", HUB)


def test_without_datasets_the_message_has_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'fashionbert\[hub\]'"):
        open_catalogue("owner/name", HUB)
