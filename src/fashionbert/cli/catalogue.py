"""``fashionbert catalogue``: look at a catalogue before training on it, or draw one to play with."""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from fashionbert.catalogue import Catalogue, Finding, PictureFacts
    from fashionbert.config import CatalogueSettings
    from fashionbert.types import Picture

app = typer.Typer(help="Check a catalogue, or draw a synthetic one.", no_args_is_help=True)


@app.command()
def check(
    path: Annotated[str, typer.Argument(help="A file, a folder, or with --format hub the name of a data set.")],
    format: Annotated[str, typer.Option(help="auto, parquet, csv, jsonl, fashiongen or hub.")] = "auto",
    columns: Annotated[
        list[str] | None, typer.Option("--columns", metavar="OURS=THEIRS", help="A field's column; may be repeated.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Template of the text, as '{title}. {description}'.")] = None,
    image_root: Annotated[str | None, typer.Option(help="Folder that picture paths start from.")] = None,
    pictures: Annotated[bool, typer.Option(help="Decode every picture.")] = True,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the findings as JSON; - for the screen.")
    ] = None,
) -> None:
    """Say everything that is wrong with a catalogue at once.

    Exit code 1 when training would suffer, 2 when the catalogue cannot be used at all.
    """
    from rich.console import Console

    from fashionbert.catalogue import check_catalogue, open_catalogue
    from fashionbert.cli.bars import pair_progress
    from fashionbert.files import write_json

    on_screen = json_file == Path("-")
    catalogue = open_catalogue(path, _settings(format, columns or [], text, image_root))
    with pair_progress(Console(stderr=True)) as show:
        findings = check_catalogue(catalogue, inspect_picture if pictures else None, partial(show, "products"))
    _show(Console(stderr=on_screen), catalogue, findings)
    if json_file is not None:
        report = _report(catalogue, findings, pictures)
        if on_screen:
            typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
        else:
            write_json(json_file, report)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)


@app.command()
def synthetic(
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    groups: Annotated[int, typer.Option(min=1, help="Products to draw, colour variants of one counted once.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same shop.")] = 0,
) -> None:
    """Draw a small shop with true captions; every attribute is known."""
    from rich.console import Console

    from fashionbert.catalogue.synthetic import write_world
    from fashionbert.cli.bars import pair_progress

    with pair_progress(Console(stderr=True)) as show:
        written = write_world(out, groups=groups, seed=seed, progress=partial(show, "groups"))
    Console().print(f"wrote {written}", soft_wrap=True)


def inspect_picture(picture: "Picture") -> "PictureFacts":
    """Decode a picture as training would.

    Args:
        picture: the picture, not yet read.

    Returns:
        Its size and digest.

    Raises:
        PictureError: it cannot be used.
    """
    from fashionbert.catalogue import PictureFacts
    from fashionbert.catalogue.duplicates import picture_digest
    from fashionbert.images.decode import decode_picture

    source = picture.read()
    image = decode_picture(source, name=picture.name)
    return PictureFacts(width=image.width, height=image.height, digest=picture_digest(source))


def _settings(format: str, columns: list[str], text: str | None, image_root: str | None) -> "CatalogueSettings":
    from fashionbert.config import load_settings
    from fashionbert.errors import SettingsError

    broken = [f"{word!r} is not of the form ours=theirs, e.g. product_id=sku" for word in columns if "=" not in word]
    if broken:
        raise SettingsError("cannot read --columns", broken)
    mapping = {ours.strip(): theirs for ours, _, theirs in (word.partition("=") for word in columns)}
    given = {"format": format, "columns": mapping, "text": text, "image_root": image_root}
    return load_settings(
        assignments=[f"catalogue.{name}={json.dumps(value)}" for name, value in given.items()]
    ).catalogue


def _show(console: "Console", catalogue: "Catalogue", findings: "list[Finding]") -> None:
    from rich.markup import escape
    from rich.table import Table

    splits = ", ".join(f"{name} {count:,}" for name, count in catalogue.splits.items())
    console.print(f"[bold]{escape(catalogue.name)}[/bold]: {len(catalogue):,} products ({escape(splits)})")
    if not findings:
        console.print("nothing found")
        return
    table = Table("level", "finding", "count", "what it means, what to do, examples", show_lines=True)
    table.columns[1].no_wrap = True
    colours = {"error": "bold red", "warning": "yellow", "note": "dim"}
    for finding in findings:
        examples = ", ".join(finding.examples) + (", ..." if finding.count > len(finding.examples) else "")
        level = f"[{colours[finding.level]}]{finding.level}[/]"
        table.add_row(level, finding.name, f"{finding.count:,}", escape(f"{finding.message}\n{examples}"))
    console.print(table)


def _report(catalogue: "Catalogue", findings: "list[Finding]", pictures: bool) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "catalogue": catalogue.name,
        "data_hash": catalogue.data_hash,
        "products": len(catalogue),
        "groups": len(catalogue.products_by_group),
        "splits": catalogue.splits,
        "set_aside": catalogue.faulty_rows,
        "pictures_decoded": pictures,
        "findings": [asdict(finding) for finding in findings],
    }
