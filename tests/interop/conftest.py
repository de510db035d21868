from collections.abc import Callable

import pytest
import torch

from fashionbert.model import FashionBertConfig, FashionBertForPreTraining


@pytest.fixture
def make_small(make_config: Callable[..., FashionBertConfig]) -> Callable[..., FashionBertForPreTraining]:
    """Make a model of random weights."""

    def make(**changes: object) -> FashionBertForPreTraining:
        torch.manual_seed(3)
        return FashionBertForPreTraining(make_config(**changes))

    return make
