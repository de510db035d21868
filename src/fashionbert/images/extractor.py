"""Pictures -> patch features, with a fingerprint that tells two extractors apart.

Letters: B pictures, P patches, F feature size.
"""

import json
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from fashionbert.config import ImageSettings
from fashionbert.errors import RunError, SettingsError, StoreError
from fashionbert.files import fingerprint, write_json
from fashionbert.images.ahead import DECODERS, map_ahead
from fashionbert.images.decode import decode_picture
from fashionbert.images.network import PatchNetwork, Preprocessing, build_patch_network
from fashionbert.images.patches import prepare_picture
from fashionbert.images.weights import hash_weights, save_weights
from fashionbert.types import ImageInput

RECORD = "patch_extractor.json"
WEIGHTS = "patch_network.safetensors"
VERSION = 1
"""Raised whenever the same settings would give other features."""


class PatchExtractor:
    """Turns pictures into patch features, in two halves: ``prepare`` on CPU threads, ``forward`` on the device."""

    def __init__(self, settings: ImageSettings, network: PatchNetwork, device: str | torch.device = "cpu") -> None:
        """Take a network that :func:`build_patch_network` built from the same settings.

        Args:
            settings: mode, grid, sizes.
            network: moved to ``device``.
            device: where ``forward`` runs.
        """
        self.settings = settings
        self.device = torch.device(device)
        self.network = network.to(self.device)
        self.description = _describe(settings, network)
        """All that the features depend on; equal descriptions give equal features."""
        self.fingerprint = fingerprint(self.description)
        """Hash of the description."""

    @property
    def patches(self) -> int:
        """P."""
        return self.settings.patches

    @property
    def feature_size(self) -> int:
        """F."""
        return self.network.feature_size

    @property
    def pictures_at_once(self) -> int:
        """Pictures worth handing to ``forward`` together; in ``crop`` mode one is already P network inputs."""
        cells = self.patches if self.settings.mode == "crop" else 1
        return max(1, self.settings.batch_size // cells)

    def prepare(self, picture: ImageInput, *, mirrored: bool = False, name: str | None = None) -> NDArray[np.uint8]:
        """Decode, fit and cut one picture; needs no device and is safe for threads.

        Args:
            picture: as users hold it.
            mirrored: take the mirror image.
            name: what an error calls the picture.

        Returns:
            uint8 [h, w, 3] (``grid``) or [P, s, s, 3] (``crop``).

        Raises:
            PictureError: the picture cannot be used.
        """
        decoded = decode_picture(picture, name=name)
        return prepare_picture(decoded, self.settings, self.network.preprocessing.interpolation, mirrored=mirrored)

    def forward(self, prepared: Sequence[NDArray[np.uint8]]) -> NDArray[np.float16]:
        """Run the network over prepared pictures.

        The features are rounded here as stores keep them, so that a new picture and a stored one score alike.

        Args:
            prepared: by :meth:`prepare`.

        Returns:
            float16 [B, P, F].

        Raises:
            StoreError: features do not fit in float16.
        """
        if not prepared:
            return np.empty((0, self.patches, self.feature_size), np.float16)
        with torch.inference_mode():
            features_BPF = self.network(torch.from_numpy(np.stack(prepared)).to(self.device))
            features = features_BPF.to(torch.float16).cpu().numpy()
        if not np.isfinite(features).all():
            raise StoreError(
                f"features of the network {self.settings.network!r} are infinite or beyond the range of float16 "
                "(65504): its weights are broken or it lacks normalisation; choose another network or weights"
            )
        return features

    def extract(self, pictures: Sequence[ImageInput], *, mirrored: bool = False) -> NDArray[np.float16]:
        """Give the features of pictures, which are decoded by threads while the network reads those before them.

        Args:
            pictures: as users hold them.
            mirrored: take their mirror images.

        Returns:
            float16 [B, P, F].

        Raises:
            PictureError: a picture cannot be used.
            StoreError: features do not fit in float16.
        """
        size, features = self.pictures_at_once, [self.forward([])]
        prepare = partial(self.prepare, mirrored=mirrored)
        prepared = map_ahead(prepare, pictures, workers=DECODERS, ahead=max(size, 2 * DECODERS))
        while batch := list(islice(prepared, size)):
            features.append(self.forward(batch))
        return np.concatenate(features)

    def save(self, folder: Path) -> None:
        """Write all that :meth:`load` needs; hub weights are named, others are written beside.

        Args:
            folder: where to; one extractor a folder.
        """
        settings = self.settings.model_dump(mode="json")
        if self.network.pinned_name is not None:
            settings["network"] = self.network.pinned_name
        if self.settings.weights is not None:
            save_weights(self.network.get_submodule("model"), folder / WEIGHTS)
            settings["weights"] = WEIGHTS
        write_json(
            folder / RECORD,
            {
                "fingerprint": self.fingerprint,
                "hub_id": self.network.hub_id,
                "settings": settings,
                "description": self.description,
            },
        )

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> Self:
        """Load an extractor that :meth:`save` wrote and check that it is the same.

        Args:
            folder: where it was saved.
            device: where ``forward`` will run.

        Returns:
            An extractor with the fingerprint of the saved one.

        Raises:
            RunError: the files are missing or edited, or the weights cannot be had.
        """
        try:
            record = json.loads((folder / RECORD).read_text("utf-8"))
            settings = ImageSettings.model_validate(record["settings"])
            described = record["description"]
            preprocessing = Preprocessing(tuple(described["mean"]), tuple(described["std"]), described["interpolation"])
            expected = record["fingerprint"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"{folder / RECORD} is missing or edited ({error}); take a whole copy of the folder"
            ) from error
        if settings.weights == WEIGHTS:
            settings = settings.model_copy(update={"weights": str(folder / WEIGHTS)})
        try:
            network = build_patch_network(settings, preprocessing=preprocessing)
        except SettingsError as error:
            raise RunError(f"the patch network of {folder} cannot be loaded: {error}") from error
        extractor = cls(settings, network, device)
        if extractor.fingerprint != expected:
            raise RunError(
                f"the patch network of {folder} has the fingerprint {extractor.fingerprint}, not {expected}: "
                f"{RECORD} or its weights were edited; take a whole copy of the folder"
            )
        return extractor


def _describe(settings: ImageSettings, network: PatchNetwork) -> dict[str, Any]:
    preprocessing = network.preprocessing
    return {
        "version": VERSION,
        "network": network.name,
        "options": dict(settings.network_options),
        "weights": hash_weights(network),
        "mode": settings.mode,
        "levels": settings.levels,
        "precision": settings.precision,
        "grid": settings.grid,
        "height": settings.height,
        "width": settings.width,
        "cell_size": settings.cell_size if settings.mode == "crop" else None,
        "fit": settings.fit,
        "mean": list(preprocessing.mean),
        "std": list(preprocessing.std),
        "interpolation": preprocessing.interpolation,
    }
