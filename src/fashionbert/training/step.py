"""One forward pass of everything that is learnt.

It is a module of its own so that distributed training wraps one forward call, whichever tasks are on. Each side is read
once; the contrastive task looks at the sides alone, the pair tasks join them. Letters: B products, U sides read,
N pairs, T text tokens, P patches, S = T + P, M masked places, D width.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, distributed, nn

from fashionbert.config import ObjectiveSettings
from fashionbert.data import NOT_HIDDEN, MaskedPictures, MaskedTexts, TextBatch
from fashionbert.model import (
    FashionBertForPreTraining,
    FashionBertOutput,
    Meeting,
    Side,
    SideVectors,
    frame_ids,
    late_interaction,
)
from fashionbert.objectives import (
    alignment_chance,
    alignment_list_chance,
    alignment_list_loss,
    alignment_loss,
    contrastive_loss,
    info_nce,
    masked_patch_loss,
    masked_word_loss,
)
from fashionbert.training.queue import VectorQueue

Vectors = tuple[Tensor, Tensor]
"""Unit vectors of the batch's texts and pictures, [B, E] each."""


@dataclass(frozen=True, slots=True)
class DrawnPairs:
    """Pairs of sides: those of the batch come first, foreign ones behind them.

    Attributes:
        foreign_texts: texts that are not in the batch; None: there are none.
        foreign_pictures: pictures that are not in the batch; None: there are none.
        text_of: which text each pair has [N].
        picture_of: which picture each pair has [N].
        labels: 1 where they belong together, those first [N].
    """

    foreign_texts: MaskedTexts | None
    foreign_pictures: MaskedPictures | None
    text_of: Tensor
    picture_of: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> "DrawnPairs":
        """Copy everything to a device."""
        values = (self.foreign_texts, self.foreign_pictures, self.text_of, self.picture_of, self.labels)
        return DrawnPairs(*(None if value is None else value.to(device) for value in values))  # pyright: ignore[reportArgumentType]


DrawPairs = Callable[[Vectors | None], DrawnPairs | None]
"""Gives the pairs of the step once the vectors that choose the negatives are known; None: no pair tasks."""


@dataclass(slots=True)
class StepOutput:
    """What a forward pass leaves.

    Attributes:
        losses: scalar of each task that took part, in the order of the settings.
        encoder_outputs: what the heads read.
        vectors: those of texts and pictures, when the contrastive task took part.
        figures: numbers for the record that are not losses.
        log_variances: learnt scalar of each task in ``losses``, for uncertainty weights. They come from the forward
            pass because distributed training knows of a parameter's part in the loss by that alone.
    """

    losses: dict[str, Tensor] = field(default_factory=dict)
    encoder_outputs: list[Tensor] = field(default_factory=list)
    vectors: tuple[SideVectors, SideVectors] | None = None
    figures: dict[str, float] = field(default_factory=dict)
    log_variances: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Sides:
    """The batch as the layers below the joint ones have read it.

    ``frame`` is ``[CLS] [SEP]``, one row; ``titles`` what stands before each picture instead, where some are titled.
    """

    texts: Side
    frame: Side
    pictures: Side
    titles: Side | None


@dataclass(frozen=True, slots=True)
class _Read:
    """All sides that the pairs are made of, the batch's own first, with what was hidden in them.

    ``labels`` [U, T] of hidden words, ``masked`` [U, P] and ``features`` [U, P, F] of the pictures' patches.
    """

    texts: Side
    pictures: Side
    vectors: tuple[SideVectors, SideVectors] | None
    labels: Tensor
    masked: Tensor
    features: Tensor


class PreTrainingStep(nn.Module):
    """The model with its tasks."""

    def __init__(self, model: FashionBertForPreTraining, settings: ObjectiveSettings) -> None:
        super().__init__()
        self.model = model
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
        own = _Sides(
            self._read_texts(texts),
            self._read_frame(texts),
            self._read_pictures(pictures),
            None if titles is None else self._read_texts(titles),
        )
        if "contrastive" in self.tasks:
            losses["contrastive"] = self._contrastive(own, groups_B, queue, output)
        pairs = draw_pairs(None if output.vectors is None else (output.vectors[0].pooled, output.vectors[1].pooled))
        if pairs is not None:
            vectors = self._own_vectors(own, output)
            read = _Read(own.texts, own.pictures, vectors, texts.labels, pictures.masked, pictures.features)
            losses |= self._pair_losses(self._read_foreign(read, own.frame, pairs), pairs, output)
        output.losses = {task: losses[task] for task in self.tasks if task in losses}
        # Cloned, for a parameter itself has no graph in which distributed training could find it.
        output.log_variances = {task: self.log_variances[task].clone() for task in losses if task in self.log_variances}
        return output

    def _pair_losses(self, read: _Read, pairs: DrawnPairs, output: StepOutput) -> dict[str, Tensor]:
        """Losses of the tasks that look at pairs."""
        vectors = read.vectors
        if vectors is not None:
            vectors = vectors[0][pairs.text_of], vectors[1][pairs.picture_of]
            self._start_agreement(vectors, pairs.labels)
        losses: dict[str, Tensor] = {}
        apart = "alignment" in self.tasks and self.model.fashionbert.joins_in_one_layer
        if apart:  # [CLS] alone of many pairs costs less than all places of a few
            meeting = Meeting(self.model.fashionbert, read.texts, read.pictures, len(pairs.text_of))
            matched = self.model.match(meeting, pairs.text_of, pairs.picture_of, vectors)
            output.encoder_outputs.append(_hidden_of(matched))
            losses["alignment"] = self._alignment(matched.alignment_logits, pairs.labels, output)
        if not apart or {"masked_words", "masked_patches"} & set(self.tasks):
            count = int(pairs.labels.sum()) if self.positives_only else len(pairs.labels)
            joined_count = count if apart else len(pairs.labels)
            text_of_n, picture_of_n = pairs.text_of[:joined_count], pairs.picture_of[:joined_count]
            joined = self.model.join(read.texts[text_of_n], read.pictures[picture_of_n], None if apart else vectors)
            hidden_nSD = _hidden_of(joined)
            output.encoder_outputs.append(hidden_nSD)
            losses |= self._masked_losses(read, hidden_nSD[:count], text_of_n[:count], picture_of_n[:count])
            if "alignment" in self.tasks and not apart:
                losses["alignment"] = self._alignment(joined.alignment_logits, pairs.labels, output)
        return losses

    def _masked_losses(
        self, read: _Read, hidden_nSD: Tensor, text_of_n: Tensor, picture_of_n: Tensor
    ) -> dict[str, Tensor]:
        losses, words = {}, read.labels.shape[1]
        if "masked_words" in self.tasks:
            losses["masked_words"] = self._masked_words(hidden_nSD[:, :words], read.labels[text_of_n])
        if "masked_patches" in self.tasks:
            losses["masked_patches"] = self._masked_patches(
                hidden_nSD[:, words:], read.masked[picture_of_n], read.features, picture_of_n
            )
        return losses

    def _read_foreign(self, read: _Read, frame: Side, pairs: DrawnPairs) -> _Read:
        """Put the sides that are not in the batch below its own."""
        vectors = read.vectors
        if pairs.foreign_texts is not None:
            side = self._read_texts(pairs.foreign_texts)
            labels_UT = _stack_labels(read.labels, pairs.foreign_texts.labels)
            if vectors is not None:
                vectors = vectors[0].above(self._vectors_of_texts(side)), vectors[1]
            read = replace(read, texts=read.texts.above(side), labels=labels_UT, vectors=vectors)
        if pairs.foreign_pictures is not None:
            side = self._read_pictures(pairs.foreign_pictures)
            masked_UP = torch.cat([read.masked, pairs.foreign_pictures.masked])
            # In float32: under bf16 autocast torch refuses to join float16 tensors.
            features_UPF = torch.cat([read.features.float(), pairs.foreign_pictures.features.float()])
            if vectors is not None:
                vectors = vectors[0], vectors[1].above(self._vectors_of_pictures(frame, side))
            read = replace(
                read, pictures=read.pictures.above(side), masked=masked_UP, features=features_UPF, vectors=vectors
            )
        return read

    def _own_vectors(self, own: _Sides, output: StepOutput) -> tuple[SideVectors, SideVectors] | None:
        """Vectors of the batch's sides, where the alignment logits ask for them; they take no gradient there."""
        if self.model.side_agreement is None:
            return None
        if output.vectors is not None:
            return output.vectors[0].detached(), output.vectors[1].detached()
        return self._vectors_of_texts(own.texts), self._vectors_of_pictures(own.frame, own.pictures)

    @torch.no_grad()
    def _vectors_of_texts(self, texts: Side) -> SideVectors:
        return self.model.vectors_of_texts(texts)

    @torch.no_grad()
    def _vectors_of_pictures(self, frame: Side, pictures: Side) -> SideVectors:
        return self.model.vectors_of_pictures(frame, pictures)

    @torch.no_grad()
    def _start_agreement(self, vectors: tuple[SideVectors, SideVectors], labels_N: Tensor) -> None:
        """Put the threshold of match and no match midway between the right and the wrong pairs of the first step."""
        agreement = self.model.side_agreement
        if agreement is None or agreement.started:
            return
        similarity_N = self.model.similarity(*vectors)
        right, wrong = similarity_N[labels_N == 1].mean(), similarity_N[labels_N == 0].mean()
        agreement.start_at(_mean_over_processes((right + wrong) / 2))

    def _read_frame(self, texts: MaskedTexts) -> Side:
        return self.model.fashionbert.read_texts(frame_ids(texts.input_ids[:1], texts.attention_mask[:1]))

    def _read_texts(self, texts: MaskedTexts | TextBatch) -> Side:
        return self.model.fashionbert.read_texts(texts.input_ids, texts.attention_mask)

    def _read_pictures(self, pictures: MaskedPictures) -> Side:
        return self.model.fashionbert.read_pictures(
            pictures.features, masked_patches=pictures.masked, patch_positions=pictures.positions
        )

    def _contrastive(self, own: _Sides, groups_B: Tensor, queue: VectorQueue | None, output: StepOutput) -> Tensor:
        model, encoder = self.model, self.model.fashionbert
        assert model.vector_head is not None, "Settings refuse the contrastive task without a vector head"
        alone = encoder.join(own.texts, None)
        before = own.frame[torch.zeros_like(groups_B)] if own.titles is None else own.titles
        pictured = encoder.join(before, own.pictures)
        output.encoder_outputs += [_hidden_of(alone), _hidden_of(pictured)]
        texts = model.vectors_of(alone, "text")
        pictures = model.vectors_of(pictured, "picture", before.hidden.shape[1])
        # Pairs are mined and judged by pictures alone: a title in a vector would tell which text is the right one.
        plain = pictures if own.titles is None else self._vectors_of_pictures(own.frame, own.pictures)
        output.vectors = texts, plain
        past = () if queue is None or len(queue.rows) == 0 else (queue.texts, queue.pictures, queue.groups)
        scale = model.vector_head.scale
        output.figures["temperature"] = float(scale.detach().reciprocal())  # a tensor's: infinite where the scale is 0
        pooled = contrastive_loss(texts.pooled, pictures.pooled, groups_B, scale, *past)
        if model.place_head is None or texts.places is None or pictures.places is None:
            return pooled
        logits_BB = model.place_head.scale * late_interaction(texts.places, pictures.places)
        places = info_nce(logits_BB, logits_BB.T, groups_B, groups_B)
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


def _hidden_of(outputs: FashionBertOutput) -> Tensor:
    assert outputs.last_hidden_state is not None
    return outputs.last_hidden_state


def _stack_labels(upper_BT: Tensor, lower_BT: Tensor) -> Tensor:
    width = max(upper_BT.shape[1], lower_BT.shape[1])
    padded = [
        nn.functional.pad(labels, (0, width - labels.shape[1]), value=NOT_HIDDEN) for labels in (upper_BT, lower_BT)
    ]
    return torch.cat(padded)


def _mean_over_processes(value: Tensor) -> Tensor:
    if not (distributed.is_available() and distributed.is_initialized()):
        return value
    distributed.all_reduce(value)
    return value / distributed.get_world_size()
