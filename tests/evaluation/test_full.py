import numpy as np
import pytest
from numpy.typing import NDArray

from fashionbert.evaluation import full
from fashionbert.evaluation.full import best_candidates, put_on_top, rank_full, rank_two_stage
from fashionbert.evaluation.gallery import Gallery
from fashionbert.evaluation.protocols import DIRECTIONS
from fashionbert.evaluation.systems import System

NAN = float("nan")


def matrix_system(name: str, matrix_NN: NDArray[np.float64], *, blocks: bool) -> System:
    return System(
        name=name,
        score_pairs=lambda texts, pictures: matrix_NN[texts, pictures],
        score_block=(lambda texts, pictures: matrix_NN[np.ix_(texts, pictures)]) if blocks else None,
    )


def naive_rank(scores: list[float], relevant: set[int]) -> float:
    best = max(scores[at] for at in relevant)
    return 1 + sum(score >= best for at, score in enumerate(scores) if at not in relevant)


@pytest.mark.parametrize("blocks", [True, False])
def test_full_ranks_by_a_naive_reference(small_gallery: Gallery, blocks: bool) -> None:
    matrix_NN = np.random.default_rng(1).integers(5, size=(6, 6)).astype(float)
    ranks = rank_full(small_gallery, matrix_system("s", matrix_NN, blocks=blocks))
    for query in range(6):
        kin = set(np.flatnonzero(small_gallery.groups == small_gallery.groups[query]).tolist())
        row, column = matrix_NN[query].tolist(), matrix_NN[:, query].tolist()
        assert ranks["full", "text_to_image"][query] == naive_rank(row, kin)
        assert ranks["full", "image_to_text"][query] == naive_rank(column, kin)
        assert ranks["exact", "text_to_image"][query] == naive_rank(row, {query})
        assert ranks["exact", "image_to_text"][query] == naive_rank(column, {query})


def test_the_matrix_of_a_dear_system_is_asked_for_once_in_portions(small_gallery: Gallery) -> None:
    asked: list[int] = []
    seen: list[tuple[str, int, int]] = []

    def score(texts: NDArray[np.int64], pictures: NDArray[np.int64]) -> NDArray[np.float64]:
        asked.append(len(texts))
        return texts.astype(np.float64)

    system = System(name="pair", score_pairs=score, pairs_at_once=15)
    rank_full(small_gallery, system, lambda *now: seen.append(now))
    assert asked == [12, 12, 12]
    assert seen == [("pair: full", done, 36) for done in (12, 24, 36)]


def test_the_second_stage_stands_on_top() -> None:
    first_QN = np.array([[0.9, 0.8, 0.7, 0.1, 0.2], [0.5, NAN, 0.5, 0.4, 0.3]])
    best_QK = best_candidates(lambda rows: first_QN[rows], 2, top=3)
    assert best_QK.tolist() == [[0, 1, 2], [0, 2, 3]]
    merged_QN = put_on_top(first_QN, best_QK, np.array([[0.1, 0.3, 0.2], [0.0, 0.0, NAN]]))
    assert np.argsort(-merged_QN[0]).tolist() == [1, 2, 0, 4, 3]
    assert merged_QN[1, 0] == merged_QN[1, 2] > merged_QN[1, 4]
    assert np.isnan(merged_QN[1, [1, 3]]).all()


def test_those_without_a_score_are_not_among_the_best() -> None:
    scores_QN = np.array([[NAN, 0.1, 0.1, NAN, 0.3]])
    assert best_candidates(lambda rows: scores_QN[rows], 1, top=4).tolist() == [[4, 1, 2, 0]]
    assert best_candidates(lambda rows: scores_QN[rows], 1, top=99).shape == (1, 5)


@pytest.mark.parametrize("chunk", [4, 256])
def test_two_stages_by_a_naive_reference(large_gallery: Gallery, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(full, "QUERIES_AT_ONCE", chunk)
    rng = np.random.default_rng(2)
    small = np.arange(30)
    gallery = Gallery(
        product_ids=large_gallery.product_ids[:30],
        groups=small // 2,
        categories=small * 0,
        subcategories=small * 0,
    )
    first_NN, second_NN = rng.random((2, 30, 30))
    asked: list[tuple[int, int]] = []

    def second_score(texts: NDArray[np.int64], pictures: NDArray[np.int64]) -> NDArray[np.float64]:
        asked.extend(zip(texts.tolist(), pictures.tolist(), strict=True))
        return second_NN[texts, pictures]

    ranks = rank_two_stage(
        gallery, matrix_system("v", first_NN, blocks=True), System(name="p", score_pairs=second_score), top=8
    )
    wanted = set()
    for query in range(30):
        for direction in DIRECTIONS:
            to_images = direction == "text_to_image"
            first, second = (each[query] if to_images else each[:, query] for each in (first_NN, second_NN))
            best = np.argsort(-first)[:8].tolist()
            rest = np.argsort(-first)[8:].tolist()
            order = sorted(best, key=lambda at, s=second: -s[at]) + rest
            kin = {query - query % 2, query - query % 2 + 1}
            firsts = min(place for place, at in enumerate(order) if at in kin)
            assert ranks["full", direction][query] == 1 + firsts
            assert ranks["exact", direction][query] == 1 + order.index(query)
            wanted |= {(query, at) if to_images else (at, query) for at in best}
    assert sorted(asked) == sorted(wanted)


def test_re_ranking_everything_is_the_second_system(small_gallery: Gallery) -> None:
    first_NN, second_NN = np.random.default_rng(3).random((2, 6, 6))
    second = matrix_system("p", second_NN, blocks=False)
    both = rank_two_stage(small_gallery, matrix_system("v", first_NN, blocks=True), second, top=100)
    alone = rank_full(small_gallery, second)
    for key, ranks_N in alone.items():
        assert both[key].tolist() == ranks_N.tolist()


def test_sure_matches_are_no_ties(small_gallery: Gallery) -> None:
    """1 - 1e-9 is 1 in float32."""
    matrix_NN = np.full((6, 6), 1.0 - 2e-9)
    np.fill_diagonal(matrix_NN, 1.0 - 1e-9)
    ranks = rank_full(small_gallery, matrix_system("s", matrix_NN, blocks=False))
    assert (ranks["exact", "text_to_image"] == 1).all()
