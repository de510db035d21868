from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from fashionbert.catalogue import Catalogue, Finding, PictureFacts, check_catalogue, hold_products
from fashionbert.catalogue.duplicates import picture_digest
from fashionbert.catalogue.table import RowFault
from fashionbert.errors import PictureError
from fashionbert.types import Picture, Product


@dataclass(frozen=True)
class Shot:
    """A picture whose name says all: ``content``, ``content 20x99`` or ``broken reason``."""

    name: str

    def read(self) -> bytes:
        return self.name.encode()


def inspect(picture: Picture) -> PictureFacts:
    content, _, rest = picture.name.partition(" ")
    if content == "broken":
        raise PictureError(rest, f"{picture.name}: cannot be used")
    width, height = map(int, rest.split("x")) if rest else (64, 64)
    return PictureFacts(width=width, height=height, digest=picture_digest(content.encode()))


def product(number: int, **changes: object) -> Product:
    fields = {"group_id": f"g{number}", "text": f"text {number}", "pictures": (Shot(f"picture{number}"),)}
    fields |= {"split": "validation" if number % 2 else "train", "subcategory": "Boots", **changes}
    return Product(product_id=f"p{number}", **fields)  # pyright: ignore[reportArgumentType]


def check(*changed: Product, count: int = 404, faults: Sequence[RowFault] = ()) -> dict[str, Finding]:
    """Check a sound catalogue of ``count`` products in which some are replaced."""
    products = {f"p{number}": product(number) for number in range(count)}
    products |= {one.product_id: one for one in changed}
    held = hold_products(products.values())
    catalogue = Catalogue(held.table, held._pictures, held._source, name="shop", faults=faults)
    findings = check_catalogue(catalogue, inspect)
    assert len({finding.name for finding in findings}) == len(findings)
    return {finding.name: finding for finding in findings}


def test_a_sound_catalogue_has_no_finding() -> None:
    assert check() == {}


@pytest.mark.parametrize("reason", ["truncated", "too-many-pixels", "not-a-picture"])
def test_unusable_pictures_are_counted_by_reason(reason: str) -> None:
    finding = check(product(3, pictures=(Shot("fine"), Shot(f"broken {reason}"))))[f"picture-{reason}"]
    assert (finding.level, finding.count) == ("warning", 1)
    assert finding.examples == (f"p3 (broken {reason})",)


def test_more_than_a_hundredth_is_an_error() -> None:
    few = [product(number, pictures=(Shot("broken damaged"),)) for number in range(4)]
    assert check(*few)["picture-damaged"].level == "warning"
    many = [*few, product(4, pictures=(Shot("broken damaged"),)), product(6, pictures=(Shot("broken damaged"),))]
    finding = check(*many)["picture-damaged"]
    assert (finding.level, finding.count, len(finding.examples)) == ("error", 6, 5)


def test_tiny_pictures_and_long_texts() -> None:
    found = check(
        product(1, pictures=(Shot("picture1 31x200"),)),
        product(2, pictures=(Shot("picture2 32x32"),)),
        product(3, text="word " * 449),
        product(4, text="wort " * 448),
    )
    assert set(found) == {"picture-tiny", "long-text"}
    assert found["picture-tiny"].examples == ("p1 (31 x 200)",)
    assert found["long-text"].examples == ("p3 (449 words)",)


def test_rows_that_the_reader_set_aside_are_findings() -> None:
    faults = [RowFault("a.csv row 2", "x", "duplicate-id", "why"), RowFault("a.csv row 3", "", "empty-id", "why")]
    found = check(faults=faults)
    assert found["duplicate-id"].examples == ("a.csv row 2 (x)",)
    assert found["empty-id"].examples == ("a.csv row 3",)
    assert found["empty-id"].message == "set aside: why"


def test_equal_pictures_and_texts_across_splits_and_groups() -> None:
    picture = check(product(1, pictures=(Shot("picture0"),)))
    assert set(picture) == {"same-picture-across-splits"}
    assert (picture["same-picture-across-splits"].level, picture["same-picture-across-splits"].count) == ("error", 2)
    assert picture["same-picture-across-splits"].examples == ("p0", "p1")
    text = check(product(1, text="TEXT  3"))
    assert set(text) == {"same-text-across-groups"}
    assert text["same-text-across-groups"].level == "warning"
    assert check(product(1, text="text 3", group_id="g3")) == {}


def test_groups_that_straddle_splits_are_an_error() -> None:
    finding = check(product(1, group_id="g0"))["group-across-splits"]
    assert (finding.level, finding.count, finding.examples) == ("error", 1, ("g0",))


def test_small_subcategories_of_the_held_out_split() -> None:
    assert "small-subcategory" not in check(count=202)
    finding = check(product(1, subcategory="Hats"), count=202)["small-subcategory"]
    assert (finding.level, finding.count, finding.examples) == ("note", 2, ("Boots", "Hats"))
    assert "of split 'validation'" in finding.message


def test_a_single_group_and_missing_splits() -> None:
    found = check(product(1, split="train", group_id="g0"), count=2)
    assert found["one-group"].level == "error"
    assert found["missing-split"].examples == ("validation",)
    assert found["small-subcategory"].count == 1


def test_without_an_inspector_no_picture_is_read() -> None:
    products = [product(number, pictures=(Shot("broken x"),)) for number in range(404)]
    calls: list[tuple[int, int]] = []
    assert check_catalogue(hold_products(products), None, lambda done, total: calls.append((done, total))) == []
    assert calls[-1] == (404, 404)
    assert len(calls) == 404


def test_errors_come_first_then_the_most_frequent() -> None:
    found = list(check(product(1, group_id="g0"), product(2, text="long " * 500), product(4, text="ling " * 500),
                       product(6, pictures=(Shot("x 9x9"),)), product(3, subcategory="Hats")).values())  # fmt: skip
    assert [finding.level for finding in found] == ["error", "warning", "warning", "note"]
    assert [finding.name for finding in found[:3]] == ["group-across-splits", "long-text", "picture-tiny"]
