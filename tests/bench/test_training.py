"""Training steps at a size that takes no time."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertModel

from fashionbert.bench import EQUAL, PAPER, TrainingShape, training_contenders, training_operations
from fashionbert.bench.shape import sizes_of
from fashionbert.bench.training import bert, step
from fashionbert.errors import SettingsError

SHAPE = TrainingShape(layers=2, width=16, heads=2, tokens=8, patches=4, features=6, pairs=4)


def test_every_step_is_the_same_and_weighing_changes_no_loss() -> None:
    equal, paper = (step(scheme, **asdict(SHAPE)) for scheme in ("equal", "paper"))
    first = equal()
    assert first.shape == (3,)
    assert (first > 0).all()
    np.testing.assert_array_equal(equal(), first)
    np.testing.assert_allclose(paper(), first, atol=1e-6)


def test_the_rival_takes_steps_too() -> None:
    work = bert(**asdict(SHAPE))
    np.testing.assert_array_equal(work(), work())


def test_operations_are_three_times_those_of_the_forward_pass() -> None:
    sizes = sizes_of(SHAPE.layers, SHAPE.width, SHAPE.heads, 12)
    model = BertModel(BertConfig(**sizes), add_pooling_layer=False).eval()
    model.set_attn_implementation("eager")
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(inputs_embeds=torch.zeros(SHAPE.pairs, 12, SHAPE.width))
    assert training_operations(SHAPE) == 3 * counter.get_total_flops()


def test_who_takes_part() -> None:
    by_name = {each.name: each for each in training_contenders(SHAPE)}
    assert by_name[PAPER].same_as == EQUAL
    assert {each.units for each in by_name.values()} == {4}
    with pytest.raises(SettingsError, match="no multiple of heads"):
        training_contenders(TrainingShape(width=10, heads=3))
