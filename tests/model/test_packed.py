import pytest
import torch
from torch import nn

from fashionbert.arithmetic import packs_weights
from fashionbert.model.packed import PackedLinear

pytestmark = pytest.mark.skipif(not packs_weights("cpu"), reason="this processor is not one for packed weights")


@pytest.mark.parametrize("rows", [(), (1,), (7,), (3, 5), (0, 4)])
@pytest.mark.parametrize("bias", [True, False])
def test_it_multiplies_as_the_layer_does(rows: tuple[int, ...], bias: bool) -> None:
    linear, inputs = nn.Linear(40, 30, bias=bias), torch.randn(*rows, 40)
    with torch.inference_mode():
        torch.testing.assert_close(PackedLinear(linear)(inputs), linear(inputs), atol=1e-6, rtol=1e-5)


def test_gelu_follows_where_asked_for() -> None:
    linear, inputs = nn.Linear(8, 16), torch.randn(5, 8)
    with torch.inference_mode():
        followed = PackedLinear(linear, gelu=True)(inputs)
        torch.testing.assert_close(followed, nn.functional.gelu(linear(inputs)), atol=1e-6, rtol=1e-5)


def test_places_that_do_not_stand_in_one_run_are_read_as_they_are() -> None:
    linear, inputs = nn.Linear(8, 4), torch.randn(5, 3, 8)
    with torch.inference_mode():
        first = inputs[:, :1]
        assert not first.is_contiguous()
        torch.testing.assert_close(PackedLinear(linear)(first), linear(first), atol=1e-6, rtol=1e-5)
