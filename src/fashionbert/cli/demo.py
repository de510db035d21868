"""``fashionbert demo``: the whole way, on a drawn shop from nothing and offline, or on one's own catalogue."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fashionbert.cli.options import Assignments

_DRAWN_GROUPS = 3000
_TOP = 5


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the shop, the run, the report and the index.")] = Path(
        "demo"
    ),
    groups: Annotated[int, typer.Option("--groups", min=200, help="Products to draw.")] = _DRAWN_GROUPS,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed draws another shop.")] = 0,
    catalogue: Annotated[
        str | None, typer.Option("--catalogue", help="Your own catalogue in place of a drawn shop.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", help="Settings; without it tiny for the drawn shop, fast for your own.")
    ] = None,
    assignments: Assignments = None,
) -> None:
    """Draw a shop, train the tiny model on it, measure it on products that it has never seen, and search among them.

    With --catalogue the same on your own, all of whose products are indexed; pre-trained networks come from the hub,
    or from where --set model.backbone and --set images.weights say. The same command goes on where it stopped.
    """
    from fashionbert.cli.evaluate import evaluate
    from fashionbert.cli.index import index
    from fashionbert.cli.train import train

    place = catalogue or str(_draw(out / "world", groups, seed))
    words = [f"training.seed={seed}", *(assignments or ())]
    train(catalogue=place, out=out / "run", preset=preset or ("fast" if catalogue else "tiny"), assignments=words)
    evaluate(out / "run", catalogue=place, out=out / "report")
    index(catalogue or str(out / "world" / "validation.csv"), model=out / "run", out=out / "index", prune=True)
    _search(out / "index")


def _draw(world: Path, groups: int, seed: int) -> Path:
    from fashionbert.cli.catalogue import synthetic

    if not (world / "world.json").exists():
        synthetic(world, groups=groups, seed=seed)
    _refuse_another_world(world, groups, seed)
    return world


def _refuse_another_world(world: Path, groups: int, seed: int) -> None:
    from fashionbert.errors import SettingsError

    facts = json.loads((world / "world.json").read_text("utf-8"))
    wanted = {"groups": groups, "seed": seed}
    faults = [
        f"--{name} {value}, but it was drawn with {facts[name]}"
        for name, value in wanted.items()
        if facts[name] != value
    ]
    if faults:
        raise SettingsError(f"{world} holds another shop: give another --out, or remove the folder", faults)


def _search(index: Path) -> None:
    """Show three searches."""
    from rich.console import Console

    from fashionbert.cli.search import answer_table
    from fashionbert.search import Query, SearchEngine

    engine = SearchEngine.open(index)
    like = engine.search(Query(top=1)).hits[0].product_id
    console = Console()
    for title, query in {
        "red dress with long sleeves": Query(text="red dress with long sleeves", top=_TOP),
        "striped shirt, but not blue": Query(text="striped shirt", unwanted=("blue",), top=_TOP),
        f"more like {like}": Query(more_like=(like,), top=_TOP),
    }.items():
        console.print(answer_table(engine.search(query), title))
    console.print(f"Look at it in a browser: fashionbert serve {index}", soft_wrap=True)
