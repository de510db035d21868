import numpy as np
import pytest

from fashionbert.evaluation.released_scorer import released_recall


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


def test_the_printed_figures_are_whole_numbers_of_hits() -> None:
    image_to_text = [0.243154, 0.462760, 0.515882, 0.547645]
    hits = [444, 845, 942, 1000]
    assert [hit / 1826 for hit in hits] == pytest.approx(image_to_text, abs=1e-6)
