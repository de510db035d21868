import numpy as np
import pytest

from fashionbert.evaluation import released_scorer
from fashionbert.evaluation.released_scorer import arrange, correct, ranks_of, released_recall, scored_their_way


def test_by_hand() -> None:
    # Batches of two: rows 0 and 2 are spelt "q" and "r", rows 1 and 3 " q" and " r".
    recalls, queries = released_recall(
        ["q", "q", "r", "r"], np.array([False, True, True, False]), np.array([0.9, 0.1, 0.2, 0.8]), [1], batch_size=2
    )
    assert queries == 4
    assert recalls == [2 / 4]


def test_without_the_fault_every_query_is_answered() -> None:
    recalls, queries = released_recall(
        ["", "q", "q", "r", "r"],
        np.array([True, False, True, True, False]),
        np.array([0.0, 0.9, 0.1, 0.2, 0.8]),
        [1, 2],
        batch_size=100,
    )
    assert queries == 3
    assert recalls == [1 / 3, 1.0]


def test_a_perfect_model_gets_what_their_readme_prints() -> None:
    """1,000 lists of 101 in batches of 64, shuffled: R@100 comes out near their 0.5477 and 0.5599."""
    rng = np.random.default_rng(0)
    rows = rng.permutation(101_000)
    labels = rows % 101 == 0
    recalls, queries = released_recall([str(row // 101) for row in rows], labels, labels.astype(float), [1, 100])
    assert 1750 < queries < 1850
    assert recalls[1] == pytest.approx(0.555, abs=0.015)
    assert recalls[0] == pytest.approx(recalls[1], abs=0.001)


@pytest.mark.parametrize(
    ("direction", "hits", "counted", "printed"),
    [
        ("image_to_text", (444, 845, 942, 1000), 1826, ("0.243", "0.463", "0.516", "0.548")),
        ("text_to_image", (517, 857, 931, 1000), 1786, ("0.289", "0.480", "0.521", "0.560")),
    ],
)
def test_right_ranks_give_the_printed_figures_and_these_the_right_ones(
    direction: str, hits: tuple[int, ...], counted: int, printed: tuple[str, ...]
) -> None:
    cuts = released_scorer.CUTS
    assert (released_scorer.HITS[direction], released_scorer.COUNTED[direction]) == (hits, counted)
    ranks = ranks_of(hits)
    assert [(ranks <= cut).sum() for cut in cuts] == list(hits)
    rows = arrange(ranks, counted)
    assert len(rows.query_ids) == 101_000
    assert rows.labels.sum() == 1000
    recalls, queries = scored_their_way(direction)
    assert queries == counted
    assert tuple(f"{recall:.3f}" for recall in recalls) == printed
    assert recalls == pytest.approx(released_scorer.PRINTED[direction], abs=5e-6)

    corrected = correct(released_scorer.PRINTED[direction])
    assert (corrected.counted, corrected.hits) == (counted, hits)
    assert corrected.recall == tuple(hit / 1000 for hit in hits)


def test_the_arrangement_keeps_every_rank() -> None:
    """Read without the fault, the rows have the ranks that were asked for."""
    ranks = np.array([1, 3, 7, 2, 5, 1])
    rows = arrange(ranks, counted=9, candidates=9, batch_size=6)
    ids = np.array(rows.query_ids)
    for query, rank in enumerate(ranks):
        own = ids == str(query)
        assert own.sum() == 9
        assert 1 + (rows.scores[own] > rows.scores[own & rows.labels]).sum() == rank
    _, counted = released_recall(*rows, [1], batch_size=6)
    assert counted == 9


def test_figures_that_the_fault_does_not_explain() -> None:
    with pytest.raises(ValueError, match="no whole numbers of hits over 1826 queries"):
        correct((0.24350, 0.46276, 0.51588, 0.54765))
    with pytest.raises(ValueError, match="cannot look like 30 queries"):
        arrange(np.ones(10, np.int64), counted=30)
