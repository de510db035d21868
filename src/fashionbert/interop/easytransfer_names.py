"""The authors' names of variables beside ours.

Source: EasyTransfer, ``modeling_imagebert.py`` (docs/explanation/model.md). A dense kernel is [in, out] there and
[out, in] here.
"""

from typing import NamedTuple

from fashionbert.model import FashionBertConfig


class Variable(NamedTuple):
    """One weight under both names."""

    theirs: str
    """Without the scope of the model, which comes first in a checkpoint of theirs."""
    ours: str
    """In the state dict of ``FashionBertForPreTraining``."""
    turned: bool
    """Whether rows are columns there."""


def variables(config: FashionBertConfig) -> list[Variable]:
    """List every weight of the authors' model, in the order of the model.

    Args:
        config: gives the number of layers.

    Returns:
        The weights; the tied output table of masked words is the word table and counts once.
    """
    words, patches = "fashionbert.bert.embeddings", "fashionbert.patch_embeddings"
    found = [
        Variable("bert/embeddings/word_embeddings", f"{words}.word_embeddings.weight", turned=False),
        Variable("bert/embeddings/token_type_embeddings", f"{words}.token_type_embeddings.weight", turned=False),
        Variable("bert/embeddings/position_embeddings", f"{words}.position_embeddings.weight", turned=False),
        *_norm("bert/embeddings/LayerNorm", f"{words}.LayerNorm"),
        Variable("bert/image_embeddings/image_projector", f"{patches}.projection.weight", turned=True),
        Variable("bert/image_embeddings/patch_type_embeddings", f"{patches}.segment_embeddings.weight", turned=False),
        Variable(
            "bert/image_embeddings/patch_position_embeddings", f"{patches}.position_embeddings.weight", turned=False
        ),
        *_norm("bert/image_embeddings/ImageEmbLayerNorm", f"{patches}.LayerNorm"),
    ]
    for number in range(config.num_hidden_layers):
        found += _layer(f"bert/encoder/layer_{number}", f"fashionbert.bert.encoder.layer.{number}")
    return [
        *found,
        *_dense("bert/pooler/dense", "fashionbert.bert.pooler.dense"),
        *_dense("cls/predictions/transform/dense", "word_head.transform.dense"),
        *_norm("cls/predictions/transform/LayerNorm", "word_head.transform.LayerNorm"),
        Variable("cls/predictions/output_bias", "word_head.bias", turned=False),
        Variable("cls/seq_relationship/output_weights", "alignment_head.weight", turned=False),
        Variable("cls/seq_relationship/output_bias", "alignment_head.bias", turned=False),
        Variable("cls/img_predictions/output_weights", "patch_head.weight", turned=True),
    ]


def _layer(theirs: str, ours: str) -> list[Variable]:
    return [
        *_dense(f"{theirs}/attention/self/query", f"{ours}.attention.self.query"),
        *_dense(f"{theirs}/attention/self/key", f"{ours}.attention.self.key"),
        *_dense(f"{theirs}/attention/self/value", f"{ours}.attention.self.value"),
        *_dense(f"{theirs}/attention/output/dense", f"{ours}.attention.output.dense"),
        *_norm(f"{theirs}/attention/output/LayerNorm", f"{ours}.attention.output.LayerNorm"),
        *_dense(f"{theirs}/intermediate/dense", f"{ours}.intermediate.dense"),
        *_dense(f"{theirs}/output/dense", f"{ours}.output.dense"),
        *_norm(f"{theirs}/output/LayerNorm", f"{ours}.output.LayerNorm"),
    ]


def _dense(theirs: str, ours: str) -> list[Variable]:
    return [
        Variable(f"{theirs}/kernel", f"{ours}.weight", turned=True),
        Variable(f"{theirs}/bias", f"{ours}.bias", turned=False),
    ]


def _norm(theirs: str, ours: str) -> list[Variable]:
    return [
        Variable(f"{theirs}/gamma", f"{ours}.weight", turned=False),
        Variable(f"{theirs}/beta", f"{ours}.bias", turned=False),
    ]
