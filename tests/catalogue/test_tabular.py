import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fashionbert.catalogue import open_catalogue
from fashionbert.config import CatalogueSettings
from fashionbert.errors import CatalogueError

Shop = Callable[..., Path]
ROWS = [
    {"product_id": "007", "image": "images/a.jpg", "text": "Skirt"},
    {"product_id": "8", "image": "images/b.jpg", "text": "Coat"},
]


def settings(**values: object) -> CatalogueSettings:
    return CatalogueSettings(validation_share=0, **values)  # pyright: ignore[reportArgumentType]


def write_csv(folder: Path, text: str, name: str = "products.csv", encoding: str = "utf-8") -> Path:
    (folder / "a.jpg").write_bytes(b"a")
    (folder / "b.jpg").write_bytes(b"b")
    (folder / name).write_bytes(text.encode(encoding))
    return folder


def test_a_table_that_the_csv_module_wrote_comes_back_to_the_letter(tmp_path: Path) -> None:
    cells = [
        ["product_id", "image", "text", "note"],
        ["007", "a.jpg", 'Two\nlines, a "quote" and; more', "NA"],
        ["1e5", "b.jpg", "Größe 38 – weiß", "null"],
    ]
    for dialect in ("excel", "excel-tab", "unix"):
        write_csv(tmp_path, "")
        with (tmp_path / "products.csv").open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file, dialect=dialect).writerows(cells)
        first, second = open_catalogue(tmp_path, settings())
        assert (first.product_id, second.product_id) == ("007", "1e5")
        assert first.text == 'Two\nlines, a "quote" and; more'
        assert second.text == "Größe 38 – weiß"
        assert (first.attributes, second.attributes) == ({"note": "NA"}, {"note": "null"})
        assert [product.pictures[0].read() for product in (first, second)] == [b"a", b"b"]


def test_semicolons_are_seen_even_among_commas(tmp_path: Path) -> None:
    write_csv(tmp_path, "product_id;image;text\n1;a.jpg;red, blue, green\n")
    assert open_catalogue(tmp_path, settings())[0].text == "red, blue, green"


def test_file_names_tell_the_split_and_a_column_wins(tmp_path: Path) -> None:
    write_csv(tmp_path, "product_id,image,text\n1,a.jpg,T\n", "train.csv")
    write_csv(tmp_path, "product_id,image,text\n2,b.jpg,V\n", "validation.csv")
    assert open_catalogue(tmp_path).splits == {"train": 1, "validation": 1}
    write_csv(tmp_path, "product_id,image,text,split\n1,a.jpg,T,Val\n2,b.jpg,T,Test\n", "train.csv")
    assert open_catalogue(tmp_path / "train.csv").splits == {"validation": 1, "test": 1}


def test_lines_that_do_not_fit_are_set_aside_by_their_number(tmp_path: Path) -> None:
    write_csv(tmp_path, "product_id,image,text\n1,a.jpg,T\n2,b.jpg,T,more\n3,b.jpg,\n,b.jpg,T\n1,b.jpg,U\n6,b.jpg,T\n")
    catalogue = open_catalogue(tmp_path, settings())
    assert catalogue.column("product_id") == ["1", "6"]
    assert [(fault.where, fault.product_id, fault.reason) for fault in catalogue.faults] == [
        ("products.csv row 2", "", "wrong-cells"),
        ("products.csv row 3", "3", "empty-text"),
        ("products.csv row 4", "", "empty-id"),
        ("products.csv row 5", "1", "duplicate-id"),
    ]
    assert "4 cells where the header has 3" in catalogue.faults[0].message


@pytest.mark.parametrize("end", ["", "\n", "\r\n", '\n9,a.jpg,""closed""\n'])
def test_a_quote_that_is_never_closed_is_named_by_its_line(tmp_path: Path, end: str) -> None:
    rows = ['\ufeff"product_id",image,text', '1,a.jpg,"two\nlines, ""quoted"""', '2,b.jpg,12" heels', '"3",a.jpg,""']
    whole = "\n".join(rows)
    write_csv(tmp_path, whole)
    assert open_catalogue(tmp_path, settings()).column("product_id") == ["1", "2"]
    write_csv(tmp_path, f'{whole}\n4,b.jpg,"Skirt\n5,b.jpg,Coat{end}')
    with pytest.raises(CatalogueError, match=r"products.csv: the quote that opens a cell in line 6 is never closed"):
        open_catalogue(tmp_path, settings())


def test_a_later_row_stands_in_when_the_first_of_its_id_is_broken(tmp_path: Path) -> None:
    write_csv(tmp_path, "product_id,image,text\n1,a.jpg,\n1,b.jpg,T\n")
    catalogue = open_catalogue(tmp_path, settings())
    assert [product.text for product in catalogue] == ["T"]
    assert [fault.reason for fault in catalogue.faults] == ["empty-text"]


def test_all_that_stands_against_a_row_is_listed_and_the_row_counts_once(tmp_path: Path) -> None:
    write_csv(tmp_path, "product_id,image,text,split\n1,a.jpg,T,train\n1,c.jpg|d.jpg,,\n,,,train\n2,b.jpg,T,train\n")
    catalogue = open_catalogue(tmp_path, settings())
    assert catalogue.column("product_id") == ["1", "2"]
    found = [(fault.where[-1], fault.reason) for fault in catalogue.faults]
    assert found == [
        *(("2", reason) for reason in ("empty-text", "empty-split", "missing-picture", "duplicate-id")),
        *(("3", reason) for reason in ("empty-id", "empty-text", "no-picture")),
    ]
    assert catalogue.faulty_rows == 2


def test_pictures_beyond_the_folder_missing_or_elsewhere_are_set_aside(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    (shop / "images").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (tmp_path / "shopping").mkdir()
    (tmp_path / "shopping" / "x.jpg").write_bytes(b"x")
    inside = shop / "a.jpg"
    cells = [
        (str(inside), ""),
        ("images/../a.jpg", ""),
        ("..\\shop\\a.jpg", ""),
        ("../secret.jpg", "picture-outside"),
        (str(tmp_path / "shopping" / "x.jpg"), "picture-outside"),
        ("/etc/hostname", "picture-outside"),
        ("https://example.org/a.jpg", "picture-elsewhere"),
        ("images/none.jpg", "missing-picture"),
        ("images", "missing-picture"),
        ("", "no-picture"),
    ]
    rows = "".join(f"{number},{path},T\n" for number, (path, _) in enumerate(cells))
    write_csv(shop, f"product_id,image,text\n{rows}")
    catalogue = open_catalogue(shop, settings())
    assert catalogue.column("product_id") == ["0", "1", "2"]
    assert [product.pictures[0].name for product in catalogue] == ["a.jpg"] * 3
    found = {fault.product_id: fault.reason for fault in catalogue.faults}
    assert found == {str(number): reason for number, (_, reason) in enumerate(cells) if reason}


def test_a_wider_image_root_makes_room(tmp_path: Path) -> None:
    (tmp_path / "pool").mkdir()
    (tmp_path / "pool" / "x.jpg").write_bytes(b"x")
    (tmp_path / "tables").mkdir()
    write_csv(tmp_path / "tables", "product_id,image,text\n1,pool/x.jpg,T\n")
    with pytest.raises(CatalogueError, match="name the right image folder"):
        open_catalogue(tmp_path / "tables", settings())
    catalogue = open_catalogue(tmp_path / "tables", settings(image_root=str(tmp_path)))
    assert catalogue[0].pictures[0].read() == b"x"


def test_a_cell_may_name_several_pictures_and_lose_some(shop: Shop) -> None:
    rows = [
        {"product_id": 1, "image": ["a.jpg", "b.jpg"], "text": "list"},
        {"product_id": 2, "image": "b.jpg | none.jpg|a.jpg|", "text": "bar"},
        {"product_id": 3, "image": [], "text": "none"},
        {"product_id": 4, "text": "absent"},
    ]
    catalogue = open_catalogue(shop(rows, pictures=["a.jpg", "b.jpg"]), settings())
    names = [[picture.name for picture in product.pictures] for product in catalogue]
    assert names == [["a.jpg", "b.jpg"], ["b.jpg", "a.jpg"]]
    faults = {(fault.product_id, fault.reason) for fault in catalogue.faults}
    assert faults == {("2", "missing-picture"), ("3", "no-picture"), ("4", "no-picture")}


def test_jsonl_lines_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    row = {"id": 12, "photo": "a.jpg", "caption": "Größe", "price": 9.5, "sizes": ["S", "M"], "new": True, "x": None}
    lines = [
        json.dumps(row),
        "",
        "{broken",
        '["list"]',
        json.dumps({**row, "id": "012", "sizes": "L", "late": {"k": 1}}),
    ]
    (tmp_path / "products.jsonl").write_text("\n".join(lines), "utf-8-sig")
    catalogue = open_catalogue(tmp_path, settings())
    assert catalogue.column("product_id") == ["12", "012"]
    first = {"price": "9.5", "sizes": "S, M", "new": "true", "x": "", "late": ""}
    assert dict(catalogue[0].attributes) == first
    assert dict(catalogue[1].attributes) == {**first, "sizes": "L", "late": '{"k": 1}'}
    assert [(f.where, f.reason) for f in catalogue.faults] == [
        ("products.jsonl row 3", "not-json"),
        ("products.jsonl row 4", "not-json"),
    ]


def test_text_from_a_template_of_columns_and_fields(tmp_path: Path) -> None:
    write_csv(tmp_path, "sku,image,kind,colour,text\n1,a.jpg,Skirt,red,old\n2,b.jpg,Coat,,old\n")
    mapping = {"product_id": "sku", "category": "kind"}
    catalogue = open_catalogue(tmp_path, settings(text="{category} in {colour}. {text}", columns=mapping))
    assert catalogue.column("text") == ["Skirt in red. old", "Coat. old"]
    assert catalogue.attributes == ("colour",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Empty CSV file"),
        (b"product_id,image,text\n", "it has no rows"),
        (b"product_id,image,text\n1,a.jpg,Gr\xf6\xdfe\n", "is not UTF-8"),
        (b"\xff\xfep\x00r\x00", "is not UTF-8"),
        (b'product_id,image,"text\n' + b"1,a.jpg,T\n" * 20_000, "its header cannot be read"),
        (b"product_id,image,text,text\n1,a.jpg,T,T\n", "'text' is there twice"),
        (b"product_id,image\n1,a.jpg\n", "no column for text"),
    ],
)
def test_files_that_are_no_catalogue_say_why(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "products.csv").write_bytes(content)
    with pytest.raises(CatalogueError, match=message):
        open_catalogue(tmp_path)


def test_nothing_usable_counts_the_reasons(tmp_path: Path) -> None:
    write_csv(tmp_path, "product_id,image,text\n1,a.jpg,\n2,b.jpg,\n3,c.jpg,T\n")
    with pytest.raises(CatalogueError) as caught:
        open_catalogue(tmp_path)
    assert len(caught.value.faults) == 2
    assert caught.value.faults[0].startswith("2 x empty-text, for example products.csv row 1: ")
    assert caught.value.faults[1].startswith("1 x missing-picture, for example products.csv row 3: ")


def test_rows_without_a_split_among_rows_with_one_are_set_aside(shop: Shop) -> None:
    rows = [{**ROWS[0], "split": "train"}, {**ROWS[1], "split": ""}]
    catalogue = open_catalogue(shop(rows, pictures=["images/a.jpg", "images/b.jpg"]), settings())
    assert [fault.reason for fault in catalogue.faults] == ["empty-split"]


def test_groups_fall_back_to_the_product(shop: Shop) -> None:
    rows = [{**ROWS[0], "group": "g"}, ROWS[1]]
    catalogue = open_catalogue(shop(rows, pictures=["images/a.jpg", "images/b.jpg"]), settings())
    assert catalogue.column("group_id") == ["g", "8"]
