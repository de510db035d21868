"""What a step reads: the sides of its batch, then the negatives of the pair tasks."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from fashionbert.config import Settings
from fashionbert.data import (
    Examples,
    Hiding,
    MaskedPictures,
    MaskedTexts,
    NegativeSampler,
    TextBatch,
    WordMasking,
    alternate_sides,
    collate_pictures,
    collate_texts,
    collate_titles,
    draw_mined,
    pair_rows,
    places_among,
)
from fashionbert.objectives import same_group
from fashionbert.training.queue import VectorQueue
from fashionbert.training.reading import DrawnPairs
from fashionbert.training.step import Vectors


def step_generator(seed: int, step: int, batch: int, process: int) -> np.random.Generator:
    """Everything that a batch draws comes from this: masks, negatives, variants, dropout."""
    return np.random.default_rng([seed, step, batch, process])


class PairDrawer:
    """Reads batches of the training split as the settings want them."""

    def __init__(
        self, settings: Settings, examples: Examples, tokenizer: PreTrainedTokenizerFast, sampler: NegativeSampler
    ) -> None:
        """Take the split.

        Args:
            settings: objectives and negatives.
            examples: training split.
            tokenizer: the model's.
            sampler: draws negatives that are not mined.
        """
        special = set(tokenizer.all_special_ids)
        ordinary = np.asarray([number for number in range(len(tokenizer)) if number not in special], np.int32)
        objectives = settings.objectives
        words = WordMasking(
            share=objectives.word_mask_share,
            most=objectives.max_masked_words,
            mask_id=int(tokenizer.mask_token_id),  # pyright: ignore[reportArgumentType]
            ordinary_ids=ordinary,
        )
        self._hiding = Hiding(
            words=words if "masked_words" in objectives.tasks else None,
            word_drop_share=objectives.word_drop_share,
            patch_mask_share=objectives.patch_mask_share if "masked_patches" in objectives.tasks else 0.0,
            patch_drop_share=objectives.patch_drop_share,
            title_drop_share=1.0 - settings.contrastive.titled_share,
        )
        self._unmasked = replace(self._hiding, words=None, patch_mask_share=0.0)
        self._pad_id = int(tokenizer.pad_token_id)  # pyright: ignore[reportArgumentType]
        self._negatives = settings.negatives
        self._examples = examples
        self._sampler = sampler

    def sides(
        self, rows: NDArray[np.int64], *, hidden: bool, generator: np.random.Generator
    ) -> tuple[MaskedTexts, MaskedPictures, TextBatch | None]:
        """Read texts and pictures of a batch.

        Args:
            rows: its rows [B].
            hidden: whether words and patches are masked; without pair tasks nothing asks for them.
            generator: source of all choices.

        Returns:
            Texts, pictures, and what stands before each picture in the contrastive task; None: ``[CLS] [SEP]``.
        """
        hiding = self._hiding if hidden else self._unmasked
        texts = collate_texts(self._examples, rows, pad_id=self._pad_id, hiding=hiding, generator=generator)
        pictures = collate_pictures(self._examples, rows, hiding=hiding, generator=generator)
        titles = collate_titles(self._examples, rows, pad_id=self._pad_id, hiding=hiding, generator=generator)
        return texts, pictures, titles

    def pairs(
        self,
        rows: NDArray[np.int64],
        vectors: Vectors | None,
        queue: VectorQueue,
        hardness: float,
        generator: np.random.Generator,
    ) -> DrawnPairs:
        """Draw negatives and read the sides that are not in the batch.

        Args:
            rows: the positives [B].
            vectors: their unit vectors, for mined negatives.
            queue: past vectors, without those of this batch.
            hardness: share of the full sharpness of mined negatives.
            generator: source of all choices.

        Returns:
            The positives, then ``negatives.per_positive`` negatives of each.
        """
        swap_text_kB = alternate_sides(len(rows), self._negatives.per_positive)
        if self._negatives.source == "mined" and vectors is not None:
            wrong_kB = self._mined(rows, vectors, queue, hardness, swap_text_kB, generator)
        else:
            near = self._negatives.source == "subcategory"
            wrong_kB = np.stack(
                [self._sampler.draw(rows, same_subcategory=near, generator=generator) for _ in swap_text_kB]
            )
        pairs = pair_rows(rows, wrong_kB, swap_text_kB)
        foreign_texts, text_of = places_among(rows, pairs.texts)
        foreign_pictures, picture_of = places_among(rows, pairs.pictures)
        texts = pictures = None
        if len(foreign_texts):
            texts = collate_texts(
                self._examples, foreign_texts, pad_id=self._pad_id, hiding=self._hiding, generator=generator
            )
        if len(foreign_pictures):
            pictures = collate_pictures(self._examples, foreign_pictures, hiding=self._hiding, generator=generator)
        numbers = (torch.from_numpy(each) for each in (text_of, picture_of, pairs.labels))
        return DrawnPairs(texts, pictures, *numbers)

    def _mined(
        self,
        rows: NDArray[np.int64],
        vectors: Vectors,
        queue: VectorQueue,
        hardness: float,
        swap_text_kB: NDArray[np.bool_],
        generator: np.random.Generator,
    ) -> NDArray[np.int64]:
        texts_BE, pictures_BE = vectors[0].detach(), vectors[1].detach()
        groups_B = torch.from_numpy(self._examples.groups[rows]).to(queue.groups.device)
        candidates_C = np.concatenate([rows, queue.rows.cpu().numpy()])
        banned_BC = same_group(groups_B, torch.cat([groups_B, queue.groups])).cpu().numpy()
        to_texts_BC = (pictures_BE @ torch.cat([texts_BE, queue.texts]).T).float().cpu().numpy()
        to_pictures_BC = (texts_BE @ torch.cat([pictures_BE, queue.pictures]).T).float().cpu().numpy()
        alone_B = np.asarray(
            banned_BC.all(axis=1)
        )  # a batch may be of one group, for example the last and smallest of an epoch
        sharpness = hardness * self._negatives.sharpness
        each_side = -(-len(swap_text_kB) // 2)  # the negatives of a product swap its text and its picture by turns
        texts_hB, pictures_hB = (
            self._draw(rows, alone_B, candidates_C, similarities_BC, banned_BC, sharpness, each_side, generator)
            for similarities_BC in (to_texts_BC, to_pictures_BC)
        )
        turns_k = np.arange(len(swap_text_kB)) // 2
        return np.where(swap_text_kB, texts_hB[turns_k], pictures_hB[turns_k])

    def _draw(
        self,
        rows: NDArray[np.int64],
        alone_B: NDArray[np.bool_],
        candidates_C: NDArray[np.int64],
        similarities_BC: NDArray[np.float32],
        banned_BC: NDArray[np.bool_],
        sharpness: float,
        count: int,
        generator: np.random.Generator,
    ) -> NDArray[np.int64]:
        """Draw ``count`` rows for each of the batch; those that have nobody to be mined from get any of elsewhere."""
        wrong_hB = np.empty((count, len(rows)), np.int64)
        for wrong_B in wrong_hB:
            wrong_B[alone_B] = self._sampler.draw(rows[alone_B], same_subcategory=True, generator=generator)
        kept = ~alone_B
        even = round(self._negatives.even_share * count)
        places_hB = draw_mined(similarities_BC[kept], banned_BC[kept], sharpness, generator, count, even)
        wrong_hB[:, kept] = candidates_C[places_hB]
        return wrong_hB
