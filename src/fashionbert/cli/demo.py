"""``fashionbert demo``: the whole way on a drawn shop, from nothing, offline."""

import json
from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the shop, the run and the report.")] = Path("demo"),
    groups: Annotated[int, typer.Option("--groups", min=200, help="Products to draw.")] = 3000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed draws another shop.")] = 0,
) -> None:
    """Draw a shop, train the tiny model on it, measure it on products that it has never seen.

    Takes some minutes on two cores; the same command goes on where it stopped.
    """
    from fashionbert.cli.catalogue import synthetic
    from fashionbert.cli.evaluate import evaluate
    from fashionbert.cli.train import train

    world, run, report = out / "world", out / "run", out / "report"
    if not (world / "world.json").exists():
        synthetic(world, groups=groups, seed=seed)
    _refuse_another_world(world, groups, seed)
    words = [f"training.seed={seed}"]
    train(catalogue=str(world), out=run, preset="tiny", assignments=words)
    evaluate(run, catalogue=str(world), out=report)


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
