import pickle
from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from fashionbert.model import FashionBertConfig, FashionBertForMatching
from fashionbert.model.linears import RemadeLinear, with_linears


class Noted(RemadeLinear):
    """Holds its weights doubled, and counts how often it has made them so."""

    times = 0

    def remade(self) -> Tensor:
        self.times += 1
        return 2 * self.weight.detach()

    def multiply(self, inputs: Tensor, other: Tensor) -> Tensor:
        outputs = nn.functional.linear(inputs, other / 2, self.bias)
        return nn.functional.gelu(outputs) if self.gelu else outputs


def model_of(split_layers: int = 0, hidden_act: str = "gelu") -> FashionBertForMatching:
    torch.manual_seed(0)
    return FashionBertForMatching(
        FashionBertConfig(
            vocab_size=30,
            hidden_size=8,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=16,
            patch_feature_size=5,
            patches=4,
            split_layers=split_layers,
            hidden_act=hidden_act,
        )
    ).eval()


def noted(model: nn.Module) -> list[str]:
    return [name for name, module in model.named_modules() if isinstance(module, Noted)]


@pytest.mark.parametrize("hidden_act", ["gelu", "relu"])
@pytest.mark.parametrize(("split_layers", "made"), [(0, 12), (1, 6)])
def test_the_layers_are_taken_over_and_the_scores_stay(split_layers: int, made: int, hidden_act: str) -> None:
    model = model_of(split_layers, hidden_act)
    changed = with_linears(model, Noted)
    assert len(noted(changed)) == made
    assert not noted(model)
    inputs = torch.tensor([[2, 7, 9, 3]]), None, torch.rand(1, 4, 5)
    with torch.inference_mode():
        torch.testing.assert_close(changed(*inputs).alignment_logits, model(*inputs).alignment_logits)


def test_the_parameters_are_the_models_own() -> None:
    model = model_of()
    changed = with_linears(model, Noted)
    assert changed.fashionbert.bert is not model.fashionbert.bert
    own = dict(model.named_parameters())
    assert {name: id(value) for name, value in changed.named_parameters()} == {
        name: id(value) for name, value in own.items()
    }


def test_a_matrix_is_made_anew_when_it_has_changed() -> None:
    linear, inputs = nn.Linear(8, 4), torch.randn(2, 8)
    made = Noted(linear)
    made(inputs)
    assert made.times == 1
    with torch.no_grad():
        linear.weight.add_(1)
        linear.bias.add_(1)
    torch.testing.assert_close(made(inputs), linear(inputs))
    made(inputs)
    assert made.times == 2


@pytest.mark.parametrize("copied", [deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_it_can_be_copied_and_sent(copied: Callable[[Noted], Noted]) -> None:
    made, inputs = Noted(nn.Linear(8, 4)), torch.randn(2, 8)
    other = copied(made)
    assert other.weight is not made.weight
    torch.testing.assert_close(other(inputs), made(inputs))


def test_weights_of_an_inference_have_no_versions() -> None:
    with torch.inference_mode():
        linear, inputs = nn.Linear(8, 4), torch.randn(2, 8)
        torch.testing.assert_close(Noted(linear)(inputs), linear(inputs))
