"""The published shapes at full size, built without memory on torch's meta device."""

import pytest
import timm
import torch
from transformers import BertConfig

from fashionbert.config import load_settings
from fashionbert.model import FashionBertConfig, FashionBertForPreTraining

BERT_BASE = 109_482_240
PATCH_SIDE = 2048 * 768 + 2 * 768 + 64 * 768 + 2 * 768
WORD_HEAD, ALIGNMENT_HEAD, PATCH_HEAD = 768 * 768 + 3 * 768 + 30_522, 2 * 768 + 2, 768 * 2048


@pytest.mark.parametrize("preset", ["paper", "released"])
def test_the_model_has_the_published_size(preset: str) -> None:
    settings = load_settings(preset)
    with torch.device("meta"):
        fields = {"patches": settings.images.patches, "contrastive_size": settings.model.contrastive_size}
        model = FashionBertForPreTraining(FashionBertConfig.from_bert(BertConfig(), **fields))
    assert model.num_parameters() == BERT_BASE + PATCH_SIDE + WORD_HEAD + ALIGNMENT_HEAD + PATCH_HEAD == 113_304_380
    shapes = {name: tuple(value.shape) for name, value in model.named_parameters()}
    assert {(768, 2048), (2048, 768), (64, 768), (2, 768), (30_522, 768)} <= set(shapes.values())
    assert len(model.fashionbert.bert.encoder.layer) == 12


@pytest.mark.parametrize(
    ("network", "parameters"),
    [("resnext101_32x8d", 86_742_336), ("resnet50", 23_508_032), ("inception_v3", 21_785_568)],
)
def test_the_patch_networks_have_their_published_sizes(network: str, parameters: int) -> None:
    with torch.device("meta"):
        model = timm.create_model(network, num_classes=0)
    assert sum(weights.numel() for weights in model.parameters()) == parameters
    assert model.num_features == 2048  # pyright: ignore[reportAttributeAccessIssue]


def test_the_presets_say_what_was_published() -> None:
    paper, released = load_settings("paper"), load_settings("released")
    assert (paper.images.network, paper.images.mode, paper.images.patches) == ("resnext101_32x8d", "crop", 64)
    assert (paper.model.max_text_tokens, paper.training.batch_size, paper.training.warmup_steps) == (448, 64, 5000)
    assert (paper.training.learning_rate, paper.training.beta1, paper.training.beta2) == (2e-5, 0.95, 0.999)
    assert (paper.training.weight_decay, paper.objectives.weights) == (1e-4, "paper")
    assert (released.images.network, released.model.max_text_tokens) == ("resnet50", 64)
    assert round(released.objectives.patch_mask_share * released.images.patches) == 5
    assert (released.objectives.max_masked_words, released.objectives.weights) == (10, "released")
    assert (released.training.learning_rate, released.negatives.source) == (1e-4, "subcategory")
