import pytest
import torch
from torch import nn

from fashionbert.arithmetic import has_int8
from fashionbert.model.int8 import Int8Linear

pytestmark = pytest.mark.skipif(not has_int8("cpu"), reason="this processor has no instructions for int8")


def linear_of(weight_OI: torch.Tensor, bias_O: torch.Tensor | None) -> nn.Linear:
    made = nn.Linear(weight_OI.shape[1], weight_OI.shape[0], bias=bias_O is not None)
    made.weight.data.copy_(weight_OI)
    if bias_O is not None:
        made.bias.data.copy_(bias_O)
    return made


def test_numbers_that_need_no_rounding_are_exact() -> None:
    """Weights and inputs are multiples of a 127th of the largest of their row, and each row has another range."""
    weight = torch.tensor([[127.0, -1.0, 3.0], [63.5, 1.0, 0.5]])
    inputs = torch.tensor([[0.0, 1.0, 127.0], [-254.0, 100.0, 2.0]])
    bias = torch.tensor([0.5, -2.0])
    wanted = torch.tensor([[380.5, 62.5], [-32351.5, -16030.0]])
    torch.testing.assert_close(Int8Linear(linear_of(weight, bias))(inputs), wanted)
    torch.testing.assert_close(Int8Linear(linear_of(weight, None))(inputs), wanted - bias)


@pytest.mark.parametrize("shift", [0.0, 5.0, -5.0])
def test_an_error_is_within_what_rounding_explains(shift: float) -> None:
    """Half a step of the inputs times the weights, and half a step of the weights times the inputs."""
    torch.manual_seed(0)
    linear, inputs = nn.Linear(40, 30), torch.randn(7, 2, 40) + shift
    input_step = inputs.abs().amax(dim=-1, keepdim=True) / 127
    weight_step_O = linear.weight.detach().abs().amax(dim=1) / 127
    bound = input_step / 2 * linear.weight.detach().abs().sum(dim=1) + weight_step_O / 2 * (
        inputs.abs().sum(dim=-1, keepdim=True) + 40 * input_step / 2
    )
    error = (Int8Linear(linear)(inputs) - linear(inputs)).abs()
    assert (error <= bound + 1e-4).all()
    assert error.max() > 0


def test_a_row_is_what_it_is_by_itself() -> None:
    linear, inputs = Int8Linear(nn.Linear(40, 30)), torch.randn(9, 40)
    beside = torch.cat([inputs, 1000 * torch.randn(3, 40)])
    torch.testing.assert_close(linear(beside)[:9], linear(inputs), atol=0, rtol=0)
    torch.testing.assert_close(linear(inputs[:1]), linear(inputs)[:1], atol=0, rtol=0)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_not_hidden(broken: float) -> None:
    inputs = torch.tensor([[1.0, broken], [1.0, 2.0]])
    outputs = Int8Linear(nn.Linear(2, 3))(inputs)
    assert not outputs[0].isfinite().any()
    assert outputs[1].isfinite().all()


def test_gelu_follows_where_asked_for() -> None:
    torch.manual_seed(1)
    linear, inputs = nn.Linear(8, 16), torch.randn(5, 8)
    plain, followed = Int8Linear(linear)(inputs), Int8Linear(linear, gelu=True)(inputs)
    torch.testing.assert_close(followed, nn.functional.gelu(plain), atol=1e-5, rtol=1e-5)


def test_zeros_stay_zeros() -> None:
    torch.testing.assert_close(Int8Linear(nn.Linear(4, 2, bias=False))(torch.zeros(3, 4)), torch.zeros(3, 2))
    torch.testing.assert_close(
        Int8Linear(linear_of(torch.zeros(2, 4), None))(torch.randn(3, 4)), torch.zeros(3, 2), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("largest", [1.0, 3.2807562351226807, 1.7438253164291382, 127.5, 1e-9, 1e9])
def test_the_largest_input_does_not_become_the_smallest(largest: float) -> None:
    linear, inputs = linear_of(torch.eye(2), None), torch.tensor([[largest, -largest], [0.0, largest]])
    assert (Int8Linear(linear)(inputs) - inputs).abs().max() <= 0.51 * largest / 127
