"""A model whose encoder layers multiply by linear layers of another make, for scoring alone."""

from abc import ABC, abstractmethod
from copy import deepcopy
from typing import Any, TypeVar, cast

from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertLayer

from fashionbert.model.modeling import FashionBertForMatching

Model = TypeVar("Model", bound=FashionBertForMatching)


class RemadeLinear(nn.Linear, ABC):
    """A linear layer that holds its weights in one more form, made of them whenever they have changed.

    It has the parameters of the layer whose place it takes, the same tensors, so that it can be saved, copied and sent
    to another process as that one can.
    """

    def __init__(self, linear: nn.Linear, *, gelu: bool = False) -> None:
        """Take a layer over.

        Args:
            linear: the layer, in float32.
            gelu: whether GELU follows, and is this layer's business.
        """
        nn.Module.__init__(self)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.bias, self.gelu = linear.weight, linear.bias, gelu
        self._refresh()

    @abstractmethod
    def remade(self) -> Any:
        """Make the other form of the weights."""

    @abstractmethod
    def multiply(self, inputs: Tensor, other: Any) -> Tensor:
        """Multiply [..., I] by the other form of the weights; float32 [..., O]."""

    def forward(self, input: Tensor) -> Tensor:
        """Multiply [..., I] by the weights as they are now; float32 [..., O]."""
        if self._made_of != self._weights_now():
            self._refresh()
        return self.multiply(input, self._other)

    def _refresh(self) -> None:
        self._other, self._made_of = self.remade(), self._weights_now()

    def _weights_now(self) -> tuple[int, int]:
        return id(self.weight), -1 if self.weight.is_inference() else self.weight._version

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_other"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._refresh()


def with_linears(model: Model, make: type[RemadeLinear]) -> Model:
    """Copy a model with other linear layers in its encoder, and GELU in one call with the product before it.

    The last layer stays as it is where it alone joins the sides: little is computed there, and :class:`Meeting` needs
    its matrices.

    Args:
        model: in float32; it is left as it is, and the copy has the same parameters.
        make: takes the layers over, one by one.

    Returns:
        A model in evaluation mode that scores and cannot be trained.
    """
    changed = deepcopy(model, {id(each): each for each in (*model.parameters(), *model.buffers())}).eval()
    layers = [cast(BertLayer, layer) for layer in changed.fashionbert.bert.encoder.layer]
    gelu = model.config.hidden_act == "gelu"
    for layer in layers[:-1] if model.fashionbert.joins_in_one_layer else layers:
        attention, between = layer.attention, layer.intermediate
        for owner, name in (
            *((attention.self, name) for name in ("query", "key", "value")),
            *((module, "dense") for module in (attention.output, between, layer.output)),
        ):
            setattr(owner, name, make(getattr(owner, name), gelu=gelu and owner is between))
        if gelu:
            between.intermediate_act_fn = nn.Identity()
    return changed
