"""The network: batches in, named outputs out. It never reads a file or a picture.

Importing this package registers the classes with transformers' Auto classes, so that
``AutoConfig.from_pretrained(run)`` and ``AutoModel.from_pretrained(run)`` work without remote code.
"""

from transformers import AutoConfig, AutoModel, AutoModelForPreTraining

from fashionbert.model.config import FashionBertConfig
from fashionbert.model.modeling import (
    FashionBertForMatching,
    FashionBertForPreTraining,
    FashionBertModel,
    FashionBertOutput,
    Side,
    frame_ids,
)

AutoConfig.register("fashionbert", FashionBertConfig, exist_ok=True)
AutoModel.register(FashionBertConfig, FashionBertModel, exist_ok=True)
AutoModelForPreTraining.register(FashionBertConfig, FashionBertForPreTraining, exist_ok=True)

__all__ = [
    "FashionBertConfig",
    "FashionBertForMatching",
    "FashionBertForPreTraining",
    "FashionBertModel",
    "FashionBertOutput",
    "Side",
    "frame_ids",
]
