"""A batch's sides, each read once by a model, however many pairs and tasks look at them.

Letters: B products, U sides read, N pairs, T text tokens, P patches, F feature size.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from fashionbert.data import NOT_HIDDEN, MaskedPictures, MaskedTexts, TextBatch
from fashionbert.model import FashionBertForMatching, FashionBertOutput, Side, SideVectors, frame_ids, late_interaction

Both = tuple[SideVectors, SideVectors]
"""What texts and pictures say of themselves."""


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


@dataclass(frozen=True, slots=True)
class BatchSides:
    """The batch as the layers below the joint ones have read it.

    Attributes:
        texts: its texts.
        frame: ``[CLS] [SEP]``, one row.
        pictures: its pictures, row i belongs to text i.
        titles: what stands before each picture instead of the frame, where some are titled.
    """

    texts: Side
    frame: Side
    pictures: Side
    titles: Side | None


@dataclass(frozen=True, slots=True)
class PairSides:
    """All sides that pairs are made of, the batch's own first, with what was hidden in them.

    Attributes:
        texts: U texts.
        pictures: U pictures.
        vectors: what they say of themselves, where the alignment logits ask for it.
        labels: hidden words [U, T].
        masked: hidden patches [U, P].
        features: of the patches [U, P, F].
    """

    texts: Side
    pictures: Side
    vectors: Both | None
    labels: Tensor
    masked: Tensor
    features: Tensor

    def vectors_of(self, pairs: DrawnPairs) -> Both | None:
        """Vectors of the two sides of each pair."""
        if self.vectors is None:
            return None
        return self.vectors[0][pairs.text_of], self.vectors[1][pairs.picture_of]


@dataclass(frozen=True, slots=True)
class AloneRead:
    """The batch's sides when each is read by itself through all layers.

    Attributes:
        outputs: of the encoder, texts and pictures.
        texts: vectors of the texts.
        pictures: vectors of the pictures, behind their titles where they have some.
    """

    outputs: tuple[FashionBertOutput, FashionBertOutput]
    texts: SideVectors
    pictures: SideVectors


class BatchReader:
    """Reads batches with one model."""

    def __init__(self, model: FashionBertForMatching) -> None:
        self.model = model

    def own(self, texts: MaskedTexts, pictures: MaskedPictures, titles: TextBatch | None) -> BatchSides:
        """Read a batch up to the layer where its sides meet."""
        return BatchSides(
            self.texts(texts),
            self.model.fashionbert.read_texts(frame_ids(texts.input_ids[:1], texts.attention_mask[:1])),
            self.pictures(pictures),
            None if titles is None else self.texts(titles),
        )

    def texts(self, texts: MaskedTexts | TextBatch) -> Side:
        """Read texts up to that layer."""
        return self.model.fashionbert.read_texts(texts.input_ids, texts.attention_mask)

    def pictures(self, pictures: MaskedPictures) -> Side:
        """Read pictures up to that layer."""
        return self.model.fashionbert.read_pictures(
            pictures.features, masked_patches=pictures.masked, patch_positions=pictures.positions
        )

    def alone(self, own: BatchSides) -> AloneRead:
        """Read each side of a batch by itself to the end; ValueError where the model has no vector head."""
        encoder, count = self.model.fashionbert, len(own.pictures.hidden)
        rows_B = torch.zeros(count, dtype=torch.int64, device=own.pictures.hidden.device)
        before = own.frame[rows_B] if own.titles is None else own.titles
        outputs = encoder.join(own.texts, None), encoder.join(before, own.pictures)
        texts = self.model.vectors_of(outputs[0], "text")
        return AloneRead(outputs, texts, self.model.vectors_of(outputs[1], "picture", before.hidden.shape[1]))

    def likenesses(self, alone: AloneRead) -> list[Tensor]:
        """How alike each text and each picture of a batch are [B, B]: as wholes, and place by place where learnt so."""
        model = self.model
        assert model.vector_head is not None, "there are no vectors without it"
        found = [model.vector_head.scale * alone.texts.pooled @ alone.pictures.pooled.T]
        if model.place_head is not None and alone.texts.places is not None and alone.pictures.places is not None:
            found.append(model.place_head.scale * late_interaction(alone.texts.places, alone.pictures.places))
        return found

    @torch.no_grad()
    def vectors(self, texts: Side, frame: Side, pictures: Side) -> Both:
        """Vectors of sides, without gradient."""
        return self.model.vectors_of_texts(texts), self.model.vectors_of_pictures(frame, pictures)

    def with_foreign(self, sides: PairSides, frame: Side, pairs: DrawnPairs) -> PairSides:
        """Put the sides that are not in the batch below its own."""
        vectors = sides.vectors
        if pairs.foreign_texts is not None:
            side = self.texts(pairs.foreign_texts)
            labels_UT = _stack_labels(sides.labels, pairs.foreign_texts.labels)
            if vectors is not None:
                with torch.no_grad():
                    vectors = vectors[0].above(self.model.vectors_of_texts(side)), vectors[1]
            sides = replace(sides, texts=sides.texts.above(side), labels=labels_UT, vectors=vectors)
        if pairs.foreign_pictures is not None:
            side = self.pictures(pairs.foreign_pictures)
            masked_UP = torch.cat([sides.masked, pairs.foreign_pictures.masked])
            # In float32: under bf16 autocast torch refuses to join float16 tensors.
            features_UPF = torch.cat([sides.features.float(), pairs.foreign_pictures.features.float()])
            if vectors is not None:
                with torch.no_grad():
                    vectors = vectors[0], vectors[1].above(self.model.vectors_of_pictures(frame, side))
            sides = replace(
                sides, pictures=sides.pictures.above(side), masked=masked_UP, features=features_UPF, vectors=vectors
            )
        return sides


def _stack_labels(upper_BT: Tensor, lower_BT: Tensor) -> Tensor:
    width = max(upper_BT.shape[1], lower_BT.shape[1])
    padded = [
        nn.functional.pad(labels, (0, width - labels.shape[1]), value=NOT_HIDDEN) for labels in (upper_BT, lower_BT)
    ]
    return torch.cat(padded)
