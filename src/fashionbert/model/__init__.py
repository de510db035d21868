"""The network: batches in, named outputs out. It never reads a file or a picture.

Importing this package registers the classes with transformers' Auto classes, so that
``AutoConfig.from_pretrained(run)`` and ``AutoModel.from_pretrained(run)`` work without remote code.
"""

from transformers import AutoConfig, AutoModel, AutoModelForPreTraining

from fashionbert.model.config import FashionBertConfig
from fashionbert.model.encoder import FashionBertModel, FashionBertOutput, Side
from fashionbert.model.meeting import Meeting
from fashionbert.model.modeling import FashionBertForMatching, FashionBertForPreTraining, frame_ids
from fashionbert.model.side_vectors import Places, SideVectors, late_interaction

AutoConfig.register("fashionbert", FashionBertConfig, exist_ok=True)
AutoModel.register(FashionBertConfig, FashionBertModel, exist_ok=True)
AutoModelForPreTraining.register(FashionBertConfig, FashionBertForPreTraining, exist_ok=True)

__all__ = [
    "FashionBertConfig",
    "FashionBertForMatching",
    "FashionBertForPreTraining",
    "FashionBertModel",
    "FashionBertOutput",
    "Meeting",
    "Places",
    "Side",
    "SideVectors",
    "frame_ids",
    "late_interaction",
]
