"""What is wrong with a catalogue, all of it at once, before hours go into training on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashionbert.catalogue.duplicates import Digests, text_digest
from fashionbert.catalogue.findings import Finding, Level, Tally, by_level, finding, level_of
from fashionbert.catalogue.table import TRAIN, VALIDATION, Catalogue
from fashionbert.errors import PictureError
from fashionbert.types import Picture, Product

TINY_SIDE = 32
"""Pixels; below it each of 8 x 8 cells has less than four pixels a side."""
LONGEST_TEXT = 448
"""Words that fit beside 64 patches into BERT's 512 positions (paper, section 3.1), at a WordPiece a word or more."""
CANDIDATE_GROUPS = 101
"""Groups that a subcategory needs so that subcategory-101 takes no candidate from elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFacts:
    """What is known of a picture that can be decoded.

    Attributes:
        width: pixels.
        height: pixels.
        digest: 16 bytes that equal pictures share: :func:`~fashionbert.catalogue.duplicates.picture_digest`.
    """

    width: int
    height: int
    digest: bytes


Inspect = Callable[[Picture], PictureFacts]


def check_catalogue(
    catalogue: Catalogue, inspect: Inspect | None, progress: Callable[[int, int], None] | None = None
) -> list[Finding]:
    """Look at every text, group, split and picture; digests of 16 bytes are all that is kept of them.

    Args:
        catalogue: the catalogue, with the faults of its reader.
        inspect: decodes a picture, or raises :class:`~fashionbert.errors.PictureError`; None leaves pictures out.
        progress: is told the number of products done and of all.

    Returns:
        All findings, errors first.
    """
    tally = Tally(len(catalogue) + catalogue.faulty_rows)
    for fault in catalogue.faults:
        place = f"{fault.where} ({fault.product_id})" if fault.product_id else fault.where
        tally.add(fault.reason, place, f"set aside: {fault.message}")
    texts, pictures = Digests(), Digests()
    for place, product in enumerate(catalogue):
        texts.add(text_digest(product.text), place)
        _check_text(product, tally)
        if inspect is not None:
            for digest in _check_pictures(product, inspect, tally):
                pictures.add(digest, place)
        if progress is not None:
            progress(place + 1, len(catalogue))
    duplicates = [*_check_equal(catalogue, texts, "text"), *_check_equal(catalogue, pictures, "picture")]
    return by_level([*tally.findings(), *duplicates, *_check_groups(catalogue), *_check_subcategories(catalogue)])


def _check_text(product: Product, tally: Tally) -> None:
    words = len(product.text.split())
    if words == 0:
        tally.add("empty-text", product.product_id, "products without words: give them a text")
    if words > LONGEST_TEXT:
        message = f"texts of more than {LONGEST_TEXT} words: they are cut, so put what matters first"
        tally.add("long-text", f"{product.product_id} ({words} words)", message)


def _check_pictures(product: Product, inspect: Inspect, tally: Tally) -> list[bytes]:
    """Decode a product's pictures and return their digests."""
    digests = []
    for picture in product.pictures:
        try:
            facts = inspect(picture)
        except PictureError as error:
            tally.add(f"picture-{error.reason}", f"{product.product_id} ({picture.name})", f"unusable: {error}")
            continue
        digests.append(facts.digest)
        if min(facts.width, facts.height) < TINY_SIDE:
            message = f"pictures with a side of less than {TINY_SIDE} pixels: nothing shows on them, fetch larger ones"
            tally.add("picture-tiny", f"{product.product_id} ({facts.width} x {facts.height})", message)
    return digests


def _check_equal(catalogue: Catalogue, digests: Digests, what: str) -> list[Finding]:
    """Find equal texts or pictures in different splits, and in different groups of a split."""
    groups, splits = catalogue.codes("group_id"), catalogue.codes("split")
    across_splits = digests.shared_across(splits, np.zeros_like(splits))
    across_groups = digests.shared_across(groups, splits)
    leak: Level = "error" if what == "picture" else level_of(len(across_splits), len(catalogue))
    cases: list[tuple[Level, str, NDArray[np.int64], str]] = [
        (
            leak,
            f"same-{what}-across-splits",
            across_splits,
            f"products whose {what} is also in another split: what is learnt there is measured here; "
            "give them one group_id and split by group",
        ),
        (
            level_of(len(across_groups), len(catalogue)),
            f"same-{what}-across-groups",
            across_groups,
            f"products whose {what} is also in another group of their split: a right match counts as wrong; "
            "give them one group_id",
        ),
    ]
    return [
        finding(level, name, len(places), _ids(catalogue, places), message)
        for level, name, places, message in cases
        if len(places)
    ]


def _ids(catalogue: Catalogue, places: NDArray[np.int64]) -> Sequence[str]:
    return [catalogue[int(place)].product_id for place in places[:5]]


def _check_groups(catalogue: Catalogue) -> list[Finding]:
    splits = catalogue.codes("split")
    by_group = catalogue.products_by_group
    straddling = [group for group, places in by_group.items() if len(set(splits[places].tolist())) > 1]
    findings = []
    if straddling:
        message = "groups with products in several splits: the held-out part was seen in training; split by group"
        findings.append(finding("error", "group-across-splits", len(straddling), straddling, message))
    for split in catalogue.splits:
        groups = len(set(catalogue.split(split).column("group_id")))
        if groups == 1:
            message = f"split {split!r} is a single group: there is nothing to tell it from; add products or groups"
            findings.append(finding("error", "one-group", 1, [split], message))
    missing = [split for split in (TRAIN, VALIDATION) if split not in catalogue.splits]
    if missing:
        message = f"there is no split of the name {' or '.join(missing)}: it serves for what the other splits are for"
        findings.append(finding("note", "missing-split", len(missing), missing, message))
    return findings


def _check_subcategories(catalogue: Catalogue) -> list[Finding]:
    """Count the subcategories of the held-out splits (of everything where there are none) that are small."""
    findings = []
    for split in [name for name in catalogue.splits if name != TRAIN] or [TRAIN]:
        part = catalogue.split(split)
        pairs = set(zip(part.column("subcategory"), part.column("group_id"), strict=True))
        names, counts = np.unique([subcategory for subcategory, _ in pairs], return_counts=True)
        small = names[counts < CANDIDATE_GROUPS].tolist()
        if small:
            message = (
                f"subcategories of split {split!r} with under {CANDIDATE_GROUPS} groups, of {len(names)}: "
                "subcategory-101 fills their candidates from the category, then from anywhere"
            )
            findings.append(finding("note", "small-subcategory", len(small), [name or "''" for name in small], message))
    return findings
