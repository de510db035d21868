"""From a model's folder and the authors' evaluation files to a report."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from fashionbert.arithmetic import autocast, resolved
from fashionbert.errors import RunError
from fashionbert.evaluation.protocols import Direction
from fashionbert.files import file_hash, only_writer
from fashionbert.interop.pair_files import EVALUATION_SCHEMA, parse_schema
from fashionbert.interop.pair_report import Score, pair_report, write_pair_report
from fashionbert.interop.pair_scores import check_columns, score_files
from fashionbert.provenance import versions
from fashionbert.scoring.run_folder import WEIGHTS, load_model, pairs_were_learnt
from fashionbert.types import Precision


def evaluate_files(
    run: Path,
    files: Sequence[Path],
    out: Path,
    direction: Direction,
    *,
    score: Score = "probability",
    schema: str | None = None,
    device: str = "cpu",
    precision: Precision = "fp32",
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> dict[str, Any]:
    """Score files row by row and write ``scores.jsonl`` and ``report.json``; called again it goes on where it was.

    Args:
        run: run folder, or a folder that ``fashionbert convert`` made.
        files: with a pair in each row.
        out: where the report goes.
        direction: which side is the query.
        score: what orders a query's candidates.
        schema: columns of the files; None: :data:`EVALUATION_SCHEMA`.
        device: where the model runs.
        precision: arithmetic of the model.
        progress: called with the rows done and an estimate of those in all.

    Returns:
        The content of report.json.

    Raises:
        SettingsError: the schema is malformed or lacks columns.
        RunError: there is no usable model in ``run``, or one that has not learnt to score pairs.
        PairFileError: a file is malformed.
        FolderInUseError: another process writes into ``out``.
    """
    columns = parse_schema(schema or EVALUATION_SCHEMA)
    check_columns(columns, direction)
    model = load_model(run).eval()
    if not pairs_were_learnt(run):
        raise RunError(f"the model of {run} has learnt vectors alone, it cannot score pairs: train it to the end")
    model.to(torch.device(device))  # pyright: ignore[reportArgumentType]
    weights = file_hash(run / WEIGHTS)
    computed = resolved(precision, model.device)
    key = f"{weights} {computed} {model.device.type} {versions()}"
    with only_writer(out):
        (out / "report.json").unlink(missing_ok=True)
        with autocast(precision, model.device):
            scored = score_files(model, files, columns, direction, out, key=key, progress=progress)
        facts = {
            "model": {"run": run.name, "weights": weights},
            "files": [str(path) for path in files],
            "direction": direction,
            "precision": computed,
        }
        return write_pair_report(out, pair_report(scored, direction, score), facts)
