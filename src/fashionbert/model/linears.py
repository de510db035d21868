"""A model whose encoder layers multiply by linear layers of another make, for scoring alone."""

from copy import deepcopy
from typing import Protocol, TypeVar, cast

from torch import nn
from transformers.models.bert.modeling_bert import BertLayer

from fashionbert.model.modeling import FashionBertForMatching

Model = TypeVar("Model", bound=FashionBertForMatching)


class MakeLinear(Protocol):
    """Makes what takes a linear layer's place."""

    def __call__(self, linear: nn.Linear, *, gelu: bool) -> nn.Module:
        """Take a layer over.

        Args:
            linear: the layer, which is left as it is.
            gelu: whether GELU follows.
        """
        ...


def with_linears(model: Model, make: MakeLinear) -> Model:
    """Copy a model with other linear layers in its encoder, and GELU in one call with the product before it.

    The last layer stays as it is where it alone joins the sides: little is computed there, and :class:`Meeting` needs
    its matrices.

    Args:
        model: in float32; it is left as it is, and the copy shares with it what is not made anew.
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
