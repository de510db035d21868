from dataclasses import replace

import numpy as np
import pytest

from fashionbert.evaluation.gallery import UNKNOWN, Gallery
from fashionbert.evaluation.protocols import (
    ABSENT,
    DIRECTIONS,
    LIST_PROTOCOLS,
    CandidateLists,
    Direction,
    ListProtocol,
    ProtocolName,
    count_filled,
    draw_candidates,
    draw_pairs,
)


def draw(gallery: Gallery, protocol: ListProtocol = "random-101", seed: int = 0, queries: int = 1000) -> CandidateLists:
    return draw_candidates(gallery, protocol, "text_to_image", queries=queries, seed=seed)


@pytest.mark.parametrize("protocol", LIST_PROTOCOLS)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_every_list_keeps_the_protocol(large_gallery: Gallery, protocol: ListProtocol, direction: Direction) -> None:
    lists = draw_candidates(large_gallery, protocol, direction, queries=150, seed=7)
    assert lists.candidates.shape == (150, 101)
    assert len(set(lists.queries.tolist())) == 150
    for query, row in zip(lists.queries, lists.candidates, strict=True):
        assert row[0] == query
        assert len(set(row.tolist())) == 101
        assert np.all(large_gallery.groups[row[1:]] != large_gallery.groups[query])


def test_subcategory_lists_widen_only_when_they_must(large_gallery: Gallery) -> None:
    lists = draw(large_gallery, "subcategory-101")
    for query, row in zip(lists.queries, lists.candidates[:, 1:], strict=True):
        free = large_gallery.groups != large_gallery.groups[query]
        near = free & (large_gallery.subcategories == large_gallery.subcategories[query])
        wide = free & (large_gallery.categories == large_gallery.categories[query])
        in_near = near[row].sum()
        assert in_near == min(100, near.sum())
        assert wide[row].sum() == min(100, wide.sum())


def test_unknown_subcategories_are_not_alike(large_gallery: Gallery) -> None:
    unknown = large_gallery.subcategories == 0
    gallery = replace(
        large_gallery,
        subcategories=np.where(unknown, UNKNOWN, large_gallery.subcategories),
        categories=np.where(unknown, UNKNOWN, large_gallery.categories),
    )
    lists = draw(gallery, "subcategory-101")
    rows = lists.candidates[unknown[lists.queries], 1:]
    assert np.mean(unknown[rows]) == pytest.approx(300 / 400, abs=0.01)  # drawn from anywhere
    assert count_filled(gallery, lists)["queries_anywhere"] == 400


def test_random_lists_do_not_look_at_subcategories(large_gallery: Gallery) -> None:
    lists = draw(large_gallery)
    share = np.mean(large_gallery.subcategories[lists.candidates[:, 1:]] == 0)
    assert share == pytest.approx(300 / 400, abs=0.01)


def test_filled_places_are_counted(large_gallery: Gallery) -> None:
    counts = count_filled(large_gallery, draw(large_gallery, "subcategory-101"))
    lists_20, lists_80 = 20, 80
    assert (counts["queries"], counts["candidates"]) == (400, 40_000)
    assert counts["queries_category"] == lists_20
    assert counts["queries_anywhere"] == lists_80
    assert counts["candidates_category"] >= lists_20 * 81  # at most 19 of 100 are of the small subcategory
    assert counts["candidates_anywhere"] >= lists_80 * 21
    assert counts["candidates_missing"] == counts["queries_missing"] == 0
    assert count_filled(large_gallery, draw(large_gallery))["queries_anywhere"] == 0


def test_a_small_gallery_gives_short_lists(small_gallery: Gallery) -> None:
    lists = draw(small_gallery, "subcategory-101")
    others = {
        query: set(row[row != ABSENT].tolist()) - {query}
        for query, row in zip(lists.queries.tolist(), lists.candidates, strict=True)
    }
    assert others == {
        0: {2, 3, 4, 5},
        1: {2, 3, 4, 5},
        2: {0, 1, 3, 4, 5},
        3: {0, 1, 2, 4, 5},
        4: {0, 1, 2, 3, 5},
        5: {0, 1, 2, 3, 4},
    }
    counts = count_filled(small_gallery, lists)
    # of a's others c is of its subcategory, d of its category, e and f are from anywhere; f has no subcategory at all
    assert counts == {
        "queries": 6,
        "candidates": 28,
        "queries_category": 4,
        "candidates_category": 1 + 1 + 1 + 3,
        "queries_anywhere": 6,
        "candidates_anywhere": 2 + 2 + 2 + 2 + 5 + 5,
        "queries_missing": 6,
        "candidates_missing": 600 - 28,
    }


def test_draws_are_made_of_their_seed_and_direction(large_gallery: Gallery) -> None:
    first, again, other = draw(large_gallery), draw(large_gallery), draw(large_gallery, seed=1)
    back = draw_candidates(large_gallery, "random-101", "image_to_text", queries=1000, seed=0)
    assert np.array_equal(first.candidates, again.candidates)
    assert not np.array_equal(first.candidates, other.candidates)
    assert not np.array_equal(first.queries, back.queries)


def test_pairs_say_who_asks(small_gallery: Gallery) -> None:
    lists = draw(small_gallery, queries=1)
    texts, pictures = lists.pairs()
    assert texts[0, 0] == pictures[0, 0] == lists.queries[0]
    assert set(texts[0].tolist()) == {int(lists.queries[0]), ABSENT}
    assert np.array_equal(texts == ABSENT, pictures == ABSENT)
    back_texts, back_pictures = replace(lists, direction="image_to_text").pairs()
    assert np.array_equal(back_texts, pictures)
    assert np.array_equal(back_pictures, texts)


@pytest.mark.parametrize("protocol", [*LIST_PROTOCOLS, "full"])
def test_matching_pairs_are_balanced(large_gallery: Gallery, protocol: ProtocolName) -> None:
    pairs = draw_pairs(large_gallery, protocol, seed=0)
    right, wrong = pairs.labels, ~pairs.labels
    assert right.sum() == wrong.sum() == 400
    assert np.array_equal(pairs.texts[right], pairs.pictures[right])
    assert np.all(large_gallery.groups[pairs.texts[wrong]] != large_gallery.groups[pairs.pictures[wrong]])
    assert (pairs.texts[wrong] == pairs.anchors[wrong]).sum() == 200
    assert (pairs.pictures[wrong] == pairs.anchors[wrong]).sum() == 200
    codes = large_gallery.subcategories
    alike = np.mean(codes[pairs.texts[wrong]] == codes[pairs.pictures[wrong]])
    assert alike == 1.0 if protocol == "subcategory-101" else alike < 0.8
    assert np.array_equal(draw_pairs(large_gallery, protocol, seed=0).texts, pairs.texts)
    assert not np.array_equal(draw_pairs(large_gallery, protocol, seed=1).texts, pairs.texts)
