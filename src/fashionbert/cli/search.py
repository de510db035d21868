"""``fashionbert search``: products of an index for words, a picture, or both."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashionbert.cli.options import Device, Model

if TYPE_CHECKING:
    from rich.table import Table

    from fashionbert.search import Answer, Hit

_LONGEST_CELL = 70
_LONGEST_ATTRIBUTE = 24
_ATTRIBUTES = 5


def search(
    index: Annotated[Path, typer.Argument(help="Folder of the index.")],
    text: Annotated[str, typer.Argument(help="Words, such as: red linen dress.")] = "",
    image: Annotated[Path | None, typer.Option(help="A picture of what is wanted.")] = None,
    filter: Annotated[
        str, typer.Option(help="Condition on attributes, such as: price < 50 and colour in (red, blue).")
    ] = "",
    top: Annotated[int, typer.Option(min=1, max=1000, help="Cards to show.")] = 20,
    rerank: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=1000,
            help="Cards that the pair model puts in order; 0: none.  [default: what bench frontier advised, or 50]",
        ),
    ] = None,
    unwanted: Annotated[
        list[str] | None, typer.Option("--not", help="Words that must not match; may be repeated.")
    ] = None,
    more_like: Annotated[
        list[str] | None, typer.Option("--more-like", metavar="ID", help="Like this product; may be repeated.")
    ] = None,
    less_like: Annotated[
        list[str] | None, typer.Option("--less-like", metavar="ID", help="Unlike this product; may be repeated.")
    ] = None,
    words: Annotated[
        bool, typer.Option("--words/--no-words", help="Let products that hold the words stand higher.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    model: Model = None,
    device: Device = "auto",
) -> None:
    """Find products by words, by a picture, or by both."""
    from rich.console import Console

    from fashionbert.cli.stores import torch_device
    from fashionbert.search import Query, SearchEngine

    query = Query(
        text=text,
        image=image,
        unwanted=tuple(unwanted or ()),
        more_like=tuple(more_like or ()),
        less_like=tuple(less_like or ()),
        filter=filter,
        top=top,
        words=words,
    )
    engine = SearchEngine.open(index, model=model, device=torch_device(device))
    answer = engine.search(replace(query, rerank=engine.cards if rerank is None else rerank))
    if as_json:
        typer.echo(json.dumps(asdict(answer), ensure_ascii=False, indent=2))
        return
    console = Console()
    if answer.nothing_matches:
        console.print("Nothing here matches well; the nearest that there is:")
    console.print(answer_table(answer, text or "search"))


def answer_table(answer: "Answer", title: str) -> "Table":
    """Make the table of an answer.

    Args:
        answer: what a search found.
        title: of the table.

    Returns:
        A row for each card.
    """
    from rich.table import Table
    from rich.text import Text

    calibrated = any(hit.confidence is not None for hit in answer.hits)
    shown = f"{len(answer.hits):,} of {answer.matches:,} cards, {sum(answer.milliseconds.values()):.0f} ms"
    table = Table(title=Text(title[:_LONGEST_CELL]), caption=shown)
    table.add_column("", justify="right")
    table.add_column("match" if calibrated else "score", justify="right")
    table.add_column("product", no_wrap=True)
    table.add_column("words")
    table.add_column("attributes")
    for place, hit in enumerate(answer.hits, start=1):
        words = hit.text if len(hit.text) <= _LONGEST_CELL else hit.text[: _LONGEST_CELL - 1] + "…"
        cells = (str(place), _match(hit), hit.product_id, words, _attributes(hit))
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _match(hit: "Hit") -> str:
    value = hit.probability if hit.confidence is None else hit.confidence
    return "" if value is None else f"{100 * value:.0f} %"


def _attributes(hit: "Hit") -> str:
    """What kind it is, and its short attributes; titles and descriptions are in its words already."""
    short = [value for value in hit.attributes.values() if len(value) <= _LONGEST_ATTRIBUTE]
    return ", ".join(dict.fromkeys(filter(None, [hit.subcategory or hit.category, *short[:_ATTRIBUTES]])))
