from collections.abc import Callable
from typing import TypeAlias

import pytest
import torch

from fashionbert.model import FashionBertConfig, FashionBertForPreTraining

Inputs: TypeAlias = dict[str, torch.Tensor]


@pytest.fixture(params=[0, 1])
def model(make_config: Callable[..., FashionBertConfig], request: pytest.FixtureRequest) -> FashionBertForPreTraining:
    """A model of random weights, large enough that every part of the input leaves a trace in the output.

    Once the paper's single stream, once with a first layer in which words and patches do not see each other.
    """
    torch.manual_seed(0)
    built = FashionBertForPreTraining(make_config(split_layers=request.param)).eval()
    with torch.no_grad():
        for parameter in built.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, 0.4)
    return built


@pytest.fixture
def inputs() -> Inputs:
    """Four pairs with texts of 7, 4, 6 and 2 real tokens."""
    generator = torch.Generator().manual_seed(1)
    lengths = torch.tensor([7, 4, 6, 2])
    attention_mask = (torch.arange(7)[None, :] < lengths[:, None]).long()
    return {
        "input_ids": torch.randint(1, 50, (4, 7), generator=generator) * attention_mask,
        "attention_mask": attention_mask,
        "patch_features": torch.randn(4, 9, 6, generator=generator),
    }
