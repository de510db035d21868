"""Measure the memory that training on Fashion-Gen's 260,480 pairs takes: ``python -m benchmarks.memory``.

Captions are the synthetic world's. The feature store has the size and the layout of a real one, read through the same
memory map, but its parts are holes in the file system, which read as zeros and take no room.
"""

import argparse
import csv
import json
import resource
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import RESULTS
from fashionbert.bench.results import write_result
from fashionbert.catalogue import Catalogue, open_catalogue
from fashionbert.catalogue.synthetic.captions import write_caption
from fashionbert.catalogue.synthetic.combinations import group_articles
from fashionbert.config import Settings, changed, load_settings
from fashionbert.files import file_hash
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.store import FORMAT, INDEX, FeatureStore, part_path, row_checksum, write_manifest
from fashionbert.memory import keep_freed_memory
from fashionbert.training import Display, build_extractor, train

PAIRS, VALIDATION, ROWS_IN_PART, BATCH = 260_480, 2_000, 4_096, 128
FASHION_SIZED = [
    "model.backbone=null",
    "model.layers=6",
    "model.width=384",
    "model.heads=12",
    "model.vocabulary=4000",
    "images.weights=random",
    "images.variants=plain",
    f"training.batch_size={BATCH}",
    "training.validation_queries=20",
]
NOT_SHOWN = "time; memory of a GPU; a validation of more than 20 queries a direction"


def main() -> None:
    """Train some steps and write a result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--steps", type=int, default=12, help="the first half learn the contrastive task alone")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    keep_freed_memory()
    settings = settings_for(arguments.pairs, arguments.steps)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_table(root / "shop", arguments.pairs)
        catalogue, extractor = open_catalogue(str(root / "shop"), settings.catalogue), build_extractor(settings.images)
        store = hollow_store(root / "store", catalogue, extractor)
        before = peak_gibibytes()
        progress = train(settings, catalogue, store, extractor, root / "run", Display(), cpu=True)
        assert progress.step == arguments.steps
    gibibytes = {"catalogue and store open": before, "peak of the whole process": peak_gibibytes()}
    print(json.dumps(gibibytes, indent=2))
    command = f"python -m benchmarks.memory --pairs {arguments.pairs} --steps {arguments.steps}"
    figures = {"settings": ["--preset fast", *FASHION_SIZED], "gibibytes": gibibytes}
    write_result(arguments.out, "memory", command, NOT_SHOWN, figures)


def settings_for(pairs: int, steps: int) -> Settings:
    """Preset ``fast`` with a backbone that needs no download, for so many steps."""
    an_epoch = -(-pairs // BATCH)
    epochs = [f"training.epochs={steps / an_epoch}", f"training.contrastive_epochs={steps / 2 / an_epoch}"]
    return changed(load_settings("fast"), [*FASHION_SIZED, *epochs])


def write_table(folder: Path, pairs: int) -> None:
    """Write a catalogue of drawn captions whose pictures nobody will open."""
    folder.mkdir()
    (folder / "unread.jpg").touch()
    for split, count, first in (("train", pairs, 0), ("validation", min(VALIDATION, pairs), 10_000_000)):
        with (folder / f"{split}.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["product_id", "image", "text", "category", "subcategory", "group_id"])
            for number in range(first, first + count):
                article = group_articles(0, number % 5_000)[0]
                text = write_caption(article, Random(number)).text
                table.writerow([number, "unread.jpg", text, article.kind.category, article.kind.name, f"g{number}"])


def hollow_store(folder: Path, catalogue: Catalogue, extractor: PatchExtractor) -> FeatureStore:
    """Make a store of the catalogue whose parts are holes."""
    folder.mkdir()
    shape = (extractor.patches, extractor.feature_size)
    ids = list(catalogue.column("product_id"))
    parts: list[dict[str, Any]] = []
    for number, start in enumerate(range(0, len(ids), ROWS_IN_PART)):
        rows = min(ROWS_IN_PART, len(ids) - start)
        with part_path(folder, number).open("wb") as file:
            header = {"descr": "<f2", "fortran_order": False, "shape": (rows, *shape)}
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + rows * shape[0] * shape[1] * 2)
        parts.append({"rows": rows, "bytes": part_path(folder, number).stat().st_size})
    rows = np.arange(len(ids))
    of_a_hole = row_checksum(np.zeros(shape, np.float16))
    index = {
        "product_id": ids,
        "first_row": rows,
        "views": np.ones_like(rows),
        "checksums": pa.LargeListArray.from_arrays(np.arange(len(ids) + 1), np.full(len(ids), of_a_hole, np.uint32)),
    }
    pq.write_table(pa.table(index), folder / INDEX)
    manifest = {
        "format": FORMAT,
        "complete": True,
        "fingerprint": extractor.fingerprint,
        "data_hash": catalogue.data_hash,
        "variants": 1,
        "patches": shape[0],
        "feature_size": shape[1],
        "extractor": extractor.description,
        "index_hash": file_hash(folder / INDEX),
        "parts": parts,
    }
    write_manifest(folder, manifest)
    return FeatureStore.open(folder, extractor.fingerprint)


def peak_gibibytes() -> float:
    """Largest resident memory of this process so far in GiB, mapped files included; Linux counts it in KiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


if __name__ == "__main__":
    main()
