"""``fashionbert train``: from a catalogue to a run folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashionbert.cli.options import Assignments, Config, Device, Features, Preset

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from fashionbert.config import Settings
    from fashionbert.images.extractor import PatchExtractor


def train(
    catalogue: Annotated[str, typer.Option("--catalogue", help="Catalogue: a folder, a table, or a data set's name.")],
    out: Annotated[Path, typer.Option("--out", help="Run folder; the same command goes on where it stopped.")],
    preset: Preset = None,
    config: Config = None,
    assignments: Assignments = None,
    features: Features = None,
    device: Device = "auto",
) -> None:
    """Train a model on a catalogue.

    Leaves a self-contained run folder: the best model by validation R@1, its tokenizer and patch network, settings,
    metrics and curves. Can be stopped at any moment.
    """
    from fashionbert.config import load_settings
    from fashionbert.training import build_extractor

    settings = load_settings(preset, config, assignments or ())
    run_training(settings, catalogue, out, features, device, lambda place: build_extractor(settings.images, place))


def run_training(
    settings: "Settings",
    catalogue: str,
    out: Path,
    features: Path | None,
    device: str,
    make_extractor: "Callable[[str | torch.device], PatchExtractor]",
) -> None:
    """Train by settings, from the catalogue's name to the run folder, and say how it went.

    Args:
        settings: of the run.
        catalogue: a folder, a table, or a data set's name.
        out: the run folder.
        features: the feature store; None: one in the run folder.
        device: as on the command line.
        make_extractor: gives the patch network on a device.
    """
    from rich.console import Console

    from fashionbert.catalogue import open_catalogue
    from fashionbert.cli.faults import say_set_aside
    from fashionbert.cli.stores import open_store, torch_device
    from fashionbert.training import Display, join_processes, refuse_early
    from fashionbert.training import train as train_model

    products = open_catalogue(catalogue, settings.catalogue)
    refuse_early(settings, products, out)
    place = torch_device(device)
    processes = join_processes(cpu=place == "cpu")
    own_device = processes.device if processes.num_processes > 1 else None
    extractor = make_extractor(own_device or place)
    console = Console(stderr=True, quiet=not processes.is_main_process)
    say_set_aside(products, console)
    with processes.main_process_first():  # the others find the features made
        store = open_store(products, extractor, features or out / "training" / "features")
    progress = train_model(settings, products, store, extractor, out, Display(console), cpu=place == "cpu")
    figure = "pair model" if progress.pairs_begun else "vectors"
    console.print(
        f"{out}: step {progress.step}, best validation R@1 of the {figure} {progress.best:.1%}; "
        f"measure it with: fashionbert evaluate {out} --catalogue {catalogue} --split validation --out {out}/report",
        soft_wrap=True,
    )
