"""The feature store that a command needs: opened where there is one, made where there is none."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

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


def open_store(catalogue: "Catalogue", extractor: "PatchExtractor", folder: Path, console: "Console") -> "FeatureStore":
    """Open the store if it is finished; otherwise compute the features, going on where an earlier command stopped.

    Args:
        catalogue: whose pictures are needed; a store may hold more.
        extractor: whose features are needed.
        folder: of the store.
        console: says what is computed.

    Returns:
        The finished store.

    Raises:
        StoreError: the folder holds features of another extractor, or unfinished ones of another catalogue.
        CatalogueError: not one picture could be used.
    """
    from fashionbert.images.store import FeatureStore, read_manifest
    from fashionbert.images.writer import write_store

    if (folder / "manifest.json").exists() and read_manifest(folder)["complete"]:
        return FeatureStore.open(folder, expect_fingerprint=extractor.fingerprint)
    console.print(f"patch features of {len(catalogue)} products -> {folder}", soft_wrap=True)
    return write_store(catalogue, extractor, folder)
