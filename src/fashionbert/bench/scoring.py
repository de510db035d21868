"""One query against a hundred pictures: fashionbert, and others at equal layers, width and tokens.

All weights are random: the arithmetic is the same, and nothing has to be fetched. The rivals read as many tokens as a
pair has places, so the work of a layer is equal; what fashionbert saves is what it does not do.

Letters: T text tokens, P patches, S = T + P, F feature size, N candidates.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification

from fashionbert.bench.contender import Contender
from fashionbert.bench.shape import VOCABULARY, ModelShape, operations_of_layer, refuse_heads, sizes_of
from fashionbert.model import FashionBertConfig, FashionBertForMatching

OURS, RIVALS = "fashionbert.bench.ours", "fashionbert.bench.rivals"
JOINT, SPLIT = "fashionbert, layers joint", "fashionbert, split, pictures kept"
REFERENCE, SPLIT_REFERENCE = "fashionbert, a forward pass", "fashionbert, split, forward pass"
EAGER = "transformers BERT, eager"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringShape(ModelShape):
    """Sizes of the model and of the work.

    Attributes:
        candidates: N.
        split_layers: lower layers in which the sides do not see each other, of our split model.
    """

    candidates: int = 100
    split_layers: int = 5


def scoring_contenders(shape: ScoringShape, folder: Path) -> list[Contender]:
    """Write models and inputs, and name who takes part.

    Args:
        shape: of the work.
        folder: for the files, empty.

    Returns:
        Contenders; what each gives is a score for every candidate.

    Raises:
        SettingsError: the width is no multiple of the heads.
    """
    refuse_heads(shape.width, shape.heads)
    _write_models(shape, folder)

    def contender(
        name: str, make: str, same_as: str = "", tolerance: float | None = 1e-4, **arguments: Any
    ) -> Contender:
        whole = {"folder": str(folder), **arguments}
        units = shape.candidates
        return Contender(name=name, make=make, arguments=whole, units=units, same_as=same_as, tolerance=tolerance)

    return [
        contender(JOINT, f"{OURS}:kept", REFERENCE, 1e-5, model="joint"),
        contender(SPLIT, f"{OURS}:kept", SPLIT_REFERENCE, 1e-5, model="split"),
        contender(f"{JOINT}, fast", f"{OURS}:kept", REFERENCE, None, model="joint", speed="fast"),
        contender(REFERENCE, f"{OURS}:reference", model="joint"),
        contender(SPLIT_REFERENCE, f"{OURS}:reference", model="split"),
        contender(EAGER, f"{RIVALS}:bert", attention="eager"),
        contender("transformers BERT, SDPA", f"{RIVALS}:bert", EAGER, attention="sdpa"),
        contender("CrossEncoder, PyTorch", f"{RIVALS}:cross_encoder", EAGER, backend="torch"),
        contender("CrossEncoder, ONNX", f"{RIVALS}:cross_encoder", EAGER, backend="onnx"),
        contender("CrossEncoder, OpenVINO", f"{RIVALS}:cross_encoder", EAGER, backend="openvino"),
        contender("ONNX Runtime, fp32", f"{RIVALS}:onnx_runtime", EAGER, int8=False),
        contender("ONNX Runtime, int8", f"{RIVALS}:onnx_runtime", EAGER, None, int8=True),
        contender("OpenVINO, fp32", f"{RIVALS}:openvino", EAGER),
        contender("transformers VisualBERT", f"{RIVALS}:visual_bert"),
        contender("transformers ViLT", f"{RIVALS}:vilt"),
    ]


def joint_operations(shape: ScoringShape) -> int:
    """Count the operations of :data:`JOINT`, two for each product of numbers.

    Args:
        shape: of the work.

    Returns:
        Those of products of matrices; the last layer gives [CLS] alone, and only its keys and values are of all places.
    """
    places, width = shape.tokens + shape.patches, shape.width
    layer = places * operations_of_layer(places, width)
    keys_and_values = 2 * width * width
    last = places * keys_and_values + operations_of_layer(places, width) - keys_and_values
    around = width * width + 2 * width
    return 2 * shape.candidates * ((shape.layers - 1) * layer + last + around)


def _write_models(shape: ScoringShape, folder: Path) -> None:
    sizes = sizes_of(shape.layers, shape.width, shape.heads, shape.tokens + shape.patches)
    torch.manual_seed(0)
    rival = BertConfig(**sizes)
    rival.num_labels = 1
    BertForSequenceClassification(rival).eval().save_pretrained(folder / "bert")
    for name, split_layers in (("joint", 0), ("split", shape.split_layers)):
        config = FashionBertConfig(
            **sizes, patch_feature_size=shape.features, patches=shape.patches, split_layers=split_layers
        )
        FashionBertForMatching(config).eval().save_pretrained(folder / name)
    drawn = np.random.default_rng(0)
    text_T = drawn.integers(1000, VOCABULARY, shape.tokens)
    np.savez(
        folder / "inputs.npz",
        text=text_T,
        tokens=np.concatenate(
            [
                np.tile(text_T, (shape.candidates, 1)),
                drawn.integers(1000, VOCABULARY, (shape.candidates, shape.patches)),
            ],
            axis=1,
        ),
        features=drawn.random((shape.candidates, shape.patches, shape.features), np.float32),
    )
