"""``fashionbert index`` and ``calibrate``: the folder that searches read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashionbert.cli.options import ArithmeticChoice, Assignments, Config, Device, Model, SpeedChoice

if TYPE_CHECKING:
    from rich.table import Table

    from fashionbert.config import CatalogueSettings
    from fashionbert.search import BuildState, Calibration


def index(
    catalogue: Annotated[str, typer.Argument(help="Catalogue: a folder, a table, or a data set's name.")],
    model: Annotated[Path, typer.Option("--model", help="Run folder whose model searches.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the index.")],
    recall: Annotated[
        str, typer.Option(help="What recalls: fashionbert, or a CLIP or SigLIP by hub id or folder.")
    ] = "fashionbert",
    pictures: Annotated[int, typer.Option(min=1, help="At most so many pictures of a product.")] = 8,
    exact_up_to: Annotated[
        int,
        typer.Option(min=0, help="Pictures up to which every one is compared; above, an approximate index is asked."),
    ] = 500_000,
    titles: Annotated[
        bool | None,
        typer.Option(
            "--titles/--no-titles",
            help="Titles before pictures in the vectors.  [default: where the model has learnt from titles]",
        ),
    ] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Delete products that are not in the catalogue.")] = False,
    precision: ArithmeticChoice = "auto",
    speed: SpeedChoice = None,
    config: Config = None,
    assignments: Assignments = None,
    device: Device = "auto",
) -> None:
    """Make an index to search in, or bring one up to date.

    Can be stopped at any moment: the same command goes on where it stopped, and makes only what is new or changed.
    """
    from rich.console import Console

    from fashionbert.catalogue import open_catalogue
    from fashionbert.cli.bars import count_progress
    from fashionbert.cli.faults import say_set_aside
    from fashionbert.cli.stores import torch_device
    from fashionbert.search import IndexOptions, index_catalogue

    products = open_catalogue(catalogue, _catalogue_settings(model, config, assignments))
    say_set_aside(products, Console(stderr=True))
    options = IndexOptions(
        recall=recall,
        precision=precision,
        speed=speed,
        pictures=pictures,
        exact_up_to=exact_up_to,
        titles=titles,
    )
    with count_progress("products") as show:
        state = index_catalogue(
            products,
            out,
            model=model,
            options=options,
            device=torch_device(device),
            prune=prune,
            progress=lambda state: show(state.products, len(products)),
        )
    Console().print(_summary(out, state))


def calibrate(
    index: Annotated[Path, typer.Argument(help="Folder of the index.")],
    catalogue: Annotated[str, typer.Option(help="Catalogue with products that the model did not learn from.")],
    split: Annotated[str, typer.Option(help="Split of the catalogue.")] = "validation",
    precision: Annotated[float, typer.Option(min=0.5, max=0.99, help="Share of best hits that should be right.")] = 0.8,
    rerank: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            help="Cards that the pair model puts in order.  [default: what bench frontier advised, or 50]",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides which products are hidden from their query.")] = 0,
    config: Config = None,
    assignments: Assignments = None,
    model: Model = None,
    device: Device = "auto",
) -> None:
    """Make the probabilities of an index hold, and find where "nothing here matches" begins.

    The texts of the split's products are asked, half of them with their product hidden.
    """
    import numpy as np
    from rich.console import Console

    from fashionbert.catalogue import open_catalogue
    from fashionbert.cli.bars import count_progress
    from fashionbert.cli.stores import torch_device
    from fashionbert.search import SearchEngine
    from fashionbert.search import calibrate as fit
    from fashionbert.search.advice import USUAL_CARDS
    from fashionbert.search.manifest import Manifest

    run = model or Path(Manifest.read(index).model)
    whole = open_catalogue(catalogue, _catalogue_settings(run, config, assignments))
    engine = SearchEngine.open(index, model=model, device=torch_device(device))
    with count_progress("queries") as show:
        found = fit(
            engine,
            [product for product in whole.split(split) if engine.has(product.product_id)],
            precision=precision,
            rerank=rerank or engine.cards or USUAL_CARDS,
            generator=np.random.default_rng(seed),
            source=f"{whole.name}, {split}",
            progress=show,
        )
    found.write(index)
    Console().print(_calibration_table(index, found))


def _catalogue_settings(run: Path, config: Path | None, assignments: list[str] | None) -> "CatalogueSettings":
    """How the catalogue is read: as the model learnt from it, so that its splits are the same; else as a file says."""
    from fashionbert.config import load_settings
    from fashionbert.config.loading import changed
    from fashionbert.scoring import read_settings

    if config is not None:
        return load_settings(None, config, assignments or ()).catalogue
    return changed(read_settings(run), assignments or ()).catalogue


def _summary(folder: Path, state: "BuildState") -> "Table":
    from collections import Counter

    from rich.table import Table

    table = Table(title=f"Index {folder}", show_header=False)
    table.add_row("products", f"{state.products:,}")
    table.add_row("made or made anew", f"{state.written:,}")
    table.add_row("unchanged", f"{state.unchanged:,}")
    table.add_row("deleted", f"{state.deleted:,}")
    table.add_row("without a usable picture", f"{len(state.without_picture):,}")
    table.add_row("pictures set aside", f"{len(state.faults):,}")
    for reason, times in Counter(fault.reason for fault in state.faults).most_common():
        table.add_row(f"  {reason}", f"{times:,}")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    table.add_row("on disk", f"{size / 1e6:,.1f} MB")
    return table


def _calibration_table(folder: Path, found: "Calibration") -> "Table":
    from rich.table import Table

    table = Table(title=f"Calibration of {folder}", show_header=False)
    table.add_row("queries", f"{found.queries:,}, half of them with their product hidden")
    if found.threshold is None:
        table.add_row("threshold", f"none: no threshold makes {100 * found.precision:.0f} % of the best hits right")
        table.add_row("most that any threshold makes right", f"{100 * found.reached:.1f} %")
    else:
        table.add_row("threshold", f"{found.threshold:.3f}")
        table.add_row("best hits at or above it that are right", f"{100 * found.reached:.1f} %")
        table.add_row("queries that are answered", f"{100 * found.answered:.1f} %")
    return table
