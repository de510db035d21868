"""The feature store that a command needs: opened where there is one, made where there is none."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fashionbert.catalogue import Catalogue
    from fashionbert.images.extractor import PatchExtractor
    from fashionbert.images.store import FeatureStore


def torch_device(name: str) -> str:
    """Resolve and check the device that a command was asked to use.

    Args:
        name: torch's name, such as ``cuda:1``; ``auto`` takes the first GPU, or the CPU where there is none.

    Returns:
        A device name that torch can use on this machine.

    Raises:
        SettingsError: there is no such device here.
    """
    import torch

    from fashionbert.errors import SettingsError

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        fault = str(error).splitlines()[0]
        raise SettingsError(f"--device {name!r} cannot be used", [fault, "try --device auto"]) from error
    return name


def open_store(
    catalogue: "Catalogue", extractor: "PatchExtractor", folder: Path, *, whole: "Catalogue | None" = None
) -> "FeatureStore":
    """Open the store if it is finished; otherwise compute the features, going on where an earlier command stopped.

    Args:
        catalogue: whose pictures are needed.
        extractor: whose features are needed.
        folder: of the store.
        whole: the catalogue that ``catalogue`` is a split of; a store of it serves as well.

    Returns:
        The finished store.

    Raises:
        StoreError: the folder holds features of another extractor or of another catalogue.
        CatalogueError: not one picture could be used.
    """
    from fashionbert.errors import StoreError
    from fashionbert.images.store import FeatureStore

    if not is_finished(folder):
        return compute_store(catalogue, extractor, folder)
    store = FeatureStore.open(folder, expect_fingerprint=extractor.fingerprint)
    wanted = [each.data_hash for each in (catalogue, whole) if each is not None]
    if store.data_hash not in wanted:
        raise StoreError(
            f"the feature store {folder} is of another catalogue (data {store.data_hash}, not {' or '.join(wanted)}): "
            f"name the store of {catalogue.name}, or another folder to make one"
        )
    return store


def is_finished(folder: Path) -> bool:
    """Say whether a folder holds a finished feature store."""
    from fashionbert.images.store import read_manifest

    return (folder / "manifest.json").exists() and read_manifest(folder)["complete"]


def compute_store(catalogue: "Catalogue", extractor: "PatchExtractor", folder: Path) -> "FeatureStore":
    """Compute the features of a catalogue under a progress bar.

    Args:
        catalogue: whose pictures.
        extractor: gives the features.
        folder: of the store; what an earlier command left there is kept.

    Returns:
        The finished store.

    Raises:
        StoreError: the folder holds features of another extractor or catalogue.
        CatalogueError: not one picture could be used.
    """
    import time

    from fashionbert.cli.bars import picture_progress
    from fashionbert.images.writer import WriteProgress, write_store

    started = time.monotonic()
    with picture_progress(len(catalogue)) as show:

        def report(state: WriteProgress) -> None:
            show(state.products, state.pictures / max(time.monotonic() - started, 1e-9), state.set_aside)

        return write_store(catalogue, extractor, folder, progress=report)
