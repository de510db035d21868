import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashionbert.errors import RunError
from fashionbert.text import learn_tokenizer, load_tokenizer

TEXTS = ["Red linen dress", "A blue LINEN shirt, short-sleeved", "linen!", "short red skirt", "café crème dress"]


def test_same_texts_give_the_same_ids_in_any_order() -> None:
    shuffled = random.Random(0).sample(TEXTS, len(TEXTS))
    assert learn_tokenizer(TEXTS, 100).get_vocab() == learn_tokenizer(shuffled, 100).get_vocab()


def test_special_tokens_come_first_and_frequent_words_by_count() -> None:
    vocabulary = learn_tokenizer(TEXTS, 100).get_vocab()
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    assert tokens[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert tokens[-4:] == ["linen", "dress", "red", "short"]  # 3 times, then 2 times each in alphabetical order
    assert "skirt" not in tokens  # once


def test_words_seen_twice_are_one_piece_and_others_characters() -> None:
    tokenizer = learn_tokenizer(TEXTS, 100)
    assert tokenizer.tokenize("Linen shirt") == ["linen", "s", "##h", "##i", "##r", "##t"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=30), max_size=5))
def test_no_text_of_the_catalogue_has_an_unknown_piece(texts: list[str]) -> None:
    tokenizer = learn_tokenizer(texts, 10)
    for text in texts:
        assert tokenizer.unk_token_id not in tokenizer(text)["input_ids"]


def test_the_vocabulary_is_no_larger_than_asked_but_holds_every_character() -> None:
    """The words hold the 18 letters of "abcdefhiklmnorstuv" and three signs; four words occur twice."""
    everything = 5 + 2 * 21
    assert [len(learn_tokenizer(TEXTS, size)) for size in (1, 49, 1000)] == [everything, 49, everything + 4]


def test_round_trip(tmp_path: Path) -> None:
    tokenizer = learn_tokenizer(TEXTS, 100)
    tokenizer.save_pretrained(tmp_path)
    loaded = load_tokenizer(tmp_path)
    text = "Unseen RED café, short-sleeved linen"
    assert loaded(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert loaded.get_vocab() == tokenizer.get_vocab()


def test_a_folder_without_a_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "fashionbert"}))
    with pytest.raises(RunError, match=r"tokenizer\.json"):
        load_tokenizer(tmp_path)


def test_a_tokenizer_that_is_no_berts(tmp_path: Path) -> None:
    tokenizer = learn_tokenizer(TEXTS, 100)
    tokenizer.save_pretrained(tmp_path)
    record = json.loads((tmp_path / "tokenizer_config.json").read_text())
    record = {name: value for name, value in record.items() if name not in ("mask_token", "cls_token")}
    record["tokenizer_class"] = "PreTrainedTokenizerFast"
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match="has no cls_token, mask_token: FashionBERT needs a BERT tokenizer"):
        load_tokenizer(tmp_path)
