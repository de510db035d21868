"""Texts and pictures as users hold them -> the model's inputs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

import torch
from transformers import BatchFeature, PreTrainedTokenizerFast

from fashionbert.config import CatalogueSettings
from fashionbert.errors import RunError
from fashionbert.files import write_json
from fashionbert.images.extractor import PatchExtractor
from fashionbert.model import FashionBertConfig
from fashionbert.text import load_tokenizer
from fashionbert.types import ImageInput

RECORD = "processor_config.json"


class FashionBertProcessor:
    """A tokenizer and a patch extractor that belong to one model."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, extractor: PatchExtractor, max_text_tokens: int) -> None:
        """Join the two.

        Args:
            tokenizer: the model's WordPieces.
            extractor: the patch network with its preprocessing.
            max_text_tokens: longer texts are cut, as in training.
        """
        self.tokenizer = tokenizer
        self.extractor = extractor
        self.max_text_tokens = max_text_tokens

    def __call__(
        self, text: str | Sequence[str] | None = None, images: ImageInput | Sequence[ImageInput] | None = None
    ) -> BatchFeature:
        """Make model inputs.

        Args:
            text: one or several texts; None with pictures alone reads them as ``[CLS] [SEP] patches``.
            images: one picture or a list or tuple of them: path, bytes, PIL picture or uint8 pixels.

        Returns:
            ``input_ids`` and ``attention_mask`` [B, T] and, with pictures, ``patch_features`` [B, P, F], float16 as
            feature stores keep them.

        Raises:
            PictureError: a picture cannot be used.
            ValueError: neither is given, or their numbers differ.
        """
        pictures = None if images is None else _as_list(images)
        texts = [text] if isinstance(text, str) else None if text is None else list(text)
        if texts is None and pictures is None:
            raise ValueError("give text, images or both")
        if texts is None:
            texts = [""] * len(pictures or ())
        if pictures is not None and len(pictures) != len(texts):
            raise ValueError(f"{len(texts)} texts and {len(pictures)} images: give as many of the one as of the other")
        tokens = self.tokenizer(
            texts, truncation=True, max_length=self.max_text_tokens, padding=True, return_tensors="pt"
        )
        inputs = {"input_ids": tokens["input_ids"], "attention_mask": tokens["attention_mask"]}
        if pictures is not None:
            inputs["patch_features"] = torch.from_numpy(self.extractor.extract(pictures))
        return BatchFeature(inputs)

    @property
    def mirrored(self) -> bool:
        """Whether a pair is read with the picture and with its mirror image (docs/adr/0007)."""
        return self.extractor.settings.variants == "mirrored"

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Say which characters each token that the model reads stands for; none for ``[CLS]`` and ``[SEP]``."""
        encoded = self.tokenizer(text, truncation=True, max_length=self.max_text_tokens, return_offsets_mapping=True)
        return [(int(start), int(end)) for start, end in encoded["offset_mapping"]]

    def save_pretrained(self, folder: str | Path, catalogue: CatalogueSettings | None = None) -> None:
        """Write tokenizer, patch network and limits beside the model.

        Args:
            folder: the model's folder.
            catalogue: how texts were built from columns, for the record.
        """
        folder = Path(folder)
        self.tokenizer.save_pretrained(folder)
        self.extractor.save(folder)
        record = {"max_text_tokens": self.max_text_tokens}
        write_json(folder / RECORD, record if catalogue is None else {**record, "catalogue": catalogue.model_dump()})

    @classmethod
    def from_pretrained(cls, folder: str | Path, device: str | torch.device = "cpu") -> Self:
        """Load what :meth:`save_pretrained` wrote.

        Args:
            folder: the model's folder.
            device: where the patch network runs.

        Returns:
            The processor of the folder's model.

        Raises:
            RunError: files are missing or edited.
        """
        folder = Path(folder)
        max_text_tokens = _read_record(folder)["max_text_tokens"]
        return cls(load_tokenizer(folder), PatchExtractor.load(folder, device), max_text_tokens)

    def refuse_other_model(self, folder: Path, config: FashionBertConfig) -> None:
        """Raise where the model of a folder cannot read what this processor gives.

        Args:
            folder: where both come from, for the message.
            config: the model's.

        Raises:
            RunError: with every difference.
        """
        faults = []
        if len(self.tokenizer) > config.vocab_size:
            faults.append(f"its tokenizer has {len(self.tokenizer)} WordPieces, its model {config.vocab_size}")
        if self.max_text_tokens > config.max_position_embeddings:
            faults.append(f"texts of {self.max_text_tokens} tokens, a model of {config.max_position_embeddings}")
        found = self.extractor.patches, self.extractor.feature_size
        wanted = config.patches, config.patch_feature_size
        if found != wanted:
            faults.append(
                f"its patch network gives {found[0]} x {found[1]} features, its model reads {wanted[0]} x {wanted[1]}"
            )
        if faults:
            raise RunError(
                f"{folder} is put together from several models: {'; '.join(faults)}. Take a whole copy of one"
            )


def refuse_other_texts(folder: Path, settings: CatalogueSettings) -> None:
    """Raise where settings build other texts from a row than those that the model of a folder has learnt from.

    Args:
        folder: the model's folder; one that does not say how its texts were built refuses none.
        settings: as they are found there.

    Raises:
        RunError: with every difference.
    """
    learnt = _read_record(folder)["catalogue"] if (folder / RECORD).exists() else {}
    found = settings.model_dump()
    faults = [
        f"catalogue.{name} is {found[name]!r}, but the model has learnt with {learnt[name]!r}"
        for name in ("text", "columns")
        if name in learnt and learnt[name] != found[name]
    ]
    if faults:
        raise RunError(
            f"the settings of {folder} were edited: {'; '.join(faults)}. Undo that; for a catalogue with other columns "
            "name them on the command line"
        )


def _read_record(folder: Path) -> dict[str, Any]:
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
        limit, catalogue = int(record["max_text_tokens"]), dict(record.get("catalogue", {}))
        return {"max_text_tokens": limit, "catalogue": catalogue}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{folder / RECORD} is missing or edited ({error}); point to a run folder or take a whole copy of it"
        ) from error


def _as_list(images: ImageInput | Sequence[ImageInput]) -> list[ImageInput]:
    if isinstance(images, list | tuple):
        return list(images)
    return [cast(ImageInput, images)]
