"""``fashionbert clicks``: a click log, a model fine-tuned on it, and its accuracy."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fashionbert.cli.options import Assignments, Config, Device, Features

if TYPE_CHECKING:
    from fashionbert.catalogue import Catalogue
    from fashionbert.config import Settings
    from fashionbert.evaluation.matching import MatchingFigures
    from fashionbert.images.store import FeatureStore

app = typer.Typer(no_args_is_help=True, help="Fine-tune on what shoppers clicked on, and measure it.")

_REPORT = "clicks.json"
_Catalogue = Annotated[str, typer.Option("--catalogue", help="Catalogue of the products that the log shows.")]
_Log = Annotated[Path, typer.Argument(help="Click log: Parquet, CSV or JSON lines.")]


@app.command()
def simulate(
    catalogue: Annotated[str, typer.Argument(help="Catalogue: a folder, a table, or a data set's name.")],
    out: Annotated[Path, typer.Option("--out", help="File of the log: .parquet or .csv.")],
    sessions: Annotated[int, typer.Option(min=1, help="Searches.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives another log.")] = 0,
    properties: Annotated[
        list[str] | None,
        typer.Option("--property", metavar="COLUMN=SHARE", help="Column that queries name, and how often; repeatable."),
    ] = None,
    assignments: Assignments = None,
) -> None:
    """Make a click log of shoppers that never were, by a model of clicks that the documentation describes."""
    import numpy as np

    from fashionbert.catalogue import open_catalogue
    from fashionbert.catalogue.click_model import ClickModel, ceiling, simulate_clicks
    from fashionbert.catalogue.clicks import write_clicks
    from fashionbert.config import load_settings
    from fashionbert.errors import CatalogueError

    products = open_catalogue(catalogue, load_settings(None, None, assignments or ()).catalogue)
    model = ClickModel(properties=_shares(properties)) if properties else ClickModel()
    log = simulate_clicks(products, sessions, model, np.random.default_rng(seed))
    if not len(log):
        raise CatalogueError("nobody clicked on anything: ask for more --sessions")
    write_clicks(log, out)
    typer.echo(
        f"{out}: {len(log):,} rows of {len(set(log['session'].to_pylist())):,} sessions, half of them clicks; "
        f"who knows what each product has can be right {ceiling(log):.1%} of the time"
    )


@app.command()
def train(
    log: _Log,
    catalogue: _Catalogue,
    out: Annotated[Path, typer.Option("--out", help="Folder of the click model; the same command goes on.")],
    model: Annotated[
        Path | None, typer.Option("--model", help="Run folder to start from; without it --set model.backbone=BERT.")
    ] = None,
    config: Config = None,
    assignments: Assignments = None,
    features: Features = None,
    device: Device = "auto",
) -> None:
    """Fine-tune on a click log, whole sessions held out, and measure on those.

    Settings are the preset clicks; clicks.image says what is done with pictures, model.layers how many layers are used.
    """
    import numpy as np

    from fashionbert.catalogue import open_catalogue
    from fashionbert.catalogue.clicks import read_clicks
    from fashionbert.cli.stores import torch_device
    from fashionbert.config import load_settings
    from fashionbert.data.clicks import build_click_rows
    from fashionbert.scoring.clicks import ClickReader, save_click_model
    from fashionbert.training import Display
    from fashionbert.training.click_setup import start_clicks
    from fashionbert.training.clicks import fit_clicks

    settings = load_settings("clicks", config, assignments or ())
    products = open_catalogue(catalogue, settings.catalogue)
    learnt, held_out = read_clicks(log).split(settings.clicks.held_out, np.random.default_rng(settings.training.seed))
    place = torch_device(device)
    start = start_clicks(settings, model, place)
    store = _store(settings, products, start.extractor, features or out / "training" / "features")
    rows = build_click_rows(learnt, products, store, start.tokenizer, settings.clicks)
    _say_left_out(rows.left_out)
    reader = ClickReader(settings, start.tokenizer, place)
    fitted = fit_clicks(start.model, rows, reader, out / "training", Display())
    save_click_model(fitted, start.tokenizer, start.extractor, settings, out)
    if len(held_out):
        measured = build_click_rows(held_out, products, store, start.tokenizer, settings.clicks)
        _report(out, reader.predict(fitted, measured), measured, settings)


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="Folder of a click model.")],
    log: _Log,
    catalogue: _Catalogue,
    out: Annotated[Path, typer.Option("--out", help="Folder of the report.")],
    features: Features = None,
    device: Device = "auto",
) -> None:
    """Measure a click model on all rows of a log."""
    from fashionbert.catalogue import open_catalogue
    from fashionbert.catalogue.clicks import read_clicks
    from fashionbert.cli.stores import torch_device
    from fashionbert.data.clicks import build_click_rows
    from fashionbert.scoring.clicks import ClickReader, load_click_model

    place = torch_device(device)
    fitted, tokenizer, extractor, settings = load_click_model(model, device=place)
    products = open_catalogue(catalogue, settings.catalogue)
    store = _store(settings, products, extractor, features or out / "features")
    rows = build_click_rows(read_clicks(log), products, store, tokenizer, settings.clicks)
    _say_left_out(rows.left_out)
    _report(out, ClickReader(settings, tokenizer, place).predict(fitted, rows), rows, settings)


def _store(settings: "Settings", products: "Catalogue", extractor: Any, folder: Path) -> "FeatureStore | None":
    from fashionbert.cli.stores import open_store

    return None if settings.clicks.image == "none" else open_store(products, extractor, folder)


def _report(out: Path, scores: Any, rows: Any, settings: "Settings") -> None:
    from dataclasses import asdict

    from rich.console import Console

    from fashionbert.files import write_json
    from fashionbert.provenance import commit, versions
    from fashionbert.training.clicks import measure_clicks

    figures = measure_clicks(scores, rows, settings)
    record = {**asdict(figures), "image": settings.clicks.image, "commit": commit(), "versions": versions()}
    write_json(out / _REPORT, record)
    Console().print(_table(figures))
    typer.echo(f"report: {out / _REPORT}")


def _table(figures: "MatchingFigures") -> Any:
    from rich.table import Table

    table = Table(title=f"{figures.pairs:,} rows held out, %")
    for name in ("accuracy", "ROC AUC"):
        table.add_column(name, justify="right")
    values = ((figures.accuracy, figures.accuracy_interval), (figures.auc, figures.auc_interval))
    table.add_row(*(_percent(*each) for each in values))
    return table


def _percent(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None or interval is None:
        return ""
    return f"{100 * value:.1f} ({100 * interval[0]:.1f}-{100 * interval[1]:.1f})"


def _say_left_out(rows: int) -> None:
    if rows:
        typer.echo(f"warning: {rows:,} rows show products without a row or a usable picture: left out", err=True)


def _shares(words: list[str]) -> dict[str, float]:
    from fashionbert.errors import SettingsError

    shares: dict[str, float] = {}
    faults = []
    for word in words:
        name, _, share = word.partition("=")
        try:
            shares[name] = float(share)
        except ValueError:
            faults.append(f"--property {word!r} is not of the form COLUMN=SHARE, such as colour=0.8")
            continue
        if not 0 <= shares[name] <= 1:
            faults.append(f"--property {word!r}: a share is from 0 to 1")
    if faults:
        raise SettingsError("the log cannot be made", faults)
    return shares
