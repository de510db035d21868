"""One forward pass of everything that is learnt.

It is a module of its own so that distributed training wraps one forward call, whichever tasks are on. Each side is read
once; the contrastive task looks at the sides alone, the pair tasks join them. Letters: B products, U sides read,
N pairs, T text tokens, P patches, S = T + P, M masked places, D width.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, distributed, nn

from fashionbert.config import ObjectiveSettings
from fashionbert.data import NOT_HIDDEN, MaskedPictures, MaskedTexts, TextBatch
from fashionbert.model import FashionBertForPreTraining, FashionBertOutput, Meeting
from fashionbert.objectives import (
    alignment_chance,
    alignment_list_chance,
    alignment_list_loss,
    alignment_loss,
    contrastive_loss,
    info_nce,
    masked_patch_loss,
    masked_word_loss,
    soft_alignment_loss,
    soft_contrastive_loss,
)
from fashionbert.training.queue import VectorQueue
from fashionbert.training.reading import AloneRead, BatchReader, BatchSides, Both, DrawnPairs, PairSides
from fashionbert.training.teacher import Teacher

Vectors = tuple[Tensor, Tensor]
"""Unit vectors of the batch's texts and pictures, [B, E] each."""


DrawPairs = Callable[[Vectors | None], DrawnPairs | None]
"""Gives the pairs of the step once the vectors that choose the negatives are known; None: no pair tasks."""


@dataclass(slots=True)
class StepOutput:
    """What a forward pass leaves.

    Attributes:
        losses: scalar of each task that took part, in the order of the settings.
        encoder_outputs: what the heads read.
        vectors: those of texts and pictures, when the contrastive task took part.
        imitation: how far the model is from its teacher, where it has one.
        figures: numbers for the record that are not losses.
        log_variances: learnt scalar of each task in ``losses``, for uncertainty weights. They come from the forward
            pass because distributed training knows of a parameter's part in the loss by that alone.
    """

    losses: dict[str, Tensor] = field(default_factory=dict)
    encoder_outputs: list[Tensor] = field(default_factory=list)
    vectors: Both | None = None
    imitation: Tensor | None = None
    figures: dict[str, float] = field(default_factory=dict)
    log_variances: dict[str, Tensor] = field(default_factory=dict)


class PreTrainingStep(nn.Module):
    """The model with its tasks."""

    def __init__(
        self, model: FashionBertForPreTraining, settings: ObjectiveSettings, teacher: Teacher | None = None
    ) -> None:
        super().__init__()
        self.model, self.teacher = model, teacher
        self.reader = BatchReader(model)
        self.tasks = settings.tasks
        self.lists = settings.alignment == "lists"
        self.positives_only = settings.masked_losses_on == "positives"
        learnt = settings.tasks if settings.weights == "uncertainty" else ()
        self.log_variances = nn.ParameterDict({task: nn.Parameter(torch.zeros(())) for task in learnt})

    def forward(
        self,
        texts: MaskedTexts,
        pictures: MaskedPictures,
        titles: TextBatch | None,
        groups_B: Tensor,
        queue: VectorQueue | None,
        draw_pairs: DrawPairs,
    ) -> StepOutput:
        """Run the tasks that are on.

        Args:
            texts: texts of the batch.
            pictures: its pictures, row i belongs to text i.
            titles: what stands before each picture in the contrastive task; None: ``[CLS] [SEP]``.
            groups_B: group of each product.
            queue: past vectors, further negatives of the contrastive task.
            draw_pairs: gives the pairs.

        Returns:
            Losses and what weighing and recording need.
        """
        output, losses = StepOutput(), {}
        own, likenesses = self.reader.own(texts, pictures, titles), []
        if "contrastive" in self.tasks:
            alone = self.reader.alone(own)
            likenesses = self.reader.likenesses(alone)
            losses["contrastive"] = self._contrastive(own, alone, likenesses, groups_B, queue, output)
        pairs = draw_pairs(None if output.vectors is None else (output.vectors[0].pooled, output.vectors[1].pooled))
        sides, margins_N = None, None
        if pairs is not None:
            vectors = self._own_vectors(own, output)
            sides = PairSides(own.texts, own.pictures, vectors, texts.labels, pictures.masked, pictures.features)
            of_pairs, margins_N = self._pair_losses(self.reader.with_foreign(sides, own.frame, pairs), pairs, output)
            losses |= of_pairs
        if self.teacher is not None:
            theirs = self.teacher.read(texts, pictures, titles)
            output.imitation = _imitation(self.teacher, theirs, likenesses, sides, pairs, margins_N)
        output.losses = {task: losses[task] for task in self.tasks if task in losses}
        # Cloned, for a parameter itself has no graph in which distributed training could find it.
        output.log_variances = {task: self.log_variances[task].clone() for task in losses if task in self.log_variances}
        return output

    def _pair_losses(
        self, read: PairSides, pairs: DrawnPairs, output: StepOutput
    ) -> tuple[dict[str, Tensor], Tensor | None]:
        """Losses of the tasks that look at pairs; and the margins of the pairs where alignment is learnt."""
        vectors, logits_N2 = read.vectors_of(pairs), None
        if vectors is not None:
            self._start_agreement(vectors, pairs.labels)
        losses: dict[str, Tensor] = {}
        apart = "alignment" in self.tasks and self.model.fashionbert.joins_in_one_layer
        if apart:  # [CLS] alone of many pairs costs less than all places of a few
            meeting = Meeting(self.model.fashionbert, read.texts, read.pictures, len(pairs.text_of))
            matched = self.model.match(meeting, pairs.text_of, pairs.picture_of, vectors)
            output.encoder_outputs.append(_hidden_of(matched))
            logits_N2 = matched.alignment_logits
        if not apart or {"masked_words", "masked_patches"} & set(self.tasks):
            count = int(pairs.labels.sum()) if self.positives_only else len(pairs.labels)
            joined_count = count if apart else len(pairs.labels)
            text_of_n, picture_of_n = pairs.text_of[:joined_count], pairs.picture_of[:joined_count]
            joined = self.model.join(read.texts[text_of_n], read.pictures[picture_of_n], None if apart else vectors)
            hidden_nSD = _hidden_of(joined)
            output.encoder_outputs.append(hidden_nSD)
            losses |= self._masked_losses(read, hidden_nSD[:count], text_of_n[:count], picture_of_n[:count])
            if "alignment" in self.tasks and not apart:
                logits_N2 = joined.alignment_logits
        if logits_N2 is None:
            return losses, None
        losses["alignment"] = self._alignment(logits_N2, pairs.labels, output)
        return losses, logits_N2[:, 1] - logits_N2[:, 0]

    def _masked_losses(
        self, read: PairSides, hidden_nSD: Tensor, text_of_n: Tensor, picture_of_n: Tensor
    ) -> dict[str, Tensor]:
        losses, words = {}, read.labels.shape[1]
        if "masked_words" in self.tasks:
            losses["masked_words"] = self._masked_words(hidden_nSD[:, :words], read.labels[text_of_n])
        if "masked_patches" in self.tasks:
            losses["masked_patches"] = self._masked_patches(
                hidden_nSD[:, words:], read.masked[picture_of_n], read.features, picture_of_n
            )
        return losses

    def _own_vectors(self, own: BatchSides, output: StepOutput) -> Both | None:
        """Vectors of the batch's sides, where the alignment logits ask for them; they take no gradient there."""
        if self.model.side_agreement is None:
            return None
        if output.vectors is not None:
            return output.vectors[0].detached(), output.vectors[1].detached()
        return self.reader.vectors(own.texts, own.frame, own.pictures)

    @torch.no_grad()
    def _start_agreement(self, vectors: Both, labels_N: Tensor) -> None:
        """Put the threshold of match and no match midway between the right and the wrong pairs of the first step."""
        agreement = self.model.side_agreement
        if agreement is None or agreement.started:
            return
        similarity_N = self.model.similarity(*vectors)
        right, wrong = similarity_N[labels_N == 1].mean(), similarity_N[labels_N == 0].mean()
        agreement.start_at(_mean_over_processes((right + wrong) / 2))

    def _contrastive(
        self,
        own: BatchSides,
        alone: AloneRead,
        likenesses: Sequence[Tensor],
        groups_B: Tensor,
        queue: VectorQueue | None,
        output: StepOutput,
    ) -> Tensor:
        model = self.model
        assert model.vector_head is not None, "Settings refuse the contrastive task without a vector head"
        output.encoder_outputs += [_hidden_of(each) for each in alone.outputs]
        # Pairs are mined and judged by pictures alone: a title in a vector would tell which text is the right one.
        plain = alone.pictures
        if own.titles is not None:
            with torch.no_grad():
                plain = model.vectors_of_pictures(own.frame, own.pictures)
        output.vectors = alone.texts, plain
        past = () if queue is None or len(queue.rows) == 0 else (queue.texts, queue.pictures, queue.groups)
        scale = model.vector_head.scale
        output.figures["temperature"] = float(scale.detach().reciprocal())  # a tensor's: infinite where the scale is 0
        pooled = contrastive_loss(alone.texts.pooled, alone.pictures.pooled, groups_B, scale, *past)
        if len(likenesses) == 1:
            return pooled
        places = info_nce(likenesses[1], likenesses[1].T, groups_B, groups_B)
        output.figures |= {"contrastive.pooled": float(pooled.detach()), "contrastive.places": float(places.detach())}
        return (pooled + places) / 2

    def _masked_words(self, hidden_nTD: Tensor, labels_nT: Tensor) -> Tensor:
        chosen_nT = labels_nT != NOT_HIDDEN
        return masked_word_loss(self.model.word_logits(hidden_nTD[chosen_nT]), labels_nT[chosen_nT])

    def _masked_patches(
        self, hidden_nPD: Tensor, masked_nP: Tensor, features_UPF: Tensor, picture_of_n: Tensor
    ) -> Tensor:
        pair_M, patch_M = masked_nP.nonzero(as_tuple=True)
        raw_MF = features_UPF[picture_of_n[pair_M], patch_M]
        targets_MF = self.model.fashionbert.patch_embeddings.standardise(raw_MF)
        return masked_patch_loss(self.model.patch_logits(hidden_nPD[pair_M, patch_M]), targets_MF)

    def _alignment(self, logits_N2: Tensor | None, labels_N: Tensor, output: StepOutput) -> Tensor:
        assert logits_N2 is not None
        right_N = logits_N2.argmax(dim=1) == labels_N
        positives = int(labels_N.sum())
        output.figures["alignment_accuracy"] = float(right_N.float().mean())
        output.figures["positive_share"] = positives / len(labels_N)
        if not self.lists:
            output.figures["chance.alignment"] = alignment_chance(positives / len(labels_N))
            return alignment_loss(logits_N2, labels_N)
        output.figures["chance.alignment"] = alignment_list_chance(len(labels_N) // positives - 1)
        return alignment_list_loss(logits_N2, positives)


def _imitation(
    teacher: Teacher,
    theirs: BatchSides,
    likenesses: Sequence[Tensor],
    sides: PairSides | None,
    pairs: DrawnPairs | None,
    margins_N: Tensor | None,
) -> Tensor | None:
    """How far the student's view of batch and pairs is from the teacher's; None where it has looked at neither."""
    losses = []
    if likenesses:
        both = zip(likenesses, teacher.likenesses(theirs), strict=True)
        losses.append(torch.stack([soft_contrastive_loss(mine, its) for mine, its in both]).mean())
    if sides is not None and pairs is not None and margins_N is not None:
        wanted_N = teacher.margins(theirs, sides, pairs)
        losses.append(soft_alignment_loss(margins_N, wanted_N, int(pairs.labels.sum())))
    return torch.stack(losses).sum() if losses else None


def _hidden_of(outputs: FashionBertOutput) -> Tensor:
    assert outputs.last_hidden_state is not None
    return outputs.last_hidden_state


def _mean_over_processes(value: Tensor) -> Tensor:
    if not (distributed.is_available() and distributed.is_initialized()):
        return value
    distributed.all_reduce(value)
    return value / distributed.get_world_size()
