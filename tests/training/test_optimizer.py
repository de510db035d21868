from collections.abc import Callable

import pytest
import torch
from torch import nn

from fashionbert.config import ObjectiveSettings, TrainingSettings
from fashionbert.model import FashionBertConfig, FashionBertForPreTraining
from fashionbert.training.optimizer import build_optimizer, rate_factor, set_rate, warmup_steps
from fashionbert.training.step import PreTrainingStep


@pytest.fixture
def module(make_config: Callable[..., FashionBertConfig]) -> PreTrainingStep:
    return PreTrainingStep(FashionBertForPreTraining(make_config()), ObjectiveSettings(weights="uncertainty"))


def groups_by_name(module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, dict[str, float]]:
    homes = {id(parameter): group for group in optimizer.param_groups for parameter in group["params"]}
    return {name: homes[id(parameter)] for name, parameter in module.named_parameters()}


def test_biases_norms_and_single_numbers_do_not_decay(module: PreTrainingStep) -> None:
    homes = groups_by_name(module, build_optimizer(module, TrainingSettings(weight_decay=0.1), pretrained=True))
    for name, group in homes.items():
        spared = name.endswith(("bias", "log_scale")) or "LayerNorm" in name or "log_variances" in name
        assert group["weight_decay"] == (0.0 if spared else 0.1), name
    assert homes["model.fashionbert.bert.encoder.layer.0.intermediate.dense.weight"]["weight_decay"] == 0.1


def test_new_layers_learn_faster_on_a_pretrained_bert_only(module: PreTrainingStep) -> None:
    settings = TrainingSettings(learning_rate=1e-4, new_layer_factor=3.0)
    homes = groups_by_name(module, build_optimizer(module, settings, pretrained=True))
    for name, group in homes.items():
        assert group["peak"] == pytest.approx(1e-4 if name.startswith("model.fashionbert.bert.") else 3e-4), name
    for group in groups_by_name(module, build_optimizer(module, settings, pretrained=False)).values():
        assert group["peak"] == 1e-4


def test_adam_is_the_papers(module: PreTrainingStep) -> None:
    optimizer = build_optimizer(module, TrainingSettings(), pretrained=True)
    assert optimizer.defaults["betas"] == (0.95, 0.999)
    assert optimizer.defaults["eps"] == 1e-6


def test_rate_by_hand() -> None:
    """Ten steps, four of them warm-up: a quarter, a half, three quarters, one; then sixths, from 6/6 down."""
    factors = [rate_factor(step, 10, 4) for step in range(11)]
    assert factors == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1, 6 / 6, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0])


@pytest.mark.parametrize(("steps", "warmup"), [(1, 0), (1, 1), (5, 5), (5, 9)])
def test_rate_of_odd_runs(steps: int, warmup: int) -> None:
    assert all(0 < rate_factor(step, steps, warmup) <= 1 for step in range(steps))


def test_warmup_in_steps_or_as_a_share() -> None:
    assert warmup_steps(TrainingSettings(warmup_steps=5000), 100) == 5000
    assert warmup_steps(TrainingSettings(warmup_share=0.1), 250) == 25


def test_each_group_gets_its_share(module: PreTrainingStep) -> None:
    settings = TrainingSettings(learning_rate=1e-4, new_layer_factor=2.0)
    optimizer = build_optimizer(module, settings, pretrained=True)
    set_rate(optimizer, 0.5)
    assert {group["lr"] for group in optimizer.param_groups} == {0.5e-4, 1e-4}
