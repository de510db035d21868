"""Write a synthetic world to disk: two tables, a folder of pictures, and what is true in it."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import PIL

from fashionbert.catalogue.synthetic.attributes import ATTRIBUTES, COLOURS, KINDS, MOTIFS, PATTERNS, Article
from fashionbert.catalogue.synthetic.captions import write_caption
from fashionbert.catalogue.synthetic.combinations import group_articles, largest_world
from fashionbert.catalogue.synthetic.photograph import SIZE, photograph
from fashionbert.catalogue.synthetic.scenes import View
from fashionbert.errors import SettingsError
from fashionbert.files import replacing, write_json

WORLD_VERSION = 1
"""Raised whenever the same seed gives another world."""

SPLITS = ("train", "validation")

COLUMNS = (
    "product_id",
    "image",
    "text",
    "title",
    "description",
    "category",
    "subcategory",
    "group_id",
    *ATTRIBUTES,
)
"""Columns of both tables; several pictures of a product are joined by ``|``, the studio front view first."""

_QUALITY = 88
_FOLDER_SIZE = 1000
_SECOND_VIEW = 0.4
_THIRD_VIEW = 0.4


def write_world(
    out: Path,
    *,
    groups: int,
    seed: int,
    validation_share: float = 0.15,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draw a shop that never was: pictures, true words, and the exact value of every attribute.

    It writes ``train.csv`` and ``validation.csv`` (:data:`COLUMNS`), ``images/`` (JPEG, 168 x 224) and, last,
    ``world.json``. The same seed gives the same tables to the byte and, with the same Pillow, the same pictures.
    A group depends on its number and the seed alone, so a larger world begins with the smaller one. Memory does
    not grow with the world.

    Args:
        out: folder, made if missing.
        groups: number of groups; about one in twenty has two products, which differ in their main colour alone.
        seed: seed of everything that is drawn.
        validation_share: probability that a group is held out.
        progress: called with (groups done, groups in all) after each group.

    Returns:
        The folder.

    Raises:
        SettingsError: with every argument that is out of range.
    """
    _check(groups, seed, validation_share)
    out.mkdir(parents=True, exist_ok=True)
    for name in ("world.json", *(f"{split}.csv" for split in SPLITS)):  # old captions must not meet new pictures
        (out / name).unlink(missing_ok=True)
    counts = {split: Counter({"groups": 0, "products": 0, "pictures": 0}) for split in SPLITS}
    with _tables(out) as tables:
        for group in range(groups):
            split = SPLITS[Random(f"{seed}/{group}/split").random() < validation_share]
            counts[split]["groups"] += 1
            for row in _rows(out, seed, group):
                tables[split].writerow(row)
                counts[split]["products"] += 1
                counts[split]["pictures"] += row["image"].count("|") + 1
            if progress is not None:
                progress(group + 1, groups)
    write_json(out / "world.json", _facts(groups, seed, validation_share, counts))
    return out


@contextmanager
def _tables(out: Path) -> "Iterator[dict[str, csv.DictWriter[str]]]":
    with ExitStack() as stack:
        tables: dict[str, csv.DictWriter[str]] = {}
        for split in SPLITS:
            part = stack.enter_context(replacing(out / f"{split}.csv"))
            file = stack.enter_context(part.open("w", encoding="utf-8", newline=""))
            tables[split] = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            tables[split].writeheader()
        yield tables


def _rows(out: Path, seed: int, group: int) -> Iterator[dict[str, str]]:
    for number, article in enumerate(group_articles(seed, group), start=1):
        product_id = f"{group:06d}-{number}"
        caption = write_caption(article, Random(f"{seed}/{product_id}/caption"))
        folder = f"images/{group // _FOLDER_SIZE:04d}"
        (out / folder).mkdir(parents=True, exist_ok=True)
        names = [f"{folder}/{product_id}-{view}.jpg" for view in _write_views(out / folder, article, product_id, seed)]
        yield {
            "product_id": product_id,
            "image": "|".join(names),
            "text": caption.text,
            "title": caption.title,
            "description": caption.description,
            "category": article.kind.category,
            "subcategory": article.kind.name,
            "group_id": f"{group:06d}",
            **{name: article[name] for name in ATTRIBUTES},
        }


def _write_views(folder: Path, article: Article, product_id: str, seed: int) -> Sequence[View]:
    views = _views(article, Random(f"{seed}/{product_id}/views"))
    for view in views:
        picture = photograph(article, view, Random(f"{seed}/{product_id}/{view}"))
        picture.save(folder / f"{product_id}-{view}.jpg", quality=_QUALITY)
    return views


def _views(article: Article, rng: Random) -> Sequence[View]:
    second: View = "flat-lay" if article.kind.category == "Accessories" or rng.random() < 0.5 else "hanger"
    if rng.random() >= _SECOND_VIEW:
        return ("studio",)
    return ("studio", second, "detail") if rng.random() < _THIRD_VIEW else ("studio", second)


def _check(groups: int, seed: int, validation_share: float) -> None:
    faults: list[str] = []
    if not 1 <= groups <= largest_world():
        faults.append(f"groups = {groups}: must be from 1 to {largest_world()}, or garments would repeat")
    if seed < 0:
        faults.append(f"seed = {seed}: must be 0 or more")
    if not 0.0 <= validation_share <= 1.0:
        faults.append(f"validation_share = {validation_share}: must be from 0 to 1")
    if faults:
        raise SettingsError("the synthetic world cannot be made", faults)


def _facts(groups: int, seed: int, validation_share: float, counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    return {
        "version": WORLD_VERSION,
        "seed": seed,
        "groups": groups,
        "validation_share": validation_share,
        "splits": counts,
        "picture_size": list(SIZE),
        "pillow": PIL.__version__,
        "colours": dict(COLOURS),
        "patterns": ["plain", "contrast trim", *PATTERNS, "print"],
        "motifs": list(MOTIFS),
        "kinds": {kind.name: {"category": kind.category, "attributes": dict(kind.attributes)} for kind in KINDS},
    }
