"""Through files and back, and through transformers' Auto classes."""

from pathlib import Path
from typing import TypeAlias

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel, AutoModelForPreTraining, BertConfig

from fashionbert.model import FashionBertConfig, FashionBertForMatching, FashionBertForPreTraining, FashionBertModel

Inputs: TypeAlias = dict[str, torch.Tensor]


@pytest.fixture
def saved(model: FashionBertForPreTraining, tmp_path: Path) -> Path:
    model.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_round_trip(model: FashionBertForPreTraining, inputs: Inputs, saved: Path) -> None:
    loaded = FashionBertForPreTraining.from_pretrained(saved).eval()
    for name in FashionBertConfig.shape_fields():
        assert getattr(loaded.config, name) == getattr(model.config, name)
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    assert torch.equal(loaded(**inputs).alignment_logits, model(**inputs).alignment_logits)


def test_matching_model_from_a_pretraining_checkpoint(
    model: FashionBertForPreTraining, inputs: Inputs, saved: Path
) -> None:
    matching = FashionBertForMatching.from_pretrained(saved).eval()
    assert not hasattr(matching, "word_head")
    assert torch.equal(matching(**inputs).alignment_logits, model(**inputs).alignment_logits)


def test_auto_classes(model: FashionBertForPreTraining, inputs: Inputs, saved: Path) -> None:
    assert type(AutoConfig.from_pretrained(saved)) is FashionBertConfig
    assert type(AutoModelForPreTraining.from_pretrained(saved)) is FashionBertForPreTraining
    encoder = AutoModel.from_pretrained(saved).eval()
    assert type(encoder) is FashionBertModel
    assert torch.equal(encoder(**inputs).last_hidden_state, model(**inputs).last_hidden_state)


def test_the_word_table_is_stored_once(saved: Path) -> None:
    tensors = load_file(saved / "model.safetensors")
    assert sum(tuple(tensor.shape) == (50, 16) for tensor in tensors.values()) == 1


def test_a_bert_configuration_extends_to_ours() -> None:
    bert = BertConfig(hidden_size=24, num_attention_heads=3, vocab_size=77, hidden_act="gelu_new", layer_norm_eps=1e-7)
    ours = FashionBertConfig.from_bert(bert, patch_feature_size=5, num_hidden_layers=2)
    assert (ours.hidden_size, ours.num_attention_heads, ours.vocab_size) == (24, 3, 77)
    assert (ours.hidden_act, ours.layer_norm_eps) == ("gelu_new", 1e-7)
    assert (ours.patch_feature_size, ours.num_hidden_layers, ours.model_type) == (5, 2, "fashionbert")


def test_every_shape_field_is_a_field() -> None:
    assert FashionBertConfig.shape_fields() <= FashionBertConfig().to_dict().keys()
