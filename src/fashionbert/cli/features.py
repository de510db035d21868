"""``fashionbert features``: compute the patch features of a catalogue once, for training, evaluation and search."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.table import Table

    from fashionbert.images.store import FeatureStore


def features(
    catalogue: Annotated[Path, typer.Argument(help="Catalogue: a folder, a table, or a data set's name.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the feature store.")],
    preset: Annotated[str | None, typer.Option(help="paper, released, fast or tiny.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file of settings.")] = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="part.name=value, e.g. images.height=384; repeatable.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, mps, ...; auto takes a GPU if there is one.")] = "auto",
) -> None:
    """Store the patch features of every picture of a catalogue.

    Can be stopped at any moment: the same command goes on where it stopped. Broken pictures are set aside and listed
    in the store's manifest.json.
    """
    from rich.console import Console

    from fashionbert.catalogue import open_catalogue
    from fashionbert.config import load_settings
    from fashionbert.images.extractor import PatchExtractor
    from fashionbert.images.network import build_patch_network
    from fashionbert.images.writer import WriteProgress, write_store

    settings = load_settings(preset, config, assignments or ())
    console = Console()
    products = open_catalogue(catalogue, settings.catalogue)
    extractor = PatchExtractor(settings.images, build_patch_network(settings.images), _device(device))
    started, last = time.monotonic(), WriteProgress()
    with _progress_bar() as bar:
        task = bar.add_task("pictures", total=len(products), rate=0.0, set_aside=0)

        def show(state: WriteProgress) -> None:
            nonlocal last
            last = state
            rate = state.pictures / max(time.monotonic() - started, 1e-9)
            bar.update(task, completed=state.products, rate=rate, set_aside=state.set_aside)

        store = write_store(products, extractor, out, progress=show)
    if not last.products:
        console.print(f"{out} is complete already; nothing to do.")
    console.print(_summary(store))


def _device(name: str) -> str:
    import torch

    from fashionbert.errors import SettingsError

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        first_line = str(error).splitlines()[0]
        raise SettingsError(f"--device {name!r} cannot be used", [first_line, "try --device auto"]) from error
    return name


def _progress_bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("products"),
        TextColumn("{task.fields[rate]:.1f} pictures/s"),
        TextColumn("{task.fields[set_aside]} set aside"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


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
