"""``fashionbert features``: compute the patch features of a catalogue once, for training, evaluation and search."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashionbert.cli.options import Assignments, Config, Device, Preset

if TYPE_CHECKING:
    from rich.table import Table

    from fashionbert.images.store import FeatureStore


def features(
    catalogue: Annotated[str, typer.Argument(help="Catalogue: a folder, a table, or a data set's name.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the feature store.")],
    preset: Preset = None,
    config: Config = None,
    assignments: Assignments = None,
    device: Device = "auto",
) -> None:
    """Store the patch features of every picture of a catalogue.

    Can be stopped at any moment: the same command goes on where it stopped. Broken pictures are set aside and listed
    in the store's manifest.json.
    """
    from rich.console import Console

    from fashionbert.catalogue import open_catalogue
    from fashionbert.cli.faults import say_set_aside
    from fashionbert.cli.stores import compute_store, is_finished, torch_device
    from fashionbert.config import load_settings
    from fashionbert.images.extractor import PatchExtractor
    from fashionbert.images.network import build_patch_network

    settings = load_settings(preset, config, assignments or ())
    products = open_catalogue(catalogue, settings.catalogue)
    say_set_aside(products, Console(stderr=True))
    extractor = PatchExtractor(settings.images, build_patch_network(settings.images), torch_device(device))
    console = Console()
    if is_finished(out):
        console.print(f"{out} is complete already; nothing to do unless it is of other settings or data.")
    console.print(_summary(compute_store(products, extractor, out)))


def _summary(store: "FeatureStore") -> "Table":
    from collections import Counter

    from rich.table import Table

    counts, manifest = store.manifest["counts"], store.manifest
    table = Table(title=f"Feature store {store.folder}", show_header=False)
    table.add_row("products", f"{counts['products']:,}")
    table.add_row("products without a usable picture", f"{counts['products_without_picture']:,}")
    table.add_row("pictures", f"{counts['pictures']:,}")
    table.add_row("pictures set aside", f"{counts['set_aside']:,}")
    reasons = Counter(fault["reason"] for fault in manifest["faults"])
    for reason, times in reasons.most_common():
        table.add_row(f"  {reason}", f"{times:,}")
    table.add_row("patches P x feature size F", f"{store.patches} x {store.feature_size}")
    table.add_row("on disk", f"{sum(part['bytes'] for part in manifest['parts']) / 1e6:,.1f} MB")
    table.add_row("extractor", store.fingerprint)
    return table
