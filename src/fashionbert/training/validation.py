"""R@1 on the validation split, cheap enough to be asked for many times in a run."""

from collections.abc import Callable

import numpy as np

from fashionbert.data import Examples
from fashionbert.evaluation.gallery import Gallery
from fashionbert.evaluation.protocols import DIRECTIONS, CandidateLists, draw_candidates
from fashionbert.evaluation.ranking import rank_lists, recall_at
from fashionbert.evaluation.systems import Indices, Scores, ScoreTable, System, vector_system
from fashionbert.scoring import Scorer

VALIDATION_SEED = 0


def draw_validation_lists(gallery: Gallery, queries: int) -> list[CandidateLists]:
    """Draw the lists that all validations of a run share: subcategory-101, both directions."""
    return [
        draw_candidates(gallery, "subcategory-101", direction, queries=queries, seed=VALIDATION_SEED)
        for direction in DIRECTIONS
    ]


def validate(
    scorer: Scorer,
    examples: Examples,
    lists: list[CandidateLists],
    *,
    with_pairs: bool,
    advance: Callable[[int], None] | None = None,
) -> dict[str, float]:
    """Measure R@1 of the pair model, of the vectors, or of both.

    Args:
        scorer: the model as it stands.
        examples: validation split, one row a product, in the gallery's order.
        lists: from :func:`draw_validation_lists`.
        with_pairs: whether the alignment task has begun; before that only vectors are measured.
        advance: called with the number of pairs just scored.

    Returns:
        ``pair.text_to_image``, ``vectors.image_to_text`` and so on, and ``recall_at_1``: the mean of both directions
        of the pair model, or of the vectors while there is no pair model.
    """
    figures: dict[str, float] = {}
    if scorer.has_vectors:
        texts_NE = scorer.encode_tokens(examples.texts)
        pictures_NE = scorer.encode_features(examples.read_features, len(examples))
        figures |= _recalls(vector_system("vectors", texts_NE, pictures_NE), lists, len(examples))
    if with_pairs:

        def margins(texts: Indices, pictures: Indices) -> Scores:
            return scorer.score_rows(examples, texts, pictures, advance)

        pair = System(name="pair", score_pairs=margins, pairs_at_once=scorer.pairs_at_once)
        figures |= _recalls(pair, lists, len(examples))
    system = "pair" if with_pairs else "vectors"
    figures["recall_at_1"] = float(np.mean([figures[f"{system}.{direction}"] for direction in DIRECTIONS]))
    return figures


def _recalls(system: System, lists: list[CandidateLists], size: int) -> dict[str, float]:
    table = ScoreTable(system, [drawn.pairs() for drawn in lists], size)
    figures = {}
    for drawn in lists:
        truth_QC = np.zeros(drawn.candidates.shape, np.bool_)
        truth_QC[:, 0] = True
        figures[f"{system.name}.{drawn.direction}"] = recall_at(
            rank_lists(table(*drawn.pairs()), truth_QC, drawn.present), 1
        )
    return figures
