"""Writing a feature store: in parts that survive kill -9, with broken pictures set aside.

Each part is a file that appears whole or not at all, and a record that appears after it; a run that finds both goes
on with the next part. Pictures are decoded by threads while the network works on the batch before.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fashionbert.catalogue import Catalogue
from fashionbert.errors import CatalogueError, StoreError
from fashionbert.files import file_hash, only_writer, replacing
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.part import PartWriter, WriteProgress, read_record
from fashionbert.images.store import FORMAT, INDEX, MANIFEST, FeatureStore, read_manifest, write_manifest

SAME = ("data_hash", "variants")
"""What an earlier run must agree in beside the extractor."""


def write_store(
    catalogue: Catalogue,
    extractor: PatchExtractor,
    folder: Path,
    *,
    progress: Callable[[WriteProgress], None] = lambda _: None,
    products_per_shard: int = 512,
) -> FeatureStore:
    """Write the features of all pictures of a catalogue, or go on where an earlier run stopped.

    Args:
        catalogue: the products.
        extractor: gives the features; its settings say whether mirror images are stored too.
        folder: of the store; new, empty, or of an earlier run with the same catalogue and extractor.
        progress: called after every batch and every part.
        products_per_shard: products in a part, at most so many are done anew after a kill; an unfinished store
            keeps the number that it was begun with.

    Returns:
        The finished store.

    Raises:
        StoreError: the folder holds something else.
        FolderInUseError: another process writes there.
        CatalogueError: not one picture could be used.
    """
    with only_writer(folder):
        manifest = _begin(catalogue, extractor, folder, products_per_shard)
        if not manifest["complete"]:
            _finish(
                folder, manifest, _write_parts(catalogue, extractor, folder, manifest["products_per_shard"], progress)
            )
    return FeatureStore.open(folder, extractor.fingerprint)


def _write_parts(
    catalogue: Catalogue,
    extractor: PatchExtractor,
    folder: Path,
    size: int,
    progress: Callable[[WriteProgress], None],
) -> list[dict[str, Any]]:
    """Write the parts that are not there; records of all."""
    records, state = [], WriteProgress()
    for number, start in enumerate(range(0, len(catalogue), size)):
        record = read_record(folder, number)
        if record is None:
            stop = min(start + size, len(catalogue))
            part = PartWriter(extractor, state, progress)
            record = part.write(folder, number, (catalogue[index] for index in range(start, stop)))
            state = part.state
        else:
            state = replace(
                state,
                products=state.products + len(record["products"]),
                set_aside=state.set_aside + len(record["faults"]),
            )
        progress(state)
        records.append(record)
    return records


def _begin(catalogue: Catalogue, extractor: PatchExtractor, folder: Path, products_per_shard: int) -> dict[str, Any]:
    manifest = {
        "format": FORMAT,
        "complete": False,
        "fingerprint": extractor.fingerprint,
        "data_hash": catalogue.data_hash,
        "variants": 2 if extractor.settings.variants == "mirrored" else 1,
        "patches": extractor.patches,
        "feature_size": extractor.feature_size,
        "dtype": "float16",
        "products_per_shard": products_per_shard,
        "extractor": extractor.description,
    }
    if not (folder / MANIFEST).exists():
        if folder.exists() and any(path.suffix != ".part" for path in folder.iterdir()):
            raise StoreError(f"{folder} holds files that are no feature store; give a new or empty folder")
        write_manifest(folder, manifest)
        return manifest
    found = read_manifest(folder)
    was, now = ({**kind["extractor"], **{name: kind[name] for name in SAME}} for kind in (found, manifest))
    differences = [f"{name} is {was.get(name)!r}, now {now[name]!r}" for name in now if was.get(name) != now[name]]
    if differences:
        raise StoreError(
            f"the feature store {folder} is of another extractor or catalogue: {'; '.join(differences)}; "
            "give another folder, or delete this one"
        )
    for leftover in folder.glob(".*.part"):
        leftover.unlink()
    return found


def _finish(folder: Path, manifest: dict[str, Any], records: list[dict[str, Any]]) -> None:
    products = [(product_id, views) for record in records for product_id, views in record["products"]]
    faults = [fault for record in records for fault in record["faults"]]
    kept = [(product_id, views) for product_id, views in products if views]
    if not kept:
        raise CatalogueError("no picture of the catalogue can be used", [fault["message"] for fault in faults[:20]])
    twice = [product_id for product_id, times in Counter(product_id for product_id, _ in kept).items() if times > 1]
    if twice:
        raise CatalogueError(f"{len(twice)} product ids occur more than once", twice[:20])
    views = np.array([views for _, views in kept], np.int64)
    first_rows = (np.cumsum(views) - views) * manifest["variants"]
    ids = pa.array([product_id for product_id, _ in kept], pa.string())
    ends = np.append(first_rows, views.sum() * manifest["variants"])
    checksums = np.array([each for record in records for each in record["checksums"]], np.uint32)
    index = {
        "product_id": ids,
        "first_row": first_rows,
        "views": views,
        "checksums": pa.LargeListArray.from_arrays(ends, checksums),
    }
    with replacing(folder / INDEX) as temporary:
        pq.write_table(pa.table(index), temporary)
    finished = {
        "complete": True,
        "counts": {
            "products": len(kept),
            "products_without_picture": len(products) - len(kept),
            "pictures": int(views.sum()),
            "set_aside": len(faults),
        },
        "index_hash": file_hash(folder / INDEX),
        "parts": [{"rows": len(record["checksums"]), "bytes": record["bytes"]} for record in records],
        "faults": faults,
    }
    write_manifest(folder, manifest | finished)
