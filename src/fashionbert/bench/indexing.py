"""An index built from picture files, beside the bare networks that have decoded pictures ready.

Letters: N pictures, E vector size.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionbert.arithmetic import resolved
from fashionbert.bench.contender import Contender, Work
from fashionbert.bench.features import picture_files
from fashionbert.errors import SettingsError
from fashionbert.images.decode import decode_picture
from fashionbert.scoring import KeptPictures, read_settings
from fashionbert.search import IndexOptions
from fashionbert.search.advice import advised
from fashionbert.search.build import build_index
from fashionbert.search.encoders import RecallEncoder, load_stages
from fashionbert.search.pictures import PictureReader
from fashionbert.search.rows import RowMaker
from fashionbert.search.shelf import Shelf
from fashionbert.search.table import ViewTable
from fashionbert.types import Product

THIS = "fashionbert.bench.indexing"
FILES, SIDE, NETWORK = "index, from files", "bare network + BERT side", "bare patch network"
_TOLERANCES = {"fp32": 1e-4, "bf16": 2e-2}
"""Of a number of a unit vector that was read in another batch."""


def index_contenders(run: Path, pictures: Path, work: Path, *, count: int) -> list[Contender]:
    """Name who takes part.

    Args:
        run: run folder whose model reads the pictures.
        pictures: folder of JPEG files.
        work: folder for the indexes, each turn another one.
        count: N, or all pictures where there are fewer.

    Returns:
        Contenders; what each gives are the vectors [N, E] of the pictures, or means of their features [N].

    Raises:
        RunError: there is no run.
        SettingsError: there is no such file in the folder.
    """
    read_settings(run)
    there = len(picture_files(pictures, count))
    if not there:
        raise SettingsError("there is nothing to measure with", [f"{pictures} holds no .jpg or .jpeg files"])
    reading = {"run": str(run), "folder": str(pictures), "count": there}
    tolerance = _TOLERANCES[resolved("auto", "cpu")]
    return [
        Contender(
            name=FILES,
            make=f"{THIS}:whole_way",
            arguments={**reading, "work": str(work)},
            units=there,
            against=SIDE,
            same_as=SIDE,
            tolerance=tolerance,
        ),
        Contender(name=SIDE, make=f"{THIS}:network_and_side", arguments=reading, units=there, against=SIDE),
        Contender(name=NETWORK, make=f"{THIS}:network", arguments=reading, units=there, against=SIDE),
    ]


def whole_way(run: str, folder: str, count: int, work: str) -> Work:
    """Files read, decoded, through both networks, shrunk for the cards, and written, as ``fashionbert index`` does."""
    kept, encoder = _stages(run)
    options = IndexOptions()
    maker = RowMaker(kept, encoder, thumbnail_side=options.thumbnail_side)
    products = [_product(number, file) for number, file in enumerate(picture_files(folder, count))]
    first: list[NDArray[np.float32]] = []

    def build() -> NDArray[np.float32]:
        table = ViewTable.create(Path(tempfile.mkdtemp(dir=work)), encoder.size)
        build_index(products, table, maker, pictures=1)
        table.tidy(options.exact_up_to)
        if not first:  # reading the vectors again would be timed
            first.append(_vectors(table))
        return first[0]

    return build


def network(run: str, folder: str, count: int) -> Work:
    """The patch network on pictures that are decoded and fitted, and on mirror images where the model reads them."""
    kept, _ = _stages(run)
    prepared = [kept.prepare(decode_picture(file)) for file in picture_files(folder, count)]
    extractor = kept.scorer.processor.extractor
    size = extractor.pictures_at_once
    batches = [
        [each[variant] for each in prepared[start : start + size]]
        for variant in range(kept.variants)
        for start in range(0, count, size)
    ]
    return lambda: np.concatenate([extractor.forward(batch) for batch in batches]).astype(np.float32).mean(axis=(1, 2))


def network_and_side(run: str, folder: str, count: int) -> Work:
    """The same, then the picture's side of the BERT, to records and vectors."""
    kept, encoder = _stages(run)
    reader = PictureReader(kept, encoder)
    seen = [reader.look(file) for file in picture_files(folder, count)]
    titles = None if encoder.title is None else [""] * count
    return lambda: reader.read_seen(seen, titles)[1]


@dataclass(frozen=True, slots=True)
class _File:
    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    def read(self) -> bytes:
        return self.path.read_bytes()


def _product(number: int, file: Path) -> Product:
    return Product(product_id=f"{number:09d}", group_id="", text=file.stem, pictures=(_File(file),))


def _stages(run: str) -> tuple[KeptPictures, RecallEncoder]:
    scorer, encoder = load_stages(Path(run), IndexOptions(speed=advised(Path(run)).speed), "cpu")
    return KeptPictures(scorer), encoder


def _vectors(table: ViewTable) -> NDArray[np.float32]:
    """Vectors [N, E] in the order of the files."""
    shelf = Shelf.of(table, exact_up_to=len(table.newest()))
    assert shelf.vectors is not None
    return shelf.vectors[np.argsort([shelf.product_ids[product] for product in shelf.products])]
