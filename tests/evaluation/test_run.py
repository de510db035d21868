from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fashionbert.config import EvaluationSettings
from fashionbert.errors import ProtocolError
from fashionbert.evaluation.full import Rerank
from fashionbert.evaluation.gallery import Gallery
from fashionbert.evaluation.protocols import DIRECTIONS, draw_candidates
from fashionbert.evaluation.run import Evaluation, draw_lists, evaluate
from fashionbert.evaluation.systems import Indices, System

SETTINGS = EvaluationSettings(protocols=("random-101", "subcategory-101"), queries=30, draws=3, seed=4, bootstrap=20)


def matrix_system(matrix_NN: NDArray[np.float64], name: str = "pair", *, blocks: bool = False) -> System:
    return System(
        name=name,
        score_pairs=lambda texts, pictures: matrix_NN[texts, pictures],
        score_block=(lambda texts, pictures: matrix_NN[np.ix_(texts, pictures)]) if blocks else None,
    )


def luck(size: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).random((size, size))


def test_an_oracle_is_never_wrong(large_gallery: Gallery) -> None:
    settings = SETTINGS.model_copy(update={"protocols": ("random-101", "full")})
    evaluation = evaluate(large_gallery, [matrix_system(np.eye(400), blocks=True)], settings)
    for ranking in evaluation.rankings.values():
        assert np.all(ranking.ranks == 1)


def test_a_constant_scorer_is_always_last(large_gallery: Gallery) -> None:
    evaluation = evaluate(large_gallery, [matrix_system(np.zeros((400, 400)))], SETTINGS)
    for ranking in evaluation.rankings.values():
        assert np.all(ranking.ranks == 101)


def test_ranks_are_those_of_each_list_by_itself(large_gallery: Gallery) -> None:
    matrix_NN = luck(400)
    evaluation = evaluate(large_gallery, [matrix_system(matrix_NN)], SETTINGS)
    for direction in DIRECTIONS:
        ranking = evaluation.rankings["subcategory-101", direction, "pair"]
        assert ranking.ranks.shape == (90,)
        assert np.unique(ranking.draws).tolist() == [4, 5, 6]
        for seed in (4, 5, 6):
            lists = draw_candidates(large_gallery, "subcategory-101", direction, queries=30, seed=seed)
            ranks = ranking.ranks[ranking.draws == seed]
            for query, row, rank in zip(lists.queries, lists.candidates, ranks, strict=True):
                scores = matrix_NN[query, row] if direction == "text_to_image" else matrix_NN[row, query]
                assert rank == 1 + (scores[1:] >= scores[0]).sum()


def test_no_pair_is_scored_twice_and_progress_ends(large_gallery: Gallery) -> None:
    asked: list[int] = []
    seen: list[tuple[str, int, int]] = []

    def score(texts: Indices, pictures: Indices) -> NDArray[np.float64]:
        asked.extend((1000 * texts + pictures).tolist())
        return texts.astype(np.float64)

    evaluate(large_gallery, [System(name="pair", score_pairs=score)], SETTINGS, progress=lambda *now: seen.append(now))
    assert len(asked) == len(set(asked))
    assert seen[-1] == ("pair: lists", len(asked), len(asked))


def test_a_query_without_a_score_is_missed_not_dropped(large_gallery: Gallery) -> None:
    matrix_NN = np.eye(400)
    matrix_NN[np.arange(0, 400, 2), np.arange(0, 400, 2)] = np.nan
    evaluation = evaluate(large_gallery, [matrix_system(matrix_NN)], SETTINGS)
    ranking = evaluation.rankings["random-101", "text_to_image", "pair"]
    assert len(ranking.ranks) == 90
    assert np.array_equal(np.isinf(ranking.ranks), ranking.queries % 2 == 0)
    assert ranking.recall_at(101) == np.mean(ranking.queries % 2 == 1)


def test_given_lists_are_used(large_gallery: Gallery) -> None:
    systems = [matrix_system(luck(400))]
    settings = SETTINGS.model_copy(update={"protocols": ("random-101",)})
    lists = draw_lists(large_gallery, settings.model_copy(update={"seed": 99}))
    evaluation = evaluate(large_gallery, systems, settings, lists=lists)
    assert evaluation.lists == lists
    assert np.unique(evaluation.rankings["random-101", "image_to_text", "pair"].draws).tolist() == [99, 100, 101]


def test_lists_must_fit_the_protocols(large_gallery: Gallery) -> None:
    lists = draw_lists(large_gallery, SETTINGS)
    only_random = SETTINGS.model_copy(update={"protocols": ("random-101",)})
    with pytest.raises(ProtocolError, match="but the evaluation needs random-101 image_to_text, random-101 text_to"):
        evaluate(large_gallery, [matrix_system(luck(400))], only_random, lists=lists)
    with pytest.raises(ProtocolError, match="lists are for nothing, but"):
        evaluate(large_gallery, [matrix_system(luck(400))], only_random, lists=[])


def full_evaluation(gallery: Gallery, **options: Any) -> Evaluation:
    settings = SETTINGS.model_copy(update={"protocols": ("full",)})
    systems = [matrix_system(luck(400)), matrix_system(luck(400, 1), "vectors", blocks=True)]
    return evaluate(gallery, systems, settings, **options)


def test_full_runs_the_cheap_systems_unless_told(large_gallery: Gallery) -> None:
    assert full_evaluation(large_gallery).ranked_systems("full") == ["vectors"]
    assert full_evaluation(large_gallery, full_systems=["pair"]).ranked_systems("full") == ["pair"]
    rerank = Rerank(first="vectors", second="pair", top=10)
    evaluation = full_evaluation(large_gallery, rerank=rerank)
    assert evaluation.ranked_systems("full") == ["vectors then pair", "vectors"]
    assert evaluation.ranked_systems("exact") == ["vectors then pair", "vectors"]
    ranking = evaluation.rankings["full", "text_to_image", "vectors"]
    sizes_of_groups = np.bincount(large_gallery.groups)
    assert np.array_equal(ranking.relevant, sizes_of_groups[large_gallery.groups])
    assert np.all(evaluation.rankings["exact", "text_to_image", "vectors"].relevant == 1)


def test_full_needs_a_system(large_gallery: Gallery) -> None:
    settings = SETTINGS.model_copy(update={"protocols": ("full",)})
    with pytest.raises(ProtocolError, match="name one in full_systems, or rerank"):
        evaluate(large_gallery, [matrix_system(luck(400))], settings)


def test_systems_must_be_known_by_name(large_gallery: Gallery) -> None:
    for options in ({"full_systems": ["words"]}, {"rerank": Rerank(first="vectors", second="words")}):
        with pytest.raises(ValueError, match="words"):
            full_evaluation(large_gallery, **options)
    with pytest.raises(ValueError, match="differ in name"):
        evaluate(large_gallery, [matrix_system(luck(400))] * 2, SETTINGS)


def test_luck_reaches_the_chance_line(large_gallery: Gallery) -> None:
    settings = EvaluationSettings(protocols=("subcategory-101",), queries=400, draws=1)
    hits = [
        evaluate(large_gallery, [matrix_system(luck(400, seed))], settings)
        .rankings["subcategory-101", "text_to_image", "pair"]
        .recall_at(10)
        for seed in range(5)
    ]
    assert np.mean(hits) == pytest.approx(10 / 101, abs=4 * np.sqrt(10 / 101 * 91 / 101 / 2000))
