import pytest
import torch
from torch import Tensor, nn

from fashionbert.model import FashionBertConfig, FashionBertForMatching
from fashionbert.model.linears import with_linears


class Noted(nn.Module):
    """A linear layer that says whether GELU is its business."""

    def __init__(self, linear: nn.Linear, *, gelu: bool) -> None:
        super().__init__()
        self.linear, self.gelu = linear, gelu

    def forward(self, inputs: Tensor) -> Tensor:
        output = self.linear(inputs)
        return nn.functional.gelu(output) if self.gelu else output


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


def test_what_is_not_made_anew_is_shared() -> None:
    model = model_of()
    changed = with_linears(model, Noted)
    words = model.fashionbert.bert.embeddings.word_embeddings.weight
    assert changed.fashionbert.bert.embeddings.word_embeddings.weight is words
    assert changed.fashionbert.bert is not model.fashionbert.bert
