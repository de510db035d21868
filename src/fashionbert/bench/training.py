"""A training step of the three tasks under each weighing, beside a fine-tuning step of a BERT on as many places.

All weights are random, nothing is dropped, and a learning rate of zero leaves them as they are, so that every step is
the same.

Letters: B pairs, T text tokens, P patches, S = T + P, F feature size.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import AdamW
from transformers import BertConfig, BertForSequenceClassification

from fashionbert.bench.contender import Contender, Work
from fashionbert.bench.profile import profile_work
from fashionbert.bench.shape import VOCABULARY, ModelShape, operations_of_layer, refuse_heads, sizes_of
from fashionbert.config import ObjectiveSettings
from fashionbert.data import NOT_HIDDEN, MaskedPictures, MaskedTexts
from fashionbert.model import FashionBertConfig, FashionBertForPreTraining
from fashionbert.training.reading import DrawnPairs
from fashionbert.training.step import PreTrainingStep
from fashionbert.training.weighing import Scheme, weigh

THIS = "fashionbert.bench.training"
EQUAL, PAPER = "fashionbert, equal weights", "fashionbert, the paper's weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingShape(ModelShape):
    """Sizes of the model and of the step.

    Attributes:
        pairs: B.
    """

    tokens: int = 64
    pairs: int = 32


def training_contenders(shape: TrainingShape) -> list[Contender]:
    """Name who takes part.

    Args:
        shape: of the step.

    Returns:
        Contenders; what each gives are the losses of its tasks.

    Raises:
        SettingsError: the width is no multiple of the heads.
    """
    refuse_heads(shape.width, shape.heads)
    sizes = asdict(shape)
    return [
        Contender(name=EQUAL, make=f"{THIS}:step", arguments={**sizes, "scheme": "equal"}, units=shape.pairs),
        Contender(
            name=PAPER, make=f"{THIS}:step", arguments={**sizes, "scheme": "paper"}, units=shape.pairs, same_as=EQUAL
        ),
        Contender(name="transformers BERT, one task", make=f"{THIS}:bert", arguments=sizes, units=shape.pairs),
    ]


def training_operations(shape: TrainingShape) -> int:
    """Count the operations of the encoder's layers in a step, forward and twice as many backward."""
    places = shape.tokens + shape.patches
    return 3 * 2 * shape.pairs * shape.layers * places * operations_of_layer(places, shape.width)


def step(scheme: Scheme, **sizes: int) -> Work:
    """Our step: masked words, masked patches and alignment, every second pair a wrong one."""
    shape = TrainingShape(**sizes)
    config = FashionBertConfig(
        **sizes_of(shape.layers, shape.width, shape.heads, shape.tokens),
        patch_feature_size=shape.features,
        patches=shape.patches,
        patch_dropout_prob=0.0,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    torch.manual_seed(0)
    module = PreTrainingStep(FashionBertForPreTraining(config), ObjectiveSettings(weights=scheme)).train()
    texts, pictures = _sides(shape)
    own_B = torch.arange(shape.pairs)
    pairs = DrawnPairs(None, None, own_B, own_B, (own_B % 2 == 0).long())

    def losses() -> tuple[Tensor, NDArray[np.float32]]:
        output = module(texts, pictures, None, own_B, None, lambda _: pairs)
        total, _ = weigh(output.losses, output.encoder_outputs, scheme, fixed={}, log_variances={})
        return total, np.asarray([loss.item() for loss in output.losses.values()], np.float32)

    return _stepping(module, losses)


def bert(**sizes: int) -> Work:
    """A step of transformers' BERT that classifies as many places."""
    shape = TrainingShape(**sizes)
    places = shape.tokens + shape.patches
    torch.manual_seed(0)
    config = BertConfig(
        **sizes_of(shape.layers, shape.width, shape.heads, places),
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = BertForSequenceClassification(config).train()
    ids_BS = torch.randint(1000, VOCABULARY, (shape.pairs, places))
    labels_B = torch.arange(shape.pairs) % 2

    def losses() -> tuple[Tensor, NDArray[np.float32]]:
        loss = model(input_ids=ids_BS, labels=labels_B).loss
        return loss, np.asarray([loss.item()], np.float32)

    return _stepping(model, losses)


def profile_step(shape: TrainingShape) -> dict[str, float]:
    """Say where the time of a step with the paper's weights goes: milliseconds by kind of operator."""
    return profile_work(step("paper", **asdict(shape)))


def _stepping(module: nn.Module, losses: Callable[[], tuple[Tensor, NDArray[np.float32]]]) -> Work:
    optimizer = AdamW(module.parameters(), lr=0.0, weight_decay=0.0, fused=True)

    def work() -> NDArray[np.float32]:
        optimizer.zero_grad()
        total, found = losses()
        total.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        return found

    return work


def _sides(shape: TrainingShape) -> tuple[MaskedTexts, MaskedPictures]:
    """Texts with a seventh and pictures with a tenth of their places masked, much as in training."""
    rng = torch.Generator().manual_seed(0)
    ids_BT = torch.randint(1000, VOCABULARY, (shape.pairs, shape.tokens), generator=rng)
    labels_BT = torch.full_like(ids_BT, NOT_HIDDEN)
    labels_BT[:, 1::7] = ids_BT[:, 1::7]
    masked_BP = torch.zeros(shape.pairs, shape.patches, dtype=torch.bool)
    masked_BP[:, ::10] = True
    features_BPF = torch.rand(shape.pairs, shape.patches, shape.features, generator=rng).half()
    texts = MaskedTexts(ids_BT, torch.ones_like(ids_BT, dtype=torch.bool), labels_BT)
    return texts, MaskedPictures(features_BPF, torch.arange(shape.patches).expand(shape.pairs, -1), masked_BP)
