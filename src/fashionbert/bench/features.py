"""Patch features of pictures, beside the bare network that has its input ready."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionbert.bench.contender import Contender, Work
from fashionbert.catalogue.synthetic import write_world
from fashionbert.config import load_settings
from fashionbert.errors import SettingsError
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.network import build_patch_network

THIS = "fashionbert.bench.features"


def draw_pictures(folder: Path, count: int = 64) -> None:
    """Draw pictures to measure with, into an empty folder."""
    write_world(folder, groups=count, seed=0)


def feature_contenders(pictures: Path, *, grid: int = 64, crop: int = 4, cell_size: int = 224) -> list[Contender]:
    """Name who takes part.

    Args:
        pictures: folder of JPEG files.
        grid: pictures of a turn in ``grid`` mode.
        crop: pictures of a turn in ``crop`` mode, where each is as much work as sixty.
        cell_size: pixels to which ``crop`` mode brings each cell.

    Returns:
        Contenders; what each gives is the mean feature of every picture.

    Raises:
        SettingsError: there is no such file in the folder.
    """
    there = len(picture_files(pictures, max(grid, crop)))
    if not there:
        raise SettingsError("there is nothing to measure with", [f"{pictures} holds no .jpg or .jpeg files"])
    found = []
    for mode, wanted in (("grid", grid), ("crop", crop)):
        count = min(wanted, there)
        arguments = {"folder": str(pictures), "mode": mode, "count": count, "cell_size": cell_size}
        bare = f"{mode}, bare network"
        found += [
            Contender(name=name, make=f"{THIS}:{make}", arguments=arguments, units=count, same_as=same_as, against=bare)
            for name, make, same_as in ((f"{mode}, from files", "from_files", bare), (bare, "bare", ""))
        ]
    return found


def from_files(folder: str, mode: str, count: int, cell_size: int) -> Work:
    """Read, decode, fit, and run the network."""
    extractor, files = _extractor(mode, cell_size), picture_files(folder, count)
    return lambda: _means(extractor.extract(files))


def bare(folder: str, mode: str, count: int, cell_size: int) -> Work:
    """Run the network on pictures that are decoded and fitted."""
    extractor = _extractor(mode, cell_size)
    prepared = [extractor.prepare(file) for file in picture_files(folder, count)]
    size = extractor.pictures_at_once
    batches = [prepared[start : start + size] for start in range(0, count, size)]
    return lambda: _means(np.concatenate([extractor.forward(batch) for batch in batches]))


def picture_files(folder: str | Path, count: int) -> list[Path]:
    """Find the first JPEG files of a folder and of those in it, in the order of their names."""
    files = (path for path in Path(folder).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    return sorted(files)[:count]


def _extractor(mode: str, cell_size: int) -> PatchExtractor:
    """The patch network of preset ``fast`` with random weights, the same in every process."""
    levels = "all" if mode == "grid" else "last"
    changes = [
        f"images.mode={mode}",
        f"images.levels={levels}",
        f"images.cell_size={cell_size}",
        "images.weights=random",
    ]
    settings = load_settings("fast", None, changes).images
    return PatchExtractor(settings, build_patch_network(settings))


def _means(features: NDArray[np.float16]) -> NDArray[np.float32]:
    return features.astype(np.float32).mean(axis=(1, 2))
