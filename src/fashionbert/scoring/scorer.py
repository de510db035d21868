"""The one place where pairs are scored: evaluation, search and serving all call it, so their scores cannot differ.

Letters: N pairs, B pairs of a batch, T text tokens, P patches, F feature size, E vector size.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from fashionbert.data import Examples
from fashionbert.errors import RunError, StoreError
from fashionbert.model import FashionBertForMatching, Meeting
from fashionbert.scoring.margins import MarginScorer
from fashionbert.scoring.pair_inputs import prepare_pairs, tokenize_texts
from fashionbert.scoring.portions import portions
from fashionbert.scoring.processor import FashionBertProcessor
from fashionbert.scoring.run_folder import UNTAUGHT, load_model, pairs_were_learnt
from fashionbert.scoring.sides import ReadFeatures, ReadSides, SideReader
from fashionbert.scoring.speed import paced
from fashionbert.text import TokenizedTexts
from fashionbert.types import ImageInput, Precision, Speed

Progress = Callable[[int], None]

_SIDE_FLOATS = 2**27
"""Floats of the sides held at once: 0.5 GB, and twice as much for keys and values where one layer joins them."""


class Scorer(MarginScorer):
    """Scores pairs and encodes single sides with one model: ``prepare`` (CPU), ``forward`` (device), ``finish`` (CPU).

    It is both a :class:`~fashionbert.types.PairScorer` and, where the model has a vector head, an
    :class:`~fashionbert.types.Encoder`.
    """

    def __init__(
        self,
        model: FashionBertForMatching,
        processor: FashionBertProcessor,
        *,
        device: str | torch.device = "cpu",
        precision: Precision = "fp32",
        speed: Speed = "exact",
        batch_size: int = 128,
        scores_pairs: bool = True,
    ) -> None:
        """Take a loaded model; :meth:`from_pretrained` loads one.

        Args:
            model: moved to ``device`` and put into evaluation mode.
            processor: the model's own.
            device: where the model runs.
            precision: arithmetic of the forward pass.
            speed: as of :data:`~fashionbert.types.Speed`; ``fast`` has its own precision. What each gains and costs,
                ``fashionbert bench frontier`` tells.
            batch_size: pairs scored at once.
            scores_pairs: False for a model whose alignment head has learnt nothing yet; it is not asked then.

        Raises:
            ValueError: there is no such precision or speed.
            SettingsError: the model has learnt no split form.
        """
        self.scores_pairs = scores_pairs
        self.device = torch.device(device)
        self.pace = paced(model, self.device, precision, speed)
        self.model = self.pace.model
        self.processor = processor
        self.batch_size = batch_size
        self.mirrored = processor.mirrored
        """Whether a pair's margin is the mean over the picture and its mirror image (docs/adr/0007)."""
        self.sides = SideReader(self.model, processor, self.device, batch_size)

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path,
        *,
        device: str | torch.device = "cpu",
        precision: Precision = "fp32",
        speed: Speed = "exact",
        batch_size: int = 128,
    ) -> Self:
        """Load a run folder.

        Args:
            path: a run folder, or any folder that holds a whole model with its processor.
            device: where the model runs.
            precision: arithmetic of the forward pass.
            speed: as of the class.
            batch_size: pairs scored at once.

        Returns:
            A scorer that is ready to use.

        Raises:
            RunError: the folder is missing, half written, edited or of another kind of model.
            ValueError: there is no such precision or speed.
            SettingsError: the model has learnt no split form.
        """
        folder = Path(path)
        model = load_model(folder)
        processor = FashionBertProcessor.from_pretrained(folder, device)
        processor.refuse_other_model(folder, model.config)
        learnt = pairs_were_learnt(folder)
        pace: dict[str, Any] = {"device": device, "precision": precision, "speed": speed}
        return cls(model, processor, batch_size=batch_size, scores_pairs=learnt, **pace)

    @property
    def has_vectors(self) -> bool:
        """Whether single texts and pictures can be encoded."""
        return self.model.vector_head is not None

    @property
    def pairs_at_once(self) -> int:
        """Pairs of a split worth asking :meth:`score_rows` for together, some seconds of work on two cores.

        Each call reads its sides once. Where only the last layer joins them that is most of the work, and a call
        should have many pairs for its sides.
        """
        return 2**17 if self.pace.joins_in_one_layer else 2**13

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts by themselves, for search by vectors.

        Args:
            texts: cut to the model's length.

        Returns:
            Unit vectors, float32 [N, E].

        Raises:
            ValueError: the model has no vector head.
        """
        return self.encode_tokens(self.tokenize(texts))

    def encode_pictures(
        self, pictures: Sequence[ImageInput], titles: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Encode pictures by themselves or with titles before them (paper section 3.4), for search by vectors.

        Args:
            pictures: as users hold them.
            titles: one for each picture, for a model that has learnt from titles (``contrastive.titled_share``).

        Returns:
            Unit vectors, float32 [N, E].

        Raises:
            PictureError: a picture cannot be used.
            ValueError: the model has no vector head.
        """
        tokens = None if titles is None else self.tokenize(titles)
        return self.encode_features(self.processor.extractor.extract(pictures), titles=tokens)

    def encode_tokens(self, texts: TokenizedTexts, progress: Progress | None = None) -> NDArray[np.float32]:
        """Encode tokenised texts: unit vectors, float32 [N, E]; ValueError where the model has no vector head."""
        self._need_vectors()
        vectors = [np.empty((0, self.model.config.contrastive_size), np.float32)]
        order = np.argsort(texts.lengths, kind="stable")
        for rows in self._batches(order, progress):
            batch = self.sides.prepare_texts(texts, rows)
            with self.arithmetic():
                vectors.append(self.model.text_vectors(batch.input_ids, batch.attention_mask).float().cpu().numpy())
        return _in_order(np.concatenate(vectors), order)

    def encode_features(
        self,
        features: NDArray[np.floating] | ReadFeatures,
        count: int | None = None,
        titles: TokenizedTexts | None = None,
    ) -> NDArray[np.float32]:
        """Encode pictures whose patch features are at hand.

        Args:
            features: [N, P, F], or a function from row numbers to their features, for more than memory holds.
            count: number of rows N, needed with a function.
            titles: one for each row; None: pictures alone.

        Returns:
            Unit vectors, float32 [N, E].

        Raises:
            ValueError: the model has no vector head, or a function comes without a count.
        """
        self._need_vectors()
        read = features if callable(features) else features.__getitem__
        size = count if callable(features) else len(features)
        if size is None:
            raise ValueError("features is a function: say by count how many rows it reads")
        if titles is not None and len(titles) != size:
            raise ValueError(f"{len(titles)} titles for {size} pictures: give one for each")
        vectors = [np.empty((0, self.model.config.contrastive_size), np.float32)]
        for rows in self._batches(np.arange(size), None):
            features_BPF = torch.from_numpy(read(rows)).to(self.device)
            words = self.sides.frames(len(rows)) if titles is None else self.sides.prepare_texts(titles, rows)
            with self.arithmetic():
                vectors_BE = self.model.picture_vectors(words.input_ids, words.attention_mask, features_BPF)
            vectors.append(vectors_BE.float().cpu().numpy())
        return np.concatenate(vectors)

    def score_rows(
        self,
        examples: Examples,
        texts: NDArray[np.int64],
        pictures: NDArray[np.int64],
        progress: Progress | None = None,
    ) -> NDArray[np.float32]:
        """Score pairs of a split by the margin ``logit(match) - logit(no match)``.

        A margin orders pairs as the probability does, without its ties near 0 and 1; :func:`match_probability`
        turns one into the other.

        Args:
            examples: the split.
            texts: row whose text is read [N].
            pictures: row whose picture is read [N].
            progress: called with the number of pairs just done.

        Returns:
            Margins, float32 [N].

        Raises:
            StoreError: the model reads mirror images too, and the split's features have none.
        """
        views: list[ReadFeatures] = [examples.read_features]
        if self.mirrored:
            if examples.features.variants == 1:
                raise StoreError(
                    "the features hold no mirror images, and this model reads pairs with both: make a feature store "
                    "with its own settings (images.variants=mirrored)"
                )
            views.append(partial(examples.read_features, variant=1))
        return self._margins(examples.texts, texts, views, pictures, progress)

    def margins_of(self, texts: Sequence[str], pictures: Sequence[ImageInput]) -> NDArray[np.float32]:
        """Give margins of pairs, extracting a picture that occurs in many of them once."""
        if not self.scores_pairs:
            raise RunError(f"{UNTAUGHT}. Go on with the run, or compare its vectors (encode_texts, encode_pictures)")
        inputs = prepare_pairs(self.processor, texts, pictures)
        views = [each.__getitem__ for each in inputs.views]
        return self._margins(inputs.texts, np.arange(len(texts)), views, inputs.picture_of, None)

    def _margins(
        self,
        texts: TokenizedTexts,
        text_of: NDArray[np.int64],
        views: Sequence[ReadFeatures],
        picture_of: NDArray[np.int64],
        progress: Progress | None,
    ) -> NDArray[np.float32]:
        """Score pairs, shortest texts first; within a portion each side is read once, however many pairs it is in.

        Margins are the mean over the views of the pictures.
        """
        margins = np.zeros(len(text_of), np.float32)
        lengths = texts.lengths[text_of]
        order = np.argsort(lengths, kind="stable")
        longest = max(int(lengths.max(initial=0)), self.model.config.patches)
        sides_at_once = max(2, _SIDE_FLOATS // (longest * self.model.config.hidden_size))
        for run in portions(text_of[order], picture_of[order], sides_at_once):
            portion = order[run]
            text_rows, text_at = np.unique(text_of[portion], return_inverse=True)
            picture_rows, picture_at = np.unique(picture_of[portion], return_inverse=True)
            with self.arithmetic():
                read_texts = self.sides.texts(texts, text_rows)
                for number, read in enumerate(views, start=1):
                    read_pictures = self.sides.pictures(read, picture_rows)
                    show = progress if number == len(views) else None
                    margins[portion] += self.meet(
                        read_texts, read_pictures, text_at, picture_at, lengths[portion], show
                    ) / len(views)
        return margins

    def meet(
        self,
        texts: ReadSides,
        pictures: ReadSides,
        text_at: NDArray[np.int64],
        picture_at: NDArray[np.int64],
        lengths: NDArray[np.int64],
        progress: Progress | None = None,
    ) -> NDArray[np.float32]:
        """Score pairs of sides that were read; :meth:`arithmetic` must be on.

        Args:
            texts: the texts.
            pictures: the pictures.
            text_at: which of the texts each pair has [N].
            picture_at: which of the pictures each pair has [N].
            lengths: WordPieces of each pair's text [N]; pairs of like length should stand together.
            progress: called with the number of pairs just done.

        Returns:
            Margins, float32 [N].
        """
        margins = np.empty(len(text_at), np.float32)
        meeting = Meeting(self.model.fashionbert, texts.states, pictures.states, len(text_at))
        for places in self._batches(np.arange(len(text_at)), progress):
            at = [torch.from_numpy(each[places]).to(self.device) for each in (text_at, picture_at)]
            vectors = None
            if texts.vectors is not None and pictures.vectors is not None:
                width = int(lengths[places].max())
                vectors = texts.vectors[at[0]].narrowed(width), pictures.vectors[at[1]]
            joined = self.model.match(meeting, at[0], at[1], vectors)
            logits_B2 = joined.alignment_logits.float()  # pyright: ignore[reportOptionalMemberAccess]
            margins[places] = (logits_B2[:, 1] - logits_B2[:, 0]).cpu().numpy()
        return margins

    def _need_vectors(self) -> None:
        if not self.has_vectors:
            raise ValueError(
                "this model has no vector head; train one with the contrastive task, as preset 'fast' does"
            )

    def tokenize(self, texts: Sequence[str]) -> TokenizedTexts:
        """Cut texts to WordPieces as the model reads them; TypeError names a text that is none."""
        return tokenize_texts(self.processor, texts)

    def _batches(self, order: NDArray[np.int64], progress: Progress | None) -> Iterator[NDArray[np.int64]]:
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            yield rows
            if progress is not None:
                progress(len(rows))

    @contextmanager
    def arithmetic(self) -> Iterator[None]:
        """The arithmetic and the form of a forward pass, without graph."""
        with self.pace.passing():
            yield


def _in_order(values: NDArray[np.float32], order: NDArray[np.int64]) -> NDArray[np.float32]:
    result = np.empty_like(values)
    result[order] = values
    return result
