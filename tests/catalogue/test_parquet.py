import multiprocessing
import pickle
from collections.abc import Callable
from pathlib import Path

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fashionbert.catalogue import Catalogue, open_catalogue
from fashionbert.config import CatalogueSettings
from fashionbert.errors import CatalogueError, PictureError

Bytes = Callable[..., bytes]
WHOLE = CatalogueSettings(validation_share=0)


def write(path: Path, images: pa.Array, row_group_size: int | None = None, **columns: list[object]) -> None:
    count = len(images)
    table = {"product_id": list(range(count)), "text": [f"text {n}" for n in range(count)], **columns, "image": images}
    pq.write_table(pa.table(table), path, row_group_size=row_group_size)


def read_all(catalogue: Catalogue) -> list[object]:
    return [product.pictures[0].read() for product in catalogue]


def test_a_data_set_that_datasets_wrote(tmp_path: Path, picture: Bytes) -> None:
    pictures = [picture(seed) for seed in range(3)]
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "image": datasets.Image(),
            "caption": datasets.Value("string"),
            "category": datasets.ClassLabel(names=["Shoes", "Coats"]),
        }
    )
    rows = {
        "id": ["a", "b", "c"],
        "image": [{"bytes": data, "path": None} for data in pictures],
        "caption": ["A", "B", "C"],
        "category": [1, 0, -1],
    }
    datasets.Dataset.from_dict(rows, features).to_parquet(tmp_path / "test-00000-of-00001.parquet")
    catalogue = open_catalogue(tmp_path)
    assert catalogue.splits == {"test": 3}
    assert catalogue.column("category") == ["Coats", "Shoes", ""]
    assert read_all(catalogue) == pictures
    assert catalogue[1].pictures[0].name == "test-00000-of-00001.parquet row 2"


@pytest.mark.parametrize("row_group_size", [3, 300, 2000])
def test_pictures_by_row_in_any_order_over_shards_and_row_groups(tmp_path: Path, row_group_size: int) -> None:
    """Row groups below, at and above the piece of 256 rows that is read at once."""
    for shard in range(2):
        images = pa.array([f"{shard}:{n}".encode() for n in range(700)], pa.binary())
        ids = [f"{shard}:{n}" for n in range(700)]
        write(tmp_path / f"train-{shard}.parquet", images, row_group_size, product_id=[*ids])
    catalogue = open_catalogue(tmp_path, WHOLE)
    assert len(catalogue) == 1400
    for place in (1399, 0, 5, 699, 700, 3, 1000, 998, 256, 255, 1399):
        product = catalogue[place]
        assert product.pictures[0].read() == product.product_id.encode()
        shard, row = product.product_id.split(":")
        assert product.pictures[0].name == f"train-{shard}.parquet row {int(row) + 1}"
    assert read_all(catalogue) == [i.encode() for i in catalogue.column("product_id")]


def test_a_table_of_pandas_with_paths(tmp_path: Path, picture: Bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(picture())
    frame = pd.DataFrame(
        {
            "product_id": [10.0, 11.0, None],
            "image": ["a.jpg", "none.jpg", "a.jpg"],
            "text": ["A", "B", "C"],
            "price": [1.5, None, 2.0],
            "sold": pd.Series(["x", "x", "y"], dtype="category"),
            "vector": [[0.5, 1.0]] * 3,
        }
    )
    frame.to_parquet(tmp_path / "products.parquet")
    catalogue = open_catalogue(tmp_path, WHOLE)
    assert catalogue.column("product_id") == ["10"]
    assert dict(catalogue[0].attributes) == {"price": "1.5", "sold": "x"}
    assert {fault.product_id: fault.reason for fault in catalogue.faults} == {"11": "missing-picture", "": "empty-id"}
    assert read_all(catalogue) == [picture()]


def test_several_pictures_in_a_row(tmp_path: Path) -> None:
    values = [
        [{"bytes": b"front", "path": None}, {"bytes": b"back", "path": None}],
        [],
        None,
        [{"bytes": b"x", "path": None}],
    ]
    kind = pa.list_(pa.struct({"bytes": pa.binary(), "path": pa.string()}))
    write(tmp_path / "products.parquet", pa.array(values, kind))
    catalogue = open_catalogue(tmp_path, WHOLE)
    assert catalogue.column("product_id") == ["0", "3"]
    assert [[picture.read() for picture in product.pictures] for product in catalogue] == [[b"front", b"back"], [b"x"]]
    assert [picture.name for picture in catalogue[0].pictures] == [
        "products.parquet row 1", "products.parquet row 1 picture 2",
    ]  # fmt: skip
    assert [fault.reason for fault in catalogue.faults] == ["no-picture", "no-picture"]


def test_a_path_stands_in_for_bytes_but_stays_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"a")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    paths = ["a.jpg", "../secret.jpg", None, "none.jpg"]
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    write(folder / "products.parquet", pa.array([{"bytes": None, "path": path} for path in paths], kind))
    good, *bad = open_catalogue(folder, WHOLE)
    assert good.pictures[0].read() == b"a"
    for product in bad:
        with pytest.raises(PictureError, match=r"outside the image folder|no picture in this row|no such file"):
            product.pictures[0].read()


def test_shards_without_a_column_of_the_others_are_empty_there(tmp_path: Path) -> None:
    write(tmp_path / "train.parquet", pa.array([b"0"]), colour=["red"])
    write(tmp_path / "validation.parquet", pa.array([b"1"]), product_id=["x"])
    catalogue = open_catalogue(tmp_path)
    assert catalogue.column("colour") == ["red", ""]
    assert catalogue.column("product_id") == ["0", "x"]


def test_a_file_cut_short_is_named(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", pa.array([b"0"]))
    whole = (tmp_path / "train-0.parquet").read_bytes()
    (tmp_path / "train-1.parquet").write_bytes(whole[:-20])
    (tmp_path / "train-2.parquet").write_bytes(b"")
    with pytest.raises(CatalogueError) as caught:
        open_catalogue(tmp_path)
    assert [fault.split()[0] for fault in caught.value.faults] == ["train-1.parquet", "train-2.parquet"]


def test_a_picture_of_a_file_that_is_gone_is_a_picture_error(tmp_path: Path) -> None:
    write(tmp_path / "products.parquet", pa.array([b"0"]))
    catalogue = open_catalogue(tmp_path, WHOLE)
    (tmp_path / "products.parquet").unlink()
    with pytest.raises(PictureError, match=r"products\.parquet row 1: cannot be read"):
        catalogue[0].pictures[0].read()


def test_a_column_that_is_no_text_cannot_be_a_field(tmp_path: Path) -> None:
    write(tmp_path / "products.parquet", pa.array([b"0"]), vector=[[1.0, 2.0]])
    with pytest.raises(CatalogueError, match=r"text: column 'vector' holds list<.*which is no text"):
        open_catalogue(tmp_path, CatalogueSettings(columns={"text": "vector"}))


def _first_bytes(catalogue: Catalogue) -> list[object]:
    return read_all(catalogue.subset(range(0, len(catalogue), 7)))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_pictures_are_read_in_other_processes(tmp_path: Path) -> None:
    images = pa.array([f"{n}".encode() for n in range(600)], pa.binary())
    write(tmp_path / "products.parquet", images, 100)
    catalogue = open_catalogue(tmp_path, WHOLE)
    expected = _first_bytes(catalogue)
    assert _first_bytes(pickle.loads(pickle.dumps(catalogue))) == expected
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(_first_bytes, [catalogue] * 2) == [expected, expected]
