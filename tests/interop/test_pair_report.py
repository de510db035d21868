import numpy as np
import pytest

from fashionbert.interop import pair_report
from fashionbert.interop.pair_report import rank_rows
from fashionbert.interop.pair_scores import ScoredRows


def scored(*rows: tuple[str, int, float, float]) -> ScoredRows:
    """Rows of query, label, logit of no match, logit of match."""
    return ScoredRows(
        queries=tuple(query for query, _, _, _ in rows),
        candidates=tuple(f"c{number}" for number in range(len(rows))),
        labels=np.array([label == 1 for _, label, _, _ in rows]),
        logits=np.array([pair for _, _, *pair in rows], np.float64),
    )


ROWS = scored(
    ("b", 0, 0.0, 1.0),
    ("a", 1, 0.0, 2.0),  # margin 2: first by probability; by the raw logit, 2, behind the 3 of the row below
    ("a", 0, 5.0, 3.0),
    ("b", 1, 0.0, 1.0),  # a tie counts against the model: second
    ("b", 0, 0.0, -9.0),
    ("c", 0, 0.0, 1.0),  # no right answer: missed
)


def test_ranks_by_hand() -> None:
    queries, margins = np.array([1, 0, 0, 1, 1, 2]), ROWS.logits[:, 1] - ROWS.logits[:, 0]
    ranking = rank_rows(queries, ROWS.labels, margins)
    assert ranking.ranks.tolist() == [1.0, 2.0, np.inf]
    assert ranking.sizes.tolist() == [2, 3, 1]
    assert ranking.relevant.tolist() == [1, 1, 0]
    assert rank_rows(queries, ROWS.labels, ROWS.logits[:, 1]).ranks.tolist() == [2.0, 2.0, np.inf]


def test_the_report() -> None:
    report = pair_report(ROWS, "image_to_text", "probability")
    figures = report["image_to_text"]
    assert figures["recall_at_1"] == pytest.approx(1 / 3)
    assert figures["recall_at_5"] == figures["recall_at_10"] == pytest.approx(2 / 3)
    assert (figures["queries"], figures["missed"]) == (3, 1)
    assert figures["chance"]["recall_at_1"] == pytest.approx((1 / 2 + 1 / 3 + 0) / 3)
    # Right: both right pairs, and the two wrong ones with a negative margin.
    assert report["matching"]["accuracy"] == pytest.approx(4 / 6)
    # Of 2 x 4 comparisons of a right with a wrong pair: 4 won by margin 2; margin 1 wins 2 and ties 2.
    assert report["matching"]["auc"] == pytest.approx((4 + 2 + 1) / 8)
    assert "text_to_image" not in report
    assert len(report["warnings"]) == 1
    assert "1 of 3 queries have no right answer" in report["warnings"][0]


def test_the_authors_way_to_rank() -> None:
    report = pair_report(ROWS, "text_to_image", "logit1")
    assert report["text_to_image"]["recall_at_1"] == 0.0
    assert report["matching"]["accuracy"] == pytest.approx(4 / 6)


def test_rows_that_are_all_right_pairs() -> None:
    report = pair_report(scored(("a", 1, 0.0, 1.0), ("b", 1, 0.0, -1.0)), "image_to_text", "probability")
    assert report["image_to_text"]["recall_at_1"] == 1.0
    assert report["matching"]["accuracy"] == 0.5
    assert report["matching"]["auc"] is None
    assert report["matching"]["auc_interval"] == [None, None]


def test_few_right_pairs_are_remarked() -> None:
    rows = [("a", int(number == 0), 0.0, float(-number)) for number in range(101)]
    (warning,) = pair_report(scored(*rows), "image_to_text", "probability")["warnings"]
    assert warning == "1.0% of the rows are right pairs: answering no to all would have an accuracy of 99.0%"


def test_sure_answers_keep_their_order_in_the_auc() -> None:
    """Margins of 45 and 50 are both a probability of 1."""
    report = pair_report(scored(("a", 1, 0.0, 50.0), ("a", 0, 0.0, 45.0)), "image_to_text", "probability")
    assert report["image_to_text"]["recall_at_1"] == 1.0
    assert report["matching"]["auc"] == 1.0


def test_equal_logits_say_no_match() -> None:
    """As the argmax of the authors' code."""
    report = pair_report(scored(("a", 1, 3.0, 3.0), ("a", 0, 2.0, 2.0)), "image_to_text", "probability")
    assert report["matching"]["accuracy"] == 0.5


def test_one_query_with_very_many_rows() -> None:
    queries = np.concatenate([np.zeros(2000, np.int64), np.arange(1, 2001)])
    right, scores = np.concatenate([np.arange(2000) == 0, np.ones(2000, bool)]), np.zeros(4000)
    scores[:2000] = -np.arange(2000)
    assert rank_rows(queries, right, scores).ranks.tolist() == [1.0] * 2001
