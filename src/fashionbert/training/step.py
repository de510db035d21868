"""One forward pass of everything that is learnt.

It is a module of its own so that distributed training wraps one forward call, whichever tasks are on.
Letters: B products, N pairs, T text tokens, P patches, S = T + P, M masked places, D width.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from fashionbert.config import ObjectiveSettings
from fashionbert.data import PairBatch, SideBatch
from fashionbert.model import FashionBertForPreTraining
from fashionbert.objectives import alignment_loss, contrastive_loss, masked_patch_loss, masked_word_loss
from fashionbert.training.queue import VectorQueue


@dataclass(slots=True)
class StepOutput:
    """What a forward pass leaves.

    Attributes:
        losses: scalar of each task that took part, in the order of the settings.
        encoder_outputs: what the heads read.
        vectors: unit vectors of texts and pictures, [B, E] each, when the contrastive task took part.
        figures: numbers for the record that are not losses.
    """

    losses: dict[str, Tensor] = field(default_factory=dict)
    encoder_outputs: list[Tensor] = field(default_factory=list)
    vectors: tuple[Tensor, Tensor] | None = None
    figures: dict[str, float] = field(default_factory=dict)


DrawPairs = Callable[[tuple[Tensor, Tensor] | None], PairBatch | None]
"""Gives the pairs of the step once the vectors that choose the negatives are known; None: no pair tasks."""


class PreTrainingStep(nn.Module):
    """The model with its tasks."""

    def __init__(self, model: FashionBertForPreTraining, settings: ObjectiveSettings) -> None:
        super().__init__()
        self.model = model
        self.tasks = settings.tasks
        self.positives_only = settings.masked_losses_on == "positives"
        learnt = settings.tasks if settings.weights == "uncertainty" else ()
        self.log_variances = nn.ParameterDict({task: nn.Parameter(torch.zeros(())) for task in learnt})

    def forward(self, sides: SideBatch | None, queue: VectorQueue | None, draw_pairs: DrawPairs) -> StepOutput:
        """Run the tasks that are on.

        Args:
            sides: texts and pictures to be read each by itself; None: no contrastive task.
            queue: past vectors, further negatives of the contrastive task.
            draw_pairs: gives the pairs.
        """
        output, losses = StepOutput(), {}
        if sides is not None:
            losses["contrastive"] = self._contrastive(sides, queue, output)
        pairs = draw_pairs(output.vectors)
        if pairs is not None:
            losses |= self._pair_tasks(pairs, output)
        output.losses = {task: losses[task] for task in self.tasks if task in losses}
        return output

    def _contrastive(self, sides: SideBatch, queue: VectorQueue | None, output: StepOutput) -> Tensor:
        encoder, head = self.model.fashionbert, self.model.vector_head
        assert head is not None, "Settings refuse the contrastive task without a vector head"
        texts = encoder(input_ids=sides.input_ids, attention_mask=sides.attention_mask)
        frame_B2 = torch.stack([sides.input_ids[:, 0], _last_token(sides)], dim=1)
        pictures = encoder(input_ids=frame_B2, patch_features=sides.features, patch_positions=sides.positions)
        output.encoder_outputs += [texts.last_hidden_state, pictures.last_hidden_state]
        output.vectors = (
            head(texts.last_hidden_state, texts.attention_mask, "text"),
            head(pictures.last_hidden_state, pictures.attention_mask, "picture"),
        )
        past = () if queue is None or len(queue.rows) == 0 else (queue.texts, queue.pictures, queue.groups)
        output.figures["temperature"] = 1.0 / float(head.scale.detach())
        return contrastive_loss(*output.vectors, sides.groups, head.scale, *past)

    def _pair_tasks(self, pairs: PairBatch, output: StepOutput) -> dict[str, Tensor]:
        features_NPF = pairs.features[pairs.picture_of]
        outputs = self.model(
            input_ids=pairs.input_ids,
            attention_mask=pairs.attention_mask,
            patch_features=features_NPF,
            masked_patches=pairs.masked_patches,
            patch_positions=pairs.positions[pairs.picture_of],
        )
        hidden_NSD = outputs.last_hidden_state
        output.encoder_outputs.append(hidden_NSD)
        count_N = pairs.labels.bool() if self.positives_only else torch.ones_like(pairs.labels, dtype=torch.bool)
        losses = {}
        if "masked_words" in self.tasks:
            losses["masked_words"] = self._masked_words(pairs, hidden_NSD, count_N)
        if "masked_patches" in self.tasks:
            hidden_NPD = hidden_NSD[:, pairs.input_ids.shape[1] :]
            chosen_NP = pairs.masked_patches & count_N[:, None]
            targets_MF = self.model.fashionbert.patch_embeddings.standardise(features_NPF[chosen_NP])
            losses["masked_patches"] = masked_patch_loss(self.model.patch_logits(hidden_NPD[chosen_NP]), targets_MF)
        if "alignment" in self.tasks:
            losses["alignment"] = alignment_loss(outputs.alignment_logits, pairs.labels)
            right_N = outputs.alignment_logits.argmax(dim=1) == pairs.labels
            output.figures["alignment_accuracy"] = float(right_N.float().mean())
            output.figures["positive_share"] = float(pairs.labels.float().mean())
        return losses

    def _masked_words(self, pairs: PairBatch, hidden_NSD: Tensor, count_N: Tensor) -> Tensor:
        width = pairs.input_ids.shape[1]
        chosen_M = count_N[pairs.word_places // width]
        places_M = pairs.word_places[chosen_M]
        hidden_MD = hidden_NSD[places_M // width, places_M % width]
        return masked_word_loss(self.model.word_logits(hidden_MD), pairs.word_labels[chosen_M])


def _last_token(sides: SideBatch) -> Tensor:
    """The [SEP] that ends each text, whose id frames a picture read alone."""
    last_B = sides.attention_mask.sum(dim=1) - 1
    return sides.input_ids.gather(1, last_B[:, None]).squeeze(1)
