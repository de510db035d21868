import pickle
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from fashionbert.catalogue import open_catalogue
from fashionbert.config import CatalogueSettings
from fashionbert.errors import CatalogueError, MissingExtraError, PictureError

DESCRIPTIONS = ["Wool coat in noir.".encode("latin-1"), "Jupe plissée.".encode("latin-1"), "Jupe plissée.".encode()]


def write(path: Path, products: list[int], *, descriptions: list[bytes] | None = None, drop: str = "") -> None:
    """Write the fields of the challenge's files; picture n is filled with the value n."""
    count = len(products)
    pixels = np.repeat(np.arange(count, dtype=np.uint8), 256 * 256 * 3).reshape(count, 256, 256, 3)
    texts = descriptions or [DESCRIPTIONS[product % 3] for product in products]
    fields = {
        "index": np.arange(count).reshape(-1, 1),
        "index_2": np.arange(count).reshape(-1, 1),
        "input_productID": np.array(products, dtype=np.int64).reshape(-1, 1),
        "input_description": np.array(texts, dtype="S200").reshape(-1, 1),
        "input_name": np.array([b"NAME"] * count, dtype="S100").reshape(-1, 1),
        "input_category": np.array([b"SKIRTS"] * count, dtype="S60").reshape(-1, 1),
        "input_subcategory": np.array([b"SHORT SKIRTS"] * count, dtype="S60").reshape(-1, 1),
        "input_gender": np.array([b"Women"] * count, dtype="S10").reshape(-1, 1),
        "input_image": pixels,
    }
    with h5py.File(path, "w") as file:
        for name, values in fields.items():
            if name != drop:
                file[name] = values


@pytest.fixture
def fashiongen(tmp_path: Path) -> Path:
    write(tmp_path / "fashiongen_256_256_train.h5", [4, 3, 4, 5, 4])
    write(tmp_path / "fashiongen_256_256_validation.h5", [8, 8])
    return tmp_path


def test_angles_of_a_product_become_its_pictures(fashiongen: Path) -> None:
    catalogue = open_catalogue(fashiongen)
    assert catalogue.splits == {"train": 3, "validation": 1}
    assert catalogue.column("product_id") == ["4", "3", "5", "8"]
    assert catalogue.column("group_id") == ["4", "3", "5", "8"]
    values = [[picture.read()[0, 0, 0] for picture in product.pictures] for product in catalogue]  # pyright: ignore
    assert values == [[0, 2, 4], [1], [3], [0, 1]]
    names = [picture.name for picture in catalogue[3].pictures]
    assert names == ["fashiongen_256_256_validation.h5 row 1", "fashiongen_256_256_validation.h5 row 2"]
    assert catalogue.faults == ()


def test_byte_strings_are_utf8_or_latin1(fashiongen: Path) -> None:
    first, second, third, _ = open_catalogue(fashiongen)
    assert (first.text, second.text, third.text) == ("Jupe plissée.", "Wool coat in noir.", "Jupe plissée.")
    assert (first.category, first.subcategory) == ("SKIRTS", "SHORT SKIRTS")
    assert dict(first.attributes) == {"name": "NAME", "gender": "Women"}


def test_pictures_are_pixels_and_survive_a_pickle(fashiongen: Path) -> None:
    product = pickle.loads(pickle.dumps(open_catalogue(fashiongen)))[1]
    pixels = product.pictures[0].read()
    assert pixels.shape == (256, 256, 3)
    assert pixels.dtype == np.uint8


def test_a_template_reads_the_fields_without_their_prefix(fashiongen: Path) -> None:
    catalogue = open_catalogue(fashiongen, CatalogueSettings(text="{name}. {description}"))
    assert catalogue[1].text == "NAME. Wool coat in noir."


def test_an_angle_described_otherwise_is_set_aside(tmp_path: Path) -> None:
    write(tmp_path / "train.h5", [1, 1, 1, 2], descriptions=[b"A", b"B", b"A", b"C"])
    catalogue = open_catalogue(tmp_path, CatalogueSettings(validation_share=0))
    assert [len(product.pictures) for product in catalogue] == [2, 1]
    (fault,) = catalogue.faults
    assert (fault.where, fault.product_id, fault.reason) == ("train.h5 row 2", "1", "other-text")


def test_files_that_are_not_fashiongen_are_all_named(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", [1], drop="input_image")
    (tmp_path / "b.h5").write_bytes(b"no HDF5")
    with pytest.raises(CatalogueError) as caught:
        open_catalogue(tmp_path)
    assert caught.value.faults[0].startswith("a.h5: it has no input_image; there are: ")
    assert caught.value.faults[1].startswith("b.h5: ")


def test_a_file_that_is_gone_is_a_picture_error(fashiongen: Path) -> None:
    picture = pickle.loads(pickle.dumps(open_catalogue(fashiongen)))[0].pictures[0]
    (fashiongen / "fashiongen_256_256_train.h5").unlink()
    with pytest.raises(PictureError, match=r"train\.h5 row 1: cannot be read"):
        picture.read()


def test_without_h5py_the_message_has_the_command(fashiongen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'fashionbert\[fashiongen\]'"):
        open_catalogue(fashiongen)
