"""The feature store that a command needs: opened where there is one, made where there is none."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from fashionbert.catalogue import Catalogue
    from fashionbert.images.extractor import PatchExtractor
    from fashionbert.images.store import FeatureStore


def torch_device(name: str) -> str:
    """Resolve ``auto``.

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
    """Open a whole store of this extractor, or compute the features, going on where an earlier command stopped.

    Args:
        catalogue: whose pictures are needed; a store may hold more.
        extractor: whose features are needed.
        folder: of the store.
        console: shows the progress.

    Raises:
        StoreError: the folder holds features of another extractor or catalogue.
    """
    from fashionbert.images.store import FeatureStore, read_manifest
    from fashionbert.images.writer import write_store

    if (folder / "manifest.json").exists() and read_manifest(folder)["complete"]:
        return FeatureStore.open(folder, expect_fingerprint=extractor.fingerprint)
    console.print(f"patch features of {len(catalogue)} products -> {folder}", soft_wrap=True)
    return write_store(catalogue, extractor, folder)
