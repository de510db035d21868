"""Patch features of a whole catalogue on disk, read by product id without ever being in memory.

A store is a folder::

    manifest.json       extractor and catalogue, shape, sizes of the parts, pictures set aside, its own hash
    index.parquet       product_id, first_row, views, checksums of the rows: a line a product, in the catalogue's order
    part-00000.npy ...  float16 [rows, P, F] of some hundred products each
    part-00000.json ... what the part holds; written after it, so that a part without this file is not whole

A product has ``views * variants`` rows one after another, where ``views`` counts its usable pictures and
``variants`` is 2 with mirror images and 1 without: view v is at row ``first_row + v * variants``, its mirror image
at the next row. A product without a usable picture is not in the store.

Letters: N products or rows asked for, P patches, F feature size.
"""

import json
import mmap
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from fashionbert.errors import StoreError
from fashionbert.files import file_hash, fingerprint, write_json
from fashionbert.types import ProductId

FORMAT = 2
MANIFEST = "manifest.json"
INDEX = "index.parquet"
HASH = "manifest_hash"
OPEN_PARTS = 256
"""Parts mapped at once: each costs a file handle, of which a process often has 1,024."""


@dataclass(frozen=True, slots=True)
class RowRanges:
    """Where the rows of products lie.

    Attributes:
        first: row of the first view, int64 [N].
        views: number of views, int64 [N].
    """

    first: NDArray[np.int64]
    views: NDArray[np.int64]


class FeatureStore:
    """Read access to a finished store; cheap to pickle, so that data loader workers can each have one."""

    def __init__(self, folder: Path, manifest: dict[str, Any], index: pa.Table) -> None:
        """Take a checked store; use :meth:`open`.

        Args:
            folder: of the store.
            manifest: content of ``manifest.json``.
            index: content of ``index.parquet``.
        """
        self.folder = folder
        self.manifest = manifest
        self.fingerprint: str = manifest["fingerprint"]
        self.data_hash: str = manifest["data_hash"]
        self.patches: int = manifest["patches"]
        self.feature_size: int = manifest["feature_size"]
        self.variants: int = manifest["variants"]
        ids = np.array([product_id.encode() for product_id in index["product_id"].to_pylist()], dtype=np.bytes_)
        order = np.argsort(ids, kind="stable")
        self._ids = ids[order]
        self._first = index["first_row"].to_numpy()[order]
        self._views = index["views"].to_numpy()[order].astype(np.int64)
        self._part_starts = np.cumsum([0, *(part["rows"] for part in manifest["parts"])])
        self._maps: dict[int, NDArray[np.float16]] = {}
        self._checksums = index["checksums"].combine_chunks().flatten().to_numpy()
        self._checked = np.zeros(len(self._checksums), np.bool_)

    @classmethod
    def open(cls, folder: Path, expect_fingerprint: str | None = None) -> Self:
        """Open a finished store.

        Args:
            folder: of the store.
            expect_fingerprint: of the extractor whose features are needed; None takes any.

        Returns:
            The store; nothing but its index is in memory.

        Raises:
            StoreError: the store is missing, unfinished, edited or of another extractor.
        """
        manifest = read_manifest(folder)
        if not manifest["complete"]:
            raise StoreError(
                f"the feature store {folder} is unfinished; run `fashionbert features CATALOGUE --out {folder}` again "
                "with the same settings, it goes on where it stopped"
            )
        if expect_fingerprint is not None and manifest["fingerprint"] != expect_fingerprint:
            raise StoreError(
                f"the feature store {folder} is of the extractor {manifest['fingerprint']} "
                f"({manifest['extractor']['network']}, {manifest['extractor']['mode']}), but {expect_fingerprint} is "
                "needed; make one with these settings: `fashionbert features CATALOGUE --out ANOTHER_FOLDER`"
            )
        for number, part in enumerate(manifest["parts"]):
            path = part_path(folder, number)
            size = path.stat().st_size if path.is_file() else None
            if size != part["bytes"]:
                raise _edited(folder, f"{path.name} has {size} bytes, not {part['bytes']}")
        index = folder / INDEX
        if not index.is_file() or file_hash(index) != manifest["index_hash"]:
            raise _edited(folder, f"{INDEX} is not the one that was written")
        return cls(folder, manifest, pq.read_table(index))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).open, (self.folder, self.fingerprint)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, product_id: object) -> bool:
        if not isinstance(product_id, str) or not len(self):
            return False
        key = product_id.encode()
        place = int(np.searchsorted(self._ids, np.bytes_(key)))
        return place < len(self) and self._ids[place] == key

    @property
    def product_ids(self) -> list[ProductId]:
        """Ids of all products with features, in the order of the catalogue."""
        return [product_id.decode() for product_id in self._ids[np.argsort(self._first)].tolist()]

    def views(self, product_id: ProductId) -> int:
        """Count a product's usable pictures."""
        return int(self.rows([product_id]).views[0])

    def rows(self, product_ids: Sequence[ProductId]) -> RowRanges:
        """Find the rows of products, so that a training run looks ids up once.

        Args:
            product_ids: of N products, repeated ones allowed.

        Returns:
            First row and number of views of each.

        Raises:
            StoreError: products are not in the store.
        """
        keys = np.array([product_id.encode() for product_id in product_ids], dtype=np.bytes_)
        places = np.minimum(np.searchsorted(self._ids, keys), max(len(self) - 1, 0))
        found = self._ids[places] == keys if len(self) else np.zeros(len(keys), bool)
        if not found.all():
            absent = [product_id for product_id, known in zip(product_ids, found, strict=True) if not known]
            raise StoreError(
                f"{len(absent)} products are not in the feature store {self.folder}, among them {absent[:5]}: "
                "no usable picture, or of another catalogue; leave them out or make a store of this catalogue"
            )
        return RowRanges(self._first[places], self._views[places])

    def read(
        self, product_ids: Sequence[ProductId], views: ArrayLike | None = None, mirrored: ArrayLike | None = None
    ) -> NDArray[np.float16]:
        """Read one view of each product.

        Args:
            product_ids: of the products, repeated ones allowed.
            views: number of the view, int [N]; None takes the first of each.
            mirrored: whether to take the mirror image, bool [N]; None takes none.

        Returns:
            float16 [N, P, F].

        Raises:
            StoreError: products, views or mirror images that the store does not have.
        """
        ranges = self.rows(product_ids)
        view = np.zeros_like(ranges.first) if views is None else np.asarray(views, np.int64)
        mirror = np.zeros_like(ranges.first) if mirrored is None else np.asarray(mirrored, np.int64)
        if ((view < 0) | (view >= ranges.views)).any():
            raise StoreError(f"views {view.tolist()} were asked of products that have {ranges.views.tolist()}")
        if mirror.any() and self.variants == 1:
            raise StoreError(f"the feature store {self.folder} has no mirror images; set images.variants=mirrored")
        return self.read_rows(ranges.first + view * self.variants + mirror)

    def read_rows(self, rows: ArrayLike) -> NDArray[np.float16]:
        """Read rows by number, in any order.

        Args:
            rows: int64 [N].

        Returns:
            float16 [N, P, F].

        Raises:
            StoreError: a row number is out of range, or its features are not those that were written.
        """
        wanted = np.asarray(rows, np.int64)
        total = int(self._part_starts[-1])
        if wanted.size and not (wanted.min() >= 0 and wanted.max() < total):
            raise StoreError(f"rows {wanted.min()} to {wanted.max()} were asked of a store of {total} rows")
        parts = np.searchsorted(self._part_starts, wanted, side="right") - 1
        features = np.empty((len(wanted), self.patches, self.feature_size), np.float16)
        for part in np.unique(parts):
            here = parts == part
            stored = self._part(int(part))
            features[here] = stored[wanted[here] - self._part_starts[part]]
            _forget_pages(stored)
        for place in np.flatnonzero(~self._checked[wanted]):
            if row_checksum(features[place]) != self._checksums[wanted[place]]:
                raise _edited(self.folder, f"row {wanted[place]} is not the one that was written")
        self._checked[wanted] = True
        return features

    def _part(self, number: int) -> NDArray[np.float16]:
        part = self._maps.get(number)
        if part is None:
            if len(self._maps) >= OPEN_PARTS:
                self._maps.pop(next(iter(self._maps)), None)
            part = self._maps[number] = np.load(part_path(self.folder, number), mmap_mode="r", allow_pickle=False)
        return part


def _forget_pages(part: NDArray[np.float16]) -> None:
    """Let go of the pages that were read; the system's cache keeps them.

    Otherwise a training on a store of 60 GB would seem to take 60 GB, and on a full machine be killed for it.
    """
    if isinstance(part.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        part.base.madvise(mmap.MADV_DONTNEED)


def part_path(folder: Path, number: int) -> Path:
    """Name the file that holds part ``number``."""
    return folder / f"part-{number:05d}.npy"


def row_checksum(row: NDArray[np.float16]) -> int:
    """CRC-32 of the features of a picture [P, F]."""
    return zlib.crc32(row.tobytes())


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``manifest.json`` with a hash of all that it says."""
    write_json(folder / MANIFEST, {**manifest, HASH: fingerprint(manifest)})


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read and check ``manifest.json``, be the store finished or not.

    Args:
        folder: of the store.

    Returns:
        The content.

    Raises:
        StoreError: there is none, or it was edited, or another version wrote it.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise StoreError(
            f"{folder} is no feature store, it has no {MANIFEST}; make one: "
            f"`fashionbert features CATALOGUE --out {folder}`"
        )
    try:
        manifest = json.loads(path.read_text("utf-8"))
        written_by = manifest["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise _edited(folder, f"{MANIFEST} cannot be read ({error!r})") from error
    if written_by != FORMAT:
        raise StoreError(
            f"the feature store {folder} has format {written_by}, this version reads {FORMAT}; make it anew: "
            f"`fashionbert features CATALOGUE --out ANOTHER_FOLDER`"
        )
    recorded = manifest.pop(HASH, None)
    if recorded != fingerprint(manifest):
        raise _edited(folder, f"{MANIFEST} is not the one that was written")
    return manifest


def _edited(folder: Path, what: str) -> StoreError:
    return StoreError(
        f"the feature store {folder} was edited or is a part of a copy: {what}; copy it whole, or delete it and run "
        f"`fashionbert features CATALOGUE --out {folder}`"
    )
