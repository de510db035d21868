"""``fashionbert evaluate --pairs``: score the rows of the authors' feature files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

if TYPE_CHECKING:
    from fashionbert.types import Precision

Pairs: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option("--pairs", help="File of the authors' code with a pair in each row; may be repeated."),
]
MorePairs: TypeAlias = Annotated[
    list[Path] | None, typer.Argument(help="With --pairs: further files, such as a shell makes of part-*.")
]
AskingSide: TypeAlias = Annotated[
    Literal["image-to-text", "text-to-image"] | None,
    typer.Option("--direction", help="With --pairs: which side is the query."),
]
RankedBy: TypeAlias = Annotated[
    Literal["probability", "logit1"] | None,
    typer.Option(
        "--score", help="With --pairs: what ranks, probability (default) or logit1, the authors' raw logit of class 1."
    ),
]
Schema: TypeAlias = Annotated[
    str | None,
    typer.Option("--schema", help="With --pairs: name:kind:length of each column; without it the published one."),
]


def given(options: Mapping[str, Any]) -> list[str]:
    """Name the options that have a value."""
    return [name for name, value in options.items() if value]


def refuse_pair_options(options: Mapping[str, Any], catalogue: str | None) -> None:
    """Refuse what makes sense with ``--pairs`` alone, and a command that names neither pairs nor a catalogue.

    Args:
        options: value of each by name.
        catalogue: that of ``--catalogue``.

    Raises:
        SettingsError: there are such options, or no catalogue.
    """
    from fashionbert.errors import SettingsError

    faults = [f"{name} needs --pairs" for name in given(options)]
    if catalogue is None:
        faults.insert(0, "name what to measure on: --catalogue PATH, or --pairs FILE with --direction")
    if faults:
        raise SettingsError("the options do not go together", faults)


def evaluate_pairs(
    run: Path,
    files: Sequence[Path],
    out: Path,
    direction: str | None,
    score: Literal["probability", "logit1"] | None,
    schema: str | None,
    precision: "Precision",
    device: str,
    strange: Sequence[str],
) -> None:
    """Score files, write scores.jsonl and report.json, print the figures.

    Args:
        run: folder of the model.
        files: with a pair in each row.
        out: where the report goes.
        direction: which side is the query.
        score: what ranks.
        schema: the files' columns; None: the published evaluation schema.
        precision: arithmetic.
        device: where the model runs.
        strange: options that were given and mean nothing here.

    Raises:
        SettingsError: the options do not go together, or the schema lacks columns.
        PairFileError: a file is malformed.
        FolderInUseError: another process writes into ``out``.
    """
    from fashionbert.errors import SettingsError

    faults = [f"{name} does not go with --pairs" for name in strange]
    if direction is None:
        faults.append("--pairs needs --direction image-to-text or --direction text-to-image")
    if faults:
        raise SettingsError("the options do not go together", faults)
    assert direction is not None, "refused above"

    from rich.console import Console

    from fashionbert.cli.bars import pair_progress
    from fashionbert.cli.stores import torch_device
    from fashionbert.cli.tables import pair_tables
    from fashionbert.interop import evaluate_files

    console = Console()
    with pair_progress(console) as show:
        report = evaluate_files(
            run,
            files,
            out,
            "image_to_text" if direction == "image-to-text" else "text_to_image",
            score=score or "probability",
            schema=schema,
            device=torch_device(device),
            precision=precision,
            progress=lambda done, about: show("rows", done, about),
        )
    for table in pair_tables(report):
        console.print(table)
    for warning in report["warnings"]:
        console.print(f"warning: {warning}", soft_wrap=True)
    console.print(f"report: {out}/report.json; a line for each row: {out}/scores.jsonl", soft_wrap=True)
