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
    """Weights are multiples of a 127th of the largest of their row; inputs reach from 0 to 255 in steps of 1."""
    weight = torch.tensor([[127.0, -1.0, 3.0], [63.5, 1.0, 0.5]])
    inputs = torch.tensor([[0.0, 1.0, 255.0], [7.0, 100.0, 2.0]])
    bias = torch.tensor([0.5, -2.0])
    wanted = torch.tensor([[764.5, 126.5], [795.5, 543.5]])
    torch.testing.assert_close(Int8Linear(linear_of(weight, bias))(inputs), wanted)
    torch.testing.assert_close(Int8Linear(linear_of(weight, None))(inputs), wanted - bias)


@pytest.mark.parametrize("shift", [0.0, 5.0, -5.0])
def test_an_error_is_within_what_rounding_explains(shift: float) -> None:
    """Half a step of the inputs times the weights, and half a step of the weights times the inputs."""
    torch.manual_seed(0)
    linear, inputs = nn.Linear(40, 30), torch.randn(7, 2, 40) + shift
    low, high = min(0.0, float(inputs.min())), max(0.0, float(inputs.max()))
    input_step, weight_step_O = (high - low) / 255, linear.weight.detach().abs().amax(dim=1) / 127
    bound = input_step / 2 * linear.weight.detach().abs().sum(dim=1) + weight_step_O / 2 * (
        inputs.abs().sum(dim=-1, keepdim=True) + 40 * input_step
    )
    error = (Int8Linear(linear)(inputs) - linear(inputs)).abs()
    assert (error <= bound + 1e-4).all()
    assert error.max() > 0


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


@pytest.mark.parametrize(("low", "high"), [(-1.5, 253.5), (-3.2807562351226807, 1.7438253164291382), (-0.5, 254.5)])
def test_the_largest_input_does_not_become_the_smallest(low: float, high: float) -> None:
    """Ranges whose zero is rounded up, so that their upper end lies at 255.5 and more before it is cut."""
    linear, inputs = linear_of(torch.eye(2), None), torch.tensor([[low, high], [0.0, low]])
    step = (high - low) / 255
    assert (Int8Linear(linear)(inputs) - inputs).abs().max() <= 1.01 * step
