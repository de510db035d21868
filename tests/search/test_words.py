"""Words against texts: a hand-computed score, a naive one, and what counts as the same word."""

import math
from collections import Counter
from zlib import crc32

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionbert.search.words import WordIndex, word_ids


def index_of(texts: list[str]) -> WordIndex:
    return WordIndex(pa.array([word_ids(text) for text in texts], pa.list_(pa.uint32())))


def test_scores_are_those_computed_by_hand() -> None:
    """Two of three texts hold ``red`` and one ``linen``; their lengths are 2, 4 and 3, on average 3.

    red: ln(1 + 1.5/2.5) = 0.4700; linen: ln(1 + 2.5/1.5) = 0.9808. In the first text a word counts
    2.2 / (1 + 1.2 (0.25 + 0.75 * 2/3)) = 1.1579; in the second, red is there twice: 2 * 2.2 / (2 + 1.2 * 1.25) =
    1.2571.
    """
    scores = index_of(["red dress", "red red shirt sleeve", "linen blue trousers"]).scores("red linen")
    np.testing.assert_allclose(scores, [0.4700 * 1.1579, 0.4700 * 1.2571, 0.9808 * 1.0], atol=1e-4)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Linen shirts, article 4711", "4711"),
        ("Linen shirts, article 4711", "shirt"),
        ("Linen shirts, article 4711", "LINEN"),
        ("a café dress", "CAFE"),
        ("un cafe\u0301", "café"),
        ("a v-neck jumper", "V neck"),
        ("a red linen dress", '"red'),
        ("O'Neill jacket", "o'neill"),
        ("Straße und Кардиган", "кардиган"),
        ("Straße und Кардиган", "STRASSE"),
        ("Women's dress", "women\u2019s"),
        ("ﬁne knit", "fine"),
    ],
)
def test_the_same_word_is_found(text: str, query: str) -> None:
    scores = index_of([text, "something else"]).scores(query)
    assert scores[0] > 0
    assert scores[1] == 0


@pytest.mark.parametrize("query", ["", "levi's", "\"'(:*", "the with a", "trousers", "_", "\u0301"])
def test_what_is_no_word_of_any_text_finds_nothing(query: str) -> None:
    assert index_of(["a woman's red dress with the belt", ""]).scores(query).tolist() == [0, 0]


@pytest.mark.parametrize("texts", [[], [""], ["", ""]])
def test_texts_without_words_have_an_index(texts: list[str]) -> None:
    assert index_of(texts).scores("red").tolist() == [0.0] * len(texts)


WORDS = st.lists(st.sampled_from(["red", "blue", "dress", "shirt", "linen"]), max_size=8)


@given(st.lists(WORDS, min_size=1, max_size=12), WORDS)
def test_scores_are_those_of_the_formula(texts: list[list[str]], query: list[str]) -> None:
    mean = max(1.0, sum(map(len, texts)) / len(texts))
    expected = []
    for text in texts:
        counts, score = Counter(text), 0.0
        for word in set(query):
            holding = sum(word in other for other in texts)
            rarity = math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
            score += rarity * 2.2 * counts[word] / (counts[word] + 1.2 * (0.25 + 0.75 * len(text) / mean))
        expected.append(score)
    found = index_of([" ".join(text) for text in texts]).scores(" ".join(query))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_numbers_of_words_are_those_in_the_files() -> None:
    """They are kept in indexes: another number for the same word would find nothing there."""
    words = ["red", "dress", "evening", "organic", "add"]  # another version of the stemmer makes "even" and "organ"
    assert word_ids("The red dresses, evening, organic, added").tolist() == [crc32(word.encode()) for word in words]
    assert word_ids("red").tolist() == [4200685455]


def test_a_word_is_cut() -> None:
    """Each is remembered with its number, and strangers send them."""
    assert word_ids("q" * 10_000).tolist() == word_ids("q" * 64).tolist() != word_ids("q" * 63).tolist()
