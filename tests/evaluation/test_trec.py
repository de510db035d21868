from dataclasses import replace
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from ir_measures import RR, R, Success
from numpy.typing import NDArray

from fashionbert.evaluation.gallery import Gallery
from fashionbert.evaluation.protocols import DIRECTIONS, CandidateLists, Direction, draw_candidates
from fashionbert.evaluation.ranking import mean_reciprocal_rank, rank_lists, recall_at
from fashionbert.evaluation.trec import write_trec

NAN = float("nan")


def scores_with_ties_and_gaps(lists: CandidateLists) -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    scores_QC = rng.integers(12, size=lists.candidates.shape) / 12
    scores_QC[:, 0] += 0.5 * rng.random(len(scores_QC)).round(1)
    scores_QC[rng.random(scores_QC.shape) < 0.01] = NAN
    scores_QC[:5, 0] = NAN
    scores_QC[5] = NAN
    scores_QC[6] = 0.5
    return scores_QC


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_ir_measures_finds_our_figures(tmp_path: Path, large_gallery: Gallery, direction: Direction) -> None:
    lists = draw_candidates(large_gallery, "subcategory-101", direction, queries=120, seed=1)
    scores_QC = scores_with_ties_and_gaps(lists)
    run, qrels = write_trec(tmp_path, large_gallery, lists, scores_QC, "pair")
    ranks = rank_lists(scores_QC, lists.candidates == lists.queries[:, None])
    assert 6 <= np.isinf(ranks).sum() < 20
    measures = [Success @ 1, Success @ 5, Success @ 10, R @ 1, R @ 10, R @ 101, RR]
    theirs = ir_measures.calc_aggregate(
        measures, list(ir_measures.read_trec_qrels(str(qrels))), list(ir_measures.read_trec_run(str(run)))
    )
    ours = {
        **{Success @ k: recall_at(ranks, k) for k in (1, 5, 10)},
        **{R @ k: recall_at(ranks, k) for k in (1, 10, 101)},
        RR: mean_reciprocal_rank(ranks),
    }
    assert theirs == pytest.approx(ours)


def test_files_by_hand(tmp_path: Path, small_gallery: Gallery) -> None:
    gallery = replace(small_gallery, product_ids=("a", "b", "top 5%", "d", "e/1", "é"))
    lists = CandidateLists(
        protocol="random-101",
        direction="text_to_image",
        seed=3,
        queries=np.array([2, 4]),
        candidates=np.array([[2, 5, 3], [4, 2, -1]]),
    )
    run, qrels = write_trec(tmp_path, gallery, lists, np.array([[0.5, 0.5, 0.1], [NAN, 0.2, NAN]]), "a system")
    assert qrels.name == "random-101.text_to_image.seed3.qrels"
    assert qrels.read_text() == "top%205%25 0 top%205%25 1\ne%2F1 0 e%2F1 1\n"
    assert run.name == "random-101.text_to_image.seed3.a%20system.run"
    assert run.read_text().splitlines() == [
        "top%205%25 Q0 %C3%A9 1 3 a%20system",
        "top%205%25 Q0 top%205%25 2 2 a%20system",
        "top%205%25 Q0 d 3 1 a%20system",
        "e%2F1 Q0 top%205%25 1 1 a%20system",
    ]
