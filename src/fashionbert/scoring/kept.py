"""Pictures read once and kept: all that pairs need of a picture, as one record of fixed size that a table can hold.

Reading a picture's patches and running the layers below the meeting is most of what a pair costs. A search index pays
it when a product comes in; a query then pays for its own words and for the meeting.

Letters: N pictures, M pairs, V variants (the picture, and its mirror image where the model reads both), P patches,
D width, K size of a place's vector, E vector size.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from fashionbert.errors import RunError, StoreError
from fashionbert.images.decode import decode_picture
from fashionbert.model import FashionBertConfig, Places, Side, SideVectors
from fashionbert.scoring.remembered import RememberedTexts
from fashionbert.scoring.scorer import Scorer
from fashionbert.scoring.sides import ReadFeatures, ReadSides
from fashionbert.types import ImageInput

Prepared: TypeAlias = tuple[NDArray[np.uint8], ...]
"""What the patch network takes of a picture, for each variant."""


def record_dtype(config: FashionBertConfig, variants: int) -> np.dtype[np.void]:
    """Lay out a picture's record: float16 where there are many numbers, float32 where they are few.

    Args:
        config: of the model.
        variants: V.

    Returns:
        A structured dtype with ``states`` [V, P, D] and, where the model has them, ``pooled`` [V, E],
        ``popularity`` [V], ``places`` [V, P, K] and ``weights`` [V, P].
    """
    patches = (variants, config.patches)
    fields: list[tuple[str, str, tuple[int, ...]]] = [("states", "<f2", (*patches, config.hidden_size))]
    if config.contrastive_size:
        fields.append(("pooled", "<f4", (variants, config.contrastive_size)))
    if config.bank_size:
        fields.append(("popularity", "<f4", (variants,)))
    if config.late_interaction_size:
        fields += [("places", "<f2", (*patches, config.late_interaction_size)), ("weights", "<f4", patches)]
    return np.dtype(fields)


class KeptPictures:
    """Makes records of pictures, and scores texts against records as :class:`Scorer` scores them against pictures.

    The scores are those of the scorer but for the rounding of the records' float16.
    """

    def __init__(self, scorer: Scorer) -> None:
        """Take the scorer of the model whose records these are."""
        self.scorer = scorer
        self.variants = 2 if scorer.mirrored else 1
        self.dtype = record_dtype(scorer.model.config, self.variants)
        self.texts = RememberedTexts(scorer)
        """Reads words, and remembers what was asked last."""

    def prepare(self, picture: Image.Image) -> Prepared:
        """All that the networks will need of a decoded picture; needs no device and is safe for threads."""
        prepare = self.scorer.processor.extractor.prepare
        return tuple(prepare(picture, mirrored=bool(variant)) for variant in range(self.variants))

    def read(self, pictures: Sequence[ImageInput]) -> NDArray[np.void]:
        """Read pictures as users hold them; arguments and errors as of ``Scorer.encode_pictures``."""
        size = self.scorer.processor.extractor.pictures_at_once
        batches = [pictures[start : start + size] for start in range(0, len(pictures), size)]
        records = [self.read_prepared([self.prepare(decode_picture(each)) for each in batch]) for batch in batches]
        return np.concatenate([np.empty(0, self.dtype), *records])

    def read_prepared(self, pictures: Sequence[Prepared]) -> NDArray[np.void]:
        """Read prepared pictures.

        Args:
            pictures: by :meth:`prepare`.

        Returns:
            Records [N] of :attr:`dtype`.

        Raises:
            StoreError: numbers of the model do not fit in float16.
        """
        extractor = self.scorer.processor.extractor
        size = extractor.pictures_at_once
        variants = []
        for variant in range(self.variants):
            prepared = [each[variant] for each in pictures]
            batches = [prepared[start : start + size] for start in range(0, len(prepared), size)]
            features = [extractor.forward([]), *map(extractor.forward, batches)]
            variants.append(np.concatenate(features).__getitem__)
        return self.read_features(variants, len(pictures))

    def read_features(self, variants: Sequence[ReadFeatures], count: int) -> NDArray[np.void]:
        """Read pictures whose patch features are at hand.

        Args:
            variants: for each variant a function from row numbers to features [n, P, F].
            count: number of pictures N.

        Returns:
            Records [N] of :attr:`dtype`.

        Raises:
            ValueError: there are features of too few variants.
            StoreError: the model's hidden states do not fit in float16.
        """
        if len(variants) != self.variants:
            raise ValueError(f"features of {len(variants)} variants, the model reads {self.variants}")
        records = np.empty(count, self.dtype)
        rows = np.arange(count)
        for start in range(0, count, self.scorer.batch_size):
            batch = rows[start : start + self.scorer.batch_size]
            for number, read in enumerate(variants):
                with self.scorer.arithmetic():
                    sides = self.scorer.sides.pictures(read, batch, vectors=self.scorer.has_vectors)
                self._keep(records, batch, number, sides)
        return records

    def vectors(self, records: NDArray[np.void]) -> NDArray[np.float32]:
        """Give the recall vectors of kept pictures, unit vectors [N, E]: of the pictures, not of their mirrors."""
        if "pooled" not in (self.dtype.names or ()):
            raise ValueError("this model has no vector head: train one with the contrastive task, as 'fast' does")
        return records["pooled"][:, 0]

    def titled_vectors(self, records: NDArray[np.void], titles: Sequence[str]) -> NDArray[np.float32]:
        """Give the recall vectors of kept pictures with titles before them, in one sequence (paper section 3.4).

        Args:
            records: of the pictures.
            titles: one for each.

        Returns:
            Unit vectors [N, E].

        Raises:
            ValueError: this model has no vector head, or there are more or fewer titles than records.
        """
        if len(titles) != len(records):
            raise ValueError(f"{len(titles)} titles for {len(records)} pictures: give one for each")
        tokens = self.scorer.tokenize(titles)
        vectors = [self.vectors(records[:0])]
        for start in range(0, len(records), self.scorer.batch_size):
            rows = np.arange(start, min(start + self.scorer.batch_size, len(records)))
            with self.scorer.arithmetic():
                words = self.scorer.sides.texts(tokens, rows).states
                found = self.scorer.model.vectors_of_titled(words, self._unpack(records[rows], 0).states)
            vectors.append(found.pooled.float().cpu().numpy())
        return np.concatenate(vectors)

    def places_of_text(self, text: str) -> NDArray[np.float32] | None:
        """Give the vectors by which the tokens of a text are compared with patches.

        Args:
            text: the text.

        Returns:
            Unit vectors [T, K] of ``[CLS]``, its tokens and ``[SEP]``; None where the model compares no single places.
        """
        with self.scorer.arithmetic():
            read, _ = self.texts.read([text])
        if read.vectors is None or read.vectors.places is None:
            return None
        return read.vectors.places.vectors[0].float().cpu().numpy()

    def margins(
        self,
        texts: Sequence[str],
        text_of: NDArray[np.int64],
        records: NDArray[np.void],
        picture_of: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """Score pairs of texts and kept pictures.

        Args:
            texts: the texts.
            text_of: which of them each pair has [M].
            records: of the pictures.
            picture_of: which of them each pair has [M].

        Returns:
            Margins ``logit(match) - logit(no match)``, float32 [M].

        Raises:
            RunError: the model has not learnt to score pairs.
        """
        self._refuse_untaught()
        if not len(text_of):
            return np.zeros(0, np.float32)
        margins = np.zeros(len(text_of), np.float32)
        with self.scorer.arithmetic():
            read, lengths_of_texts = self.texts.read(texts)
            lengths = lengths_of_texts[text_of]
            order = np.argsort(lengths, kind="stable")
            for variant in range(self.variants):
                pictures = self._unpack(records, variant)
                margins[order] += (
                    self.scorer.meet(read, pictures, text_of[order], picture_of[order], lengths[order]) / self.variants
                )
        return margins

    def _refuse_untaught(self) -> None:
        if not self.scorer.scores_pairs:
            raise RunError("this model has not learnt to score pairs: go on with its run, or search by vectors alone")

    def _keep(self, records: NDArray[np.void], rows: NDArray[np.int64], variant: int, sides: ReadSides) -> None:
        columns = {"states": sides.states.hidden}
        if sides.vectors is not None:
            columns["pooled"] = sides.vectors.pooled
            if sides.vectors.popularity is not None:
                columns["popularity"] = sides.vectors.popularity
            if sides.vectors.places is not None:
                columns["places"], columns["weights"] = sides.vectors.places.vectors, sides.vectors.places.weights
        for name, values in columns.items():
            records[name][rows, variant] = _fitting(name, values)

    def _unpack(self, records: NDArray[np.void], variant: int) -> ReadSides:
        device = self.scorer.device
        columns = {
            name: torch.from_numpy(records[name][:, variant].copy()).to(device).float()
            for name in self.dtype.names or ()
        }
        mask = torch.ones(columns["states"].shape[:2], dtype=torch.bool, device=device)
        states = Side(columns["states"], mask)
        if "pooled" not in columns:
            return ReadSides(states, None)
        places = Places(columns["places"], columns["weights"], mask) if "places" in columns else None
        return ReadSides(states, SideVectors(columns["pooled"], places, columns.get("popularity")))


def _fitting(name: str, values: torch.Tensor) -> NDArray[np.floating]:
    """Bring numbers to the record's precision; what is too large for it would come back as infinity."""
    array = values.float().cpu().numpy()
    if name in ("states", "places") and not (np.abs(array) < np.finfo(np.float16).max).all():
        raise StoreError(
            f"the model's {name} of a picture are not finite in float16: its weights are broken; train it anew"
        )
    return array
