"""``fashionbert catalogue``: look at a catalogue before training on it, or draw one to play with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from fashionbert.catalogue import Catalogue, Finding, PictureFacts
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

    to_screen = json_file == Path("-")
    console = Console(stderr=to_screen)
    catalogue = open_catalogue(path, _settings(format, columns or [], text, image_root))
    with _progress("pictures" if pictures else "texts") as progress:
        findings = check_catalogue(catalogue, inspect_picture if pictures else None, progress)
    _print(console, catalogue, findings)
    if json_file is not None:
        _write_json(_as_json(catalogue, findings, pictures), None if to_screen else json_file)
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

    with _progress("groups") as progress:
        written = write_world(out, groups=groups, seed=seed, progress=progress)
    Console().print(f"wrote {written}", soft_wrap=True)


def inspect_picture(picture: "Picture") -> "PictureFacts":
    """Decode a picture as training would.

    Raises:
        PictureError: it cannot be used.
    """
    from fashionbert.catalogue import PictureFacts
    from fashionbert.catalogue.duplicates import picture_digest
    from fashionbert.images.decode import decode_picture

    source = picture.read()
    image = decode_picture(source, name=picture.name)
    return PictureFacts(width=image.width, height=image.height, digest=picture_digest(source))


def _settings(format: str, columns: list[str], text: str | None, image_root: str | None) -> Any:
    """Make catalogue settings of the options, by way of ``config`` so that all faults are told at once."""
    from fashionbert.config import load_settings
    from fashionbert.errors import SettingsError

    broken = [word for word in columns if "=" not in word]
    if broken:
        raise SettingsError("cannot read --columns", [f"{word!r} is not of the form ours=theirs" for word in broken])
    given = {"format": format, "text": text, "image_root": image_root}
    raise NotImplementedError(load_settings, given)
