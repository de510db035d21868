import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from fashionbert.text import NO_WORD, learn_tokenizer, tokenize


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return learn_tokenizer(["red dress", "red dress", "round-neck"], 100)


def test_by_hand(tokenizer: PreTrainedTokenizerFast) -> None:
    ids, words = tokenize(tokenizer, ["red round-neck dress"], 64)[0]
    pieces = ["[CLS]", "red", "r", "##o", "##u", "##n", "##d", "-", "n", "##e", "##c", "##k", "dress", "[SEP]"]
    assert tokenizer.convert_ids_to_tokens(ids.tolist()) == pieces
    assert words.tolist() == [NO_WORD, 0, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 4, NO_WORD]


def test_flat_arrays_give_back_each_text(tokenizer: PreTrainedTokenizerFast) -> None:
    texts = ["red", "", "dress red dress", "neck"]
    tokenized = tokenize(tokenizer, texts, 64)
    assert len(tokenized) == 4
    assert tokenized.lengths.tolist() == [3, 2, 5, 6]
    for row, text in enumerate(texts):
        assert tokenized[row][0].tolist() == tokenizer(text)["input_ids"]
    assert (tokenized.ids.dtype, tokenized.words.dtype) == (np.int32, np.int16)


def test_cut_texts_still_end_in_sep(tokenizer: PreTrainedTokenizerFast) -> None:
    ids, words = tokenize(tokenizer, ["red dress red dress red"], 4)[0]
    assert tokenizer.convert_ids_to_tokens(ids.tolist()) == ["[CLS]", "red", "dress", "[SEP]"]
    assert words.tolist() == [NO_WORD, 0, 1, NO_WORD]


def test_a_text_that_just_fits_is_not_cut(tokenizer: PreTrainedTokenizerFast) -> None:
    texts = tokenize(tokenizer, ["red dress", "red dress red", "red", ""], 4)
    assert texts.lengths.tolist() == [4, 4, 3, 2]
    assert texts.cut.tolist() == [False, True, False, False]
    assert texts.rows(np.array([1, 0])).cut.tolist() == [True, False]


def test_more_texts_than_one_batch_of_the_tokenizer(tokenizer: PreTrainedTokenizerFast) -> None:
    tokenized = tokenize(tokenizer, ["red"] * 4097 + ["red dress"], 64)
    assert tokenized.lengths[4095:].tolist() == [3, 3, 4]


def test_rows_in_any_order_and_number(tokenizer: PreTrainedTokenizerFast) -> None:
    texts = tokenize(tokenizer, ["red dress", "blue", "a long red coat"], 20)
    taken = texts.rows(np.array([2, 0, 2]))
    assert len(taken) == 3
    for row, source in enumerate([2, 0, 2]):
        for found, expected in zip(taken[row], texts[source], strict=True):
            np.testing.assert_array_equal(found, expected)
    assert len(texts.rows(np.empty(0, np.int64))) == 0


def test_no_texts(tokenizer: PreTrainedTokenizerFast) -> None:
    assert len(tokenize(tokenizer, [], 64)) == 0
