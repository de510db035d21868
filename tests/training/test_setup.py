import json
from pathlib import Path
from typing import Literal

import pytest
import torch
from transformers import BertModel

from fashionbert.config import ModelSettings
from fashionbert.errors import SettingsError
from fashionbert.model import FashionBertForPreTraining
from fashionbert.training.setup import build_model, build_tokenizer


def build(settings: ModelSettings, vocabulary: int = 30, seed: int = 0) -> FashionBertForPreTraining:
    return build_model(settings, vocabulary=vocabulary, feature_size=6, patches=9, seed=seed)


def test_a_fresh_model_has_the_sizes_that_were_asked_for() -> None:
    config = build(ModelSettings(layers=2, width=24, heads=3, max_text_tokens=50, dropout=0.3)).config
    assert (config.num_hidden_layers, config.hidden_size, config.num_attention_heads) == (2, 24, 3)
    assert (config.max_position_embeddings, config.vocab_size, config.patch_feature_size) == (50, 30, 6)
    assert (config.hidden_dropout_prob, config.patches, config.contrastive_size) == (0.3, 9, 0)


def test_the_seed_alone_decides_the_weights() -> None:
    settings = ModelSettings(layers=1, width=16, heads=2)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second, other = build(settings), build(settings), build(settings, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    name = "alignment_head.weight"
    assert torch.equal(first.state_dict()[name], second.state_dict()[name])
    assert not torch.equal(first.state_dict()[name], other.state_dict()[name])


def test_a_backbone_is_taken_over(backbone: Path) -> None:
    bert = BertModel.from_pretrained(backbone).eval()
    settings = ModelSettings(backbone=str(backbone), max_text_tokens=40, dropout=0.0, attention_dropout=0.0)
    tokenizer = build_tokenizer(settings, [])
    model = build(settings, len(tokenizer)).eval()
    inputs = tokenizer(["red dress", "blue shirt"], return_tensors="pt")
    ours = model.fashionbert(inputs["input_ids"], inputs["attention_mask"])
    torch.testing.assert_close(ours.last_hidden_state, bert(**inputs).last_hidden_state)
    torch.testing.assert_close(ours.pooled_output, bert(**inputs).pooler_output)
    assert model.config.hidden_act == "gelu_new"


@pytest.mark.parametrize("activation", [None, "gelu", "gelu_new"])
def test_the_activation(backbone: Path, activation: Literal["gelu", "gelu_new"] | None) -> None:
    """The fixture's backbone has ``gelu_new``; a fresh BERT has ``gelu``."""
    taken_over = ModelSettings(backbone=str(backbone), activation=activation, max_text_tokens=40)
    assert build(taken_over, 20).config.hidden_act == (activation or "gelu_new")
    assert build(ModelSettings(width=32, heads=2, activation=activation)).config.hidden_act == (activation or "gelu")


def test_the_first_layers_of_a_backbone(backbone: Path) -> None:
    bert = BertModel.from_pretrained(backbone).eval()
    model = build(ModelSettings(backbone=str(backbone), layers=2, max_text_tokens=40, dropout=0.0), 20).eval()
    ids = torch.tensor([[2, 7, 8, 3]])
    expected = bert(input_ids=ids, output_hidden_states=True).hidden_states[2]
    torch.testing.assert_close(model.fashionbert(ids).last_hidden_state, expected)


def test_a_backbone_that_is_too_small(backbone: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        build(ModelSettings(backbone=str(backbone), layers=6, max_text_tokens=64), vocabulary=999)
    assert [fault.split(":")[0] for fault in caught.value.faults[:2]] == [
        "model.layers = 6",
        "model.max_text_tokens = 64",
    ]
    assert "has 999 WordPieces" in caught.value.faults[2]


def test_split_layers_leave_one_to_join(backbone: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        build(ModelSettings(backbone=str(backbone), layers=2, split_layers=2, max_text_tokens=40), 20)
    assert caught.value.faults == ("model.split_layers = 2: one of 2 layers must join the sides",)
    assert build(ModelSettings(backbone=str(backbone), split_layers=2, max_text_tokens=40), 20).config.split_layers == 2


def test_a_backbone_that_is_a_decoder(backbone: Path) -> None:
    values = json.loads((backbone / "config.json").read_text())
    (backbone / "config.json").write_text(json.dumps({**values, "is_decoder": True}))
    with pytest.raises(SettingsError, match=r"(?s)is no BERT to start from.*is_decoder = True is not supported"):
        build(ModelSettings(backbone=str(backbone), max_text_tokens=40), 20)


def test_no_backbone_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"model\.backbone = .*nowhere' cannot be loaded") as caught:
        build(ModelSettings(backbone=str(tmp_path / "nowhere")))
    assert "config.json and model.safetensors of a BERT" in caught.value.faults[1]


def test_without_a_backbone_words_are_learnt_from_the_catalogue() -> None:
    tokenizer = build_tokenizer(ModelSettings(vocabulary=60), ["red dress", "red shirt"])
    assert tokenizer.tokenize("Red") == ["red"]


@pytest.mark.shared
def test_minilm(shared: Path) -> None:
    folder = shared / "weights" / "minilm-l6-384"
    settings = ModelSettings(backbone=str(folder), dropout=0.0, attention_dropout=0.0, max_text_tokens=96)
    tokenizer = build_tokenizer(settings, [])
    model = build(settings, len(tokenizer)).eval()
    inputs = tokenizer(["A red linen dress with short sleeves"], return_tensors="pt")
    theirs = BertModel.from_pretrained(folder, dtype=torch.float32).eval()(**inputs)
    ours = model.fashionbert(inputs["input_ids"], inputs["attention_mask"])
    torch.testing.assert_close(ours.last_hidden_state, theirs.last_hidden_state, atol=1e-5, rtol=0)
