from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from fashionbert.catalogue import Catalogue, open_catalogue
from fashionbert.errors import CatalogueError
from fashionbert.interop import write_fashiongen

MakeShop = Callable[..., Catalogue]


def opened(path: Path) -> Any:
    return h5py.File(path)


@pytest.fixture
def make_shop(tmp_path: Path) -> MakeShop:
    """Products with one photo of their own grey each, 60 x 90, as CSV beside a folder."""

    def make(*rows: str) -> Catalogue:
        shop = tmp_path / "shop"
        (shop / "images").mkdir(parents=True)
        lines = ["product_id,image,text,title,category,subcategory,gender,split"]
        for number, row in enumerate(rows):
            Image.new("L", (60, 90), 10 * number).save(shop / "images" / f"{number}.png")
            lines.append(row.replace("PICTURE", f"images/{number}.png"))
        (shop / "products.csv").write_text("\n".join(lines), "utf-8")
        return open_catalogue(shop)

    return make


def test_what_is_written_is_read_as_the_same_products(make_shop: MakeShop, tmp_path: Path) -> None:
    shop = make_shop(
        "0111,PICTURE,Jupe plissée en noir,Jupe,BOTTOMS,SKIRTS,Women,train",
        "0222,PICTURE,A coat,Coat,OUTERWEAR,COATS,Men,train",
        "0333,PICTURE,A hat 帽,Hat,ACCESSORIES,HATS,Women,validation",
    )
    done: list[int] = []
    paths = write_fashiongen(shop, tmp_path / "h5", progress=done.append)
    assert done == [1, 2, 3]
    assert [path.name for path in paths] == ["fashiongen_256_256_train.h5", "fashiongen_256_256_validation.h5"]
    with opened(paths[0]) as file:
        assert file["input_image"].shape == (6, 256, 256, 3)
        assert file["input_image"].dtype == np.uint8
        assert file["input_productID"][:, 0].tolist() == [111, 111, 111, 222, 222, 222]
        assert file["index"][:, 0].tolist() == list(range(6))
        assert file["input_description"][0, 0] == "Jupe plissée en noir".encode("latin-1")
        assert np.unique(file["input_image"][3:]).tolist() == [10]
    again = open_catalogue(tmp_path / "h5")
    assert again.splits == {"train": 2, "validation": 1}
    assert again.column("product_id") == ["111", "222", "333"]
    assert list(again.column("text")) == ["Jupe plissée en noir", "A coat", "A hat ?"]
    assert [len(product.pictures) for product in again] == [3, 3, 3]
    assert (again[1].category, again[1].subcategory) == ("OUTERWEAR", "COATS")
    assert dict(again[1].attributes) == {"name": "Coat", "gender": "Men", "season": "", "composition": ""}


def test_ids_that_are_no_numbers_are_counted(make_shop: MakeShop, tmp_path: Path) -> None:
    shop = make_shop("a,PICTURE,A coat,,,,,train", "b,PICTURE,A hat,,,,,validation", "c,PICTURE,A cap,,,,,validation")
    ids = []
    for path in write_fashiongen(shop, tmp_path / "h5", angles=1):
        with opened(path) as file:
            ids.append(file["input_productID"][:, 0].tolist())
    assert ids == [[0], [1, 2]]


def test_broken_photos_are_passed_over(make_shop: MakeShop, tmp_path: Path) -> None:
    shop = make_shop("1,PICTURE,A coat,,,,,train", "2,PICTURE,A hat,,,,,train", "3,PICTURE,A cap,,,,,validation")
    (tmp_path / "shop" / "images" / "0.png").write_bytes(b"no picture")
    with opened(write_fashiongen(shop, tmp_path / "h5")[0]) as file:
        assert file["input_productID"][:, 0].tolist() == [2, 2, 2]
    (tmp_path / "shop" / "images" / "1.png").write_bytes(b"none either")
    with pytest.raises(CatalogueError, match="no picture of split 'train'"):
        write_fashiongen(shop, tmp_path / "other")
    assert list((tmp_path / "other").iterdir()) == []
