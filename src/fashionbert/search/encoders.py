"""What recalls: our own model's vectors, or any CLIP or SigLIP of the hub; re-ranking stays ours."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import BatchFeature

from fashionbert.arithmetic import autocast, resolved
from fashionbert.errors import SettingsError
from fashionbert.files import fingerprint
from fashionbert.scoring import KeptPictures, Scorer, model_fingerprint, read_settings
from fashionbert.types import Precision, Speed

OURS = "fashionbert"
_AT_ONCE = 32
_USUAL_LENGTH = 77


class RecallEncoder(Protocol):
    """Texts and pictures as unit vectors of one space.

    Attributes:
        size: E.
        fingerprint: changes when the vectors change.
        pictures_at_once: pictures that are encoded together.
        title: attribute that stands before the picture of a product; None: pictures are read alone.
    """

    size: int
    fingerprint: str
    pictures_at_once: int
    title: str | None

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors [N, E]."""
        ...

    def prepare(self, picture: Image.Image) -> Any:
        """All that will be needed of an upright RGB picture, which may be large; safe for threads."""
        ...

    def encode_prepared(
        self, prepared: Sequence[Any], records: NDArray[np.void], titles: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Unit vectors [N, E] of prepared pictures, whose kept records are at hand, or of products by both."""
        ...


class OurEncoder(RecallEncoder):
    """The vectors of the model that also re-ranks: a picture's come with its record, for nothing."""

    def __init__(self, scorer: Scorer, kept: KeptPictures, model_fingerprint: str, *, title: str | None = None) -> None:
        """Take the model.

        Args:
            scorer: encodes texts.
            kept: its records.
            model_fingerprint: of its run folder.
            title: attribute that stands before a product's picture; None: pictures are read alone.

        Raises:
            SettingsError: the model has no vectors.
        """
        if not scorer.has_vectors:
            raise SettingsError(
                "this model has no vectors to recall by",
                ["train one with the contrastive task (--preset fast), or name a hub model with --recall"],
            )
        self._scorer, self.kept = scorer, kept
        self.fingerprint = model_fingerprint
        self.size = scorer.model.config.contrastive_size
        self.pictures_at_once, self.title = 1, title

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors [N, E]."""
        return self.kept.texts.vectors(texts)

    def prepare(self, picture: Image.Image) -> None:
        """Nothing: the records have it all."""

    def encode_prepared(
        self, prepared: Sequence[None], records: NDArray[np.void], titles: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Unit vectors [N, E], read off the records; with titles these are read with them in one sequence."""
        return self.kept.vectors(records) if titles is None else self.kept.titled_vectors(records, titles)


class HubEncoder(RecallEncoder):
    """A dual encoder of transformers: CLIP, SigLIP and what has their methods."""

    def __init__(self, name: str, *, device: str | torch.device = "cpu", precision: Precision = "auto") -> None:
        """Load it.

        Args:
            name: a hub id, or a folder.
            device: where it runs.
            precision: its arithmetic.

        Raises:
            SettingsError: there is no such model, or it does not encode texts and pictures apart.
        """
        from transformers import AutoModel, AutoProcessor

        try:
            model = AutoModel.from_pretrained(name)
            self._processor: Any = AutoProcessor.from_pretrained(name)
        except (OSError, ValueError, ImportError) as error:
            raise SettingsError(
                f"--recall {name!r} cannot be loaded", [f"{str(error).splitlines()[0]:.300}", "name a CLIP or SigLIP"]
            ) from error
        if not hasattr(model, "get_text_features") or not hasattr(model, "get_image_features"):
            raise SettingsError(
                f"--recall {name!r} cannot be used",
                [f"a {model.config.model_type} model does not encode texts and pictures apart: name a CLIP or SigLIP"],
            )
        self._device = torch.device(device)
        self._model: Any = model.eval().to(self._device)
        self._longest = _longest_text(self._processor.tokenizer, model.config)
        self._precision: Precision = resolved(precision, self._device)
        self.fingerprint = _weights_fingerprint(model)
        self.pictures_at_once, self.title = _AT_ONCE, None
        self.size = self.encode_texts(["a"]).shape[1]

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors [N, E]; texts are cut to the model's length."""
        vectors = []
        for start in range(0, len(texts), _AT_ONCE):
            inputs = self._processor(
                text=list(texts[start : start + _AT_ONCE]),
                return_tensors="pt",
                padding="max_length",  # SigLIP was trained so; for CLIP it changes nothing
                truncation=True,
                max_length=self._longest,
            )
            vectors.append(self._unit(self._model.get_text_features, inputs))
        return np.concatenate(vectors)

    def prepare(self, picture: Image.Image) -> BatchFeature:
        """The pixels that the model reads, a batch of one."""
        return self._processor(images=[picture], return_tensors="pt")

    def encode_prepared(
        self, prepared: Sequence[BatchFeature], records: NDArray[np.void], titles: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Unit vectors [N, E] of the pictures; records and titles say nothing to this model."""
        batches = [prepared[start : start + _AT_ONCE] for start in range(0, len(prepared), _AT_ONCE)]
        vectors = [self._unit(self._model.get_image_features, _joined(batch)) for batch in batches]
        return np.concatenate([np.empty((0, self.size), np.float32), *vectors])

    def _unit(self, method: Any, inputs: Any) -> NDArray[np.float32]:
        with torch.inference_mode(), autocast(self._precision, self._device):
            found = method(**inputs.to(self._device))
        values = found if isinstance(found, torch.Tensor) else found.pooler_output
        return torch.nn.functional.normalize(values.float(), dim=-1).cpu().numpy()


def _longest_text(tokenizer: Any, config: Any) -> int:
    """WordPieces that a model reads; tokenizers of SigLIP know of no limit, and configurations not always of one."""
    places = getattr(getattr(config, "text_config", config), "max_position_embeddings", _USUAL_LENGTH)
    return min(tokenizer.model_max_length, places)


def _joined(prepared: Sequence[BatchFeature]) -> BatchFeature:
    return BatchFeature({name: torch.cat([each[name] for each in prepared]) for name in prepared[0]})


def _weights_fingerprint(model: torch.nn.Module) -> str:
    sums = {name: [list(value.shape), float(value.double().sum())] for name, value in model.state_dict().items()}
    return fingerprint(sums)


def model_name(recall: str | Path) -> str:
    """Name a recall model as manifests do: a folder by its whole path, a hub id as it is."""
    return str(Path(recall).resolve()) if Path(recall).exists() else str(recall)


class Stages(Protocol):
    """What is chosen of the two stages of a search."""

    @property
    def recall(self) -> str:
        """``fashionbert``, or a hub model."""
        ...

    @property
    def precision(self) -> Precision:
        """Arithmetic of the pair model."""
        ...

    @property
    def speed(self) -> Speed | None:
        """Speed of the pair model; None: exact."""
        ...

    @property
    def titles(self) -> bool | None:
        """Whether titles stand before pictures in the vectors; None: where the model has learnt from titles."""
        ...


def load_stages(run: Path, stages: Stages, device: str) -> tuple[Scorer, RecallEncoder]:
    """Load the pair model and what recalls for it.

    Args:
        run: the run folder.
        stages: what is chosen of them.
        device: where they run.

    Returns:
        Scorer and encoder.

    Raises:
        RunError: the model is missing or damaged.
        SettingsError: the model has no vectors, none of titles or not this speed, or the hub model cannot be loaded.
    """
    learnt, titles = read_settings(run).contrastive, stages.titles
    if titles and (stages.recall != OURS or not learnt.titled_share):
        raise SettingsError(
            "titles cannot stand before pictures in the vectors of this model",
            ["they can in a FashionBERT that has learnt from titles: train it with contrastive.titled_share=0.5, say"],
        )
    titled = learnt.titled_share > 0 if titles is None else titles
    scorer = Scorer.from_pretrained(run, device=device, precision=stages.precision, speed=stages.speed or "exact")
    if stages.recall == OURS:
        title = learnt.title if titled else None
        return scorer, OurEncoder(scorer, KeptPictures(scorer), model_fingerprint(run), title=title)
    return scorer, HubEncoder(stages.recall, device=device)
