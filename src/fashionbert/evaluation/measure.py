"""Measure a run folder: systems from its model, figures, report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from fashionbert.catalogue import Catalogue
from fashionbert.config import EvaluationSettings
from fashionbert.data import FeatureSource, build_examples
from fashionbert.evaluation.full import Rerank
from fashionbert.evaluation.gallery import gallery_of
from fashionbert.evaluation.grids import Examples as GridExamples
from fashionbert.evaluation.model import PAIR, VECTORS, model_systems
from fashionbert.evaluation.protocols import CandidateLists
from fashionbert.evaluation.report import write_report
from fashionbert.evaluation.run import evaluate
from fashionbert.evaluation.systems import Progress
from fashionbert.files import file_hash, fingerprint, only_writer
from fashionbert.images.decode import decode_picture
from fashionbert.provenance import versions
from fashionbert.scoring import Scorer, read_figures
from fashionbert.scoring.run_folder import WEIGHTS


def measure_run(
    scorer: Scorer,
    catalogue: Catalogue,
    features: FeatureSource,
    out: Path,
    settings: EvaluationSettings,
    *,
    run: Path,
    lists: Sequence[CandidateLists] | None = None,
    rerank: int = 100,
    trec: bool = False,
    facts: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluate a run's model on a split and write the report.

    Scores of pairs are kept in ``out/scores`` while the evaluation goes on, so the same call after an interruption
    continues it.

    Args:
        scorer: the run's model.
        catalogue: the split, every product of which has features.
        features: its feature store.
        out: folder of the report.
        settings: protocols, queries, draws.
        run: the run folder, whose weights the kept scores belong to.
        lists: candidate lists to use; None draws them.
        rerank: how many of the vectors' best candidates the pair model re-ranks under ``full``; with a model
            without vectors every pair is scored.
        trec: whether TREC files are written too.
        facts: what else the report should say.
        progress: called as the scoring goes on.

    Returns:
        The content of report.json.

    Raises:
        FolderInUseError: another process writes into ``out``.
    """
    examples = build_examples(
        catalogue,
        features,
        scorer.processor.tokenizer,
        max_tokens=scorer.processor.max_text_tokens,
        all_pictures=False,
    )
    weights = file_hash(run / WEIGHTS)
    extractor = scorer.processor.extractor.fingerprint
    arithmetic = [scorer.pace.numbers, scorer.pace.split_layers, scorer.mirrored, scorer.device.type, versions()]
    key = fingerprint([weights, catalogue.data_hash, extractor, *arithmetic])
    texts = catalogue.column("text")
    shown = GridExamples(
        texts=texts, picture=lambda index: decode_picture(catalogue[index].pictures[0].read(), name=None)
    )
    known = {
        "model": {"run": run.name, "weights": weights, "validation": read_figures(run)},
        "data_hash": catalogue.data_hash,
        "precision": scorer.pace.numbers,
        "split_layers": scorer.pace.split_layers,
        "device": torch.cuda.get_device_name() if scorer.device.type == "cuda" else scorer.device.type,
    }
    with only_writer(out):
        systems = model_systems(scorer, examples, out / "scores", key)
        both = scorer.has_vectors and scorer.scores_pairs
        two_stage = Rerank(first=VECTORS, second=PAIR, top=rerank) if both else None
        evaluation = evaluate(
            gallery_of(catalogue),
            systems,
            settings,
            lists=lists,
            full_systems=[VECTORS] if scorer.has_vectors else [PAIR],
            rerank=two_stage if "full" in settings.protocols else None,
            progress=progress,
        )
        return write_report(out, evaluation, {**known, **(facts or {})}, shown, trec=trec)
