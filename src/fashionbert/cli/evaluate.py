"""``fashionbert evaluate``: measure a run on a split of a catalogue."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fashionbert.cli.options import ArithmeticChoice, Assignments, Device, Features, SpeedChoice
from fashionbert.cli.pairs import (
    AskingSide,
    MorePairs,
    Pairs,
    RankedBy,
    Schema,
    evaluate_pairs,
    given,
    refuse_pair_options,
)

if TYPE_CHECKING:
    from fashionbert.config import EvaluationSettings, Settings
    from fashionbert.evaluation.gallery import Gallery
    from fashionbert.evaluation.protocols import CandidateLists
    from fashionbert.types import Precision, Speed


def evaluate(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the report; the same command goes on where it was.")],
    catalogue: Annotated[str | None, typer.Option("--catalogue", help="Catalogue to measure on.")] = None,
    split: Annotated[str, typer.Option("--split", help="Split of the catalogue.")] = "validation",
    protocols: Annotated[
        list[str] | None,
        typer.Option("--protocol", help="random-101, subcategory-101 or full; may be repeated."),
    ] = None,
    candidates: Annotated[
        list[Path] | None, typer.Option("--candidates", help="Candidate lists to use; may be repeated.")
    ] = None,
    rerank: Annotated[
        int, typer.Option("--rerank", min=1, help="Under full: how many of the vectors' best are re-ranked.")
    ] = 100,
    precision: ArithmeticChoice = "fp32",
    speed: SpeedChoice = None,
    trec: Annotated[bool, typer.Option("--trec", help="Also write TREC runs and qrels.")] = False,
    assignments: Assignments = None,
    features: Features = None,
    device: Device = "auto",
    pairs: Pairs = None,
    more_pairs: MorePairs = None,
    direction: AskingSide = None,
    score: RankedBy = None,
    schema: Schema = None,
) -> None:
    """Measure matching and retrieval in both directions and write a report with pictures.

    With --pairs in place of --catalogue: score the rows of the authors' feature files, in one direction.
    """
    if pairs:
        strange = {"--catalogue": catalogue, "--protocol": protocols, "--candidates": candidates, "--trec": trec}
        strange |= {"--set": assignments, "--features": features, "--speed": speed}
        files = [*pairs, *(more_pairs or ())]
        evaluate_pairs(run, files, out, direction, score, schema, precision, device, given(strange))
        return
    refuse_pair_options({"--direction": direction, "--score": score, "--schema": schema, "FILE": more_pairs}, catalogue)
    assert catalogue is not None, "refused above"
    settings = _settings(run, protocols, assignments, precision)
    _evaluate_catalogue(
        run, catalogue, out, split, settings, speed or "exact", candidates, rerank, trec, features, device
    )


def _evaluate_catalogue(
    run: Path,
    catalogue: str,
    out: Path,
    split: str,
    settings: "Settings",
    speed: "Speed",
    candidates: list[Path] | None,
    rerank: int,
    trec: bool,
    features: Path | None,
    device: str,
) -> None:
    from rich.console import Console

    from fashionbert.catalogue import open_catalogue
    from fashionbert.cli.faults import say_set_aside
    from fashionbert.cli.stores import open_store, torch_device
    from fashionbert.cli.tables import report_tables
    from fashionbert.evaluation.gallery import gallery_of
    from fashionbert.evaluation.measure import measure_run
    from fashionbert.scoring import Scorer

    whole = open_catalogue(catalogue, settings.catalogue)
    say_set_aside(whole, Console(stderr=True))
    products = whole.split(split)
    scorer = Scorer.from_pretrained(
        run,
        device=torch_device(device),
        precision=settings.training.precision,
        speed=speed,
        batch_size=settings.evaluation.batch_size,
    )
    console = Console()
    store = open_store(products, scorer.processor.extractor, features or out / "features", whole=whole)
    usable = products.subset([product_id in store for product_id in products.column("product_id")])
    lists = _read_lists(candidates, gallery_of(usable), settings.evaluation)
    with _progress(console) as progress:
        report = measure_run(
            scorer,
            usable,
            store,
            out,
            settings.evaluation,
            run=run,
            lists=lists,
            rerank=rerank,
            trec=trec,
            facts={
                "split": split,
                "catalogue": whole.name,
                "left_out": len(products) - len(usable),
                "set_aside": whole.reasons,
            },
            progress=progress,
        )
    for table in report_tables(report):
        console.print(table)
    for warning in report["warnings"]:
        console.print(f"warning: {warning}", soft_wrap=True)
    pictures = ", ".join(sorted(path.name for path in out.glob("*.png")))
    console.print(f"report: {out}/report.md and report.json; pictures beside them: {pictures}", soft_wrap=True)


def _settings(
    run: Path, protocols: list[str] | None, assignments: list[str] | None, precision: "Precision"
) -> "Settings":
    """The run's settings with what the command line says on top."""
    from fashionbert.config import Settings, changed
    from fashionbert.errors import SettingsError
    from fashionbert.evaluation.protocols import PROTOCOLS
    from fashionbert.scoring import read_settings

    others = set(Settings.model_fields) - {"catalogue", "evaluation"}
    idle = [word for word in assignments or () if word.split(".")[0].strip() in others]
    if idle:
        raise SettingsError(
            "evaluate takes --set of the parts catalogue and evaluation alone; the others were settled by training",
            [f"--set {word}: leave it out, or train another run with it" for word in idle],
        )
    if strange := [name for name in protocols or () if name not in PROTOCOLS]:
        raise SettingsError(f"--protocol is one of {', '.join(PROTOCOLS)}", [f"{name!r} is none" for name in strange])
    words = [*(assignments or ()), f"training.precision={precision}"]
    if protocols:
        words.append(f"evaluation.protocols=[{', '.join(protocols)}]")
    return changed(read_settings(run), words)


def _read_lists(
    files: list[Path] | None, gallery: "Gallery", settings: "EvaluationSettings"
) -> "list[CandidateLists] | None":
    from fashionbert.evaluation.candidate_files import read_candidates

    return [read_candidates(path, gallery) for path in files] if files else None


def _progress(console: Any) -> Any:
    from fashionbert.cli.bars import pair_progress

    return pair_progress(console)
