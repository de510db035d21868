"""The report of an evaluation: report.json, report.md, pictures, candidate lists, TREC files.

report.json holds the main system's figures of the first protocol on top::

    {"text_to_image": {"recall_at_1": 0.553, "recall_at_1_interval": [0.524, 0.582], ..., "chance": {...}},
     "image_to_text": {...},
     "matching": {"accuracy": 0.91, "accuracy_interval": [...], "auc": 0.97, ..., "bins": [...]},
     "systems": {"vectors": {...}}, "difference": {"vectors": {...}}, "protocols": {"full": {...}, ...}}
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fashionbert.evaluation import style
from fashionbert.evaluation.candidate_files import file_name, write_candidates
from fashionbert.evaluation.curves import TITLES, recall_curves, reliability_diagram
from fashionbert.evaluation.figures import protocol_figures
from fashionbert.evaluation.grids import Examples, example_grid
from fashionbert.evaluation.markdown import WORDS, markdown, warnings_of
from fashionbert.evaluation.run import Evaluation
from fashionbert.evaluation.trec import write_trec
from fashionbert.files import write_json, write_text
from fashionbert.provenance import commit, versions

_OURS = (
    *(f"recall_{protocol}.png" for protocol in WORDS),
    "reliability.png",
    *(f"examples_{direction}.png" for direction in TITLES),
    *(f"{kind}.{direction}.seed*" for kind in ("candidates/*-101", "trec/*-101") for direction in TITLES),
)
"""What an earlier report in the same folder may have left; other files of the folder are the user's."""


def build_report(evaluation: Evaluation, facts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Compute every figure: the content of report.json.

    Args:
        evaluation: what was measured.
        facts: what the caller knows besides, e.g. ``commit``, ``data_hash``, ``model``, ``command``; kept on top.

    Returns:
        JSON values, equal to what is read back from the file.
    """
    protocols = {protocol: protocol_figures(evaluation, protocol) for protocol in evaluation.settings.protocols}
    gallery = evaluation.gallery
    report: dict[str, Any] = {**protocols[evaluation.settings.protocols[0]], "commit": commit(), **(facts or {})}
    report["settings"] = evaluation.settings.model_dump(mode="json")
    report["versions"] = versions()
    report["gallery"] = {
        "products": len(gallery),
        "groups": len(np.unique(gallery.groups)),
        "fingerprint": gallery.fingerprint,
    }
    report["protocols"] = protocols
    report["warnings"] = warnings_of(report)
    return json.loads(json.dumps(report, allow_nan=False))


def write_report(
    folder: Path,
    evaluation: Evaluation,
    facts: Mapping[str, Any] | None = None,
    examples: Examples | None = None,
    *,
    trec: bool = False,
) -> dict[str, Any]:
    """Write everything into ``folder``; report.json comes last, so that it is there only when all else is.

    Args:
        folder: made if it is not there.
        evaluation: what was measured.
        facts: see :func:`build_report`.
        examples: words and pictures for the example grids; None draws none.
        trec: also write TREC runs and qrels, some 4 MB for each draw, direction and system.

    Returns:
        The content of report.json.
    """
    report = build_report(evaluation, facts)
    (folder / "report.json").unlink(missing_ok=True)
    for pattern in _OURS:
        for old in folder.glob(pattern):
            old.unlink()
    pictures = _write_pictures(folder, evaluation, report, examples)
    for place, lists in enumerate(evaluation.lists):
        write_candidates(folder / "candidates" / file_name(lists), evaluation.gallery, lists)
        for system, scores in evaluation.list_scores.items() if trec else ():
            write_trec(folder / "trec", evaluation.gallery, lists, scores[place], system)
    write_text(folder / "report.md", markdown(report, pictures))
    write_json(folder / "report.json", report)
    return report


def _write_pictures(
    folder: Path, evaluation: Evaluation, report: Mapping[str, Any], examples: Examples | None
) -> dict[str, str]:
    figures = {}
    for protocol in evaluation.settings.protocols:
        figures[f"Recall, {protocol}"] = f"recall_{protocol}.png", recall_curves(evaluation, protocol)
    main = evaluation.systems[0]
    if main.probabilities:
        figures["Reliability"] = "reliability.png", reliability_diagram(report["matching"], main.name)
    if examples is not None and evaluation.lists:
        first = evaluation.lists[0]
        for direction, title in TITLES.items():
            key = (first.protocol, direction, first.seed)
            for lists, scores in zip(evaluation.lists, evaluation.list_scores[main.name], strict=True):
                if (lists.protocol, lists.direction, lists.seed) == key:
                    figures[f"Examples, {title}"] = f"examples_{direction}.png", example_grid(lists, scores, examples)
    for name, figure in figures.values():
        style.save(figure, folder / name)
    return {caption: name for caption, (name, _) in figures.items()}
