"""Pixels -> patch features, by any timm network or by the pixels themselves.

Letters: B pictures, P patches (row-major), N network inputs (pictures or cells), F feature size, h and w height and
width of the picture, s side of a cell, C channels of a feature map.
"""

import difflib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from timm.data.config import resolve_data_config
from torch import Tensor, nn
from torch.nn import functional as F

from fashionbert.arithmetic import autocast
from fashionbert.config import ImageSettings
from fashionbert.errors import SettingsError
from fashionbert.images.weights import load_weights
from fashionbert.types import Precision

CPU_PIXELS = 4 * 256 * 256
"""Pixels at once on a CPU: more fall out of its caches and take up to three times as long; fewer, such as four small
cells, leave it waiting between one layer and the next."""
Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What a network's pixels must look like; of its training, hence never a setting.

    Attributes:
        mean: subtracted from each channel of pixels in [0, 1].
        std: then divides each channel.
        interpolation: timm's name of the interpolation.
    """

    mean: Colour = (0.5, 0.5, 0.5)
    std: Colour = (0.5, 0.5, 0.5)
    interpolation: str = "bicubic"


class PatchNetwork(nn.Module, ABC):
    """Maps prepared pixels (:func:`~fashionbert.images.patches.prepare_picture`) to patch features.

    Attributes:
        preprocessing: how pixels are prepared and normalised.
        feature_size: F.
        name: of the architecture.
        pinned_name: with the tag of the weights, if they are from the hub.
        hub_id: of these weights.
    """

    name = "pixels"
    pinned_name: str | None = None
    hub_id: str | None = None

    feature_size: int

    def __init__(self, preprocessing: Preprocessing) -> None:
        """Keep the preprocessing.

        Args:
            preprocessing: how pixels are prepared and normalised.
        """
        super().__init__()
        self.preprocessing = preprocessing
        self.register_buffer("_mean", 255 * torch.tensor(preprocessing.mean), persistent=False)
        self.register_buffer("_std", 255 * torch.tensor(preprocessing.std), persistent=False)

    @abstractmethod
    def forward(self, pixels: Tensor) -> Tensor:
        """Map uint8 [B, h, w, 3] (``grid``) or [B, P, s, s, 3] (``crop``) to float32 [B, P, F]."""

    def normalise(self, pixels: Tensor) -> Tensor:
        """Turn uint8 [..., 3] into normalised float32 of the same shape."""
        return (pixels.float() - self.get_buffer("_mean")) / self.get_buffer("_std")


class PixelNetwork(PatchNetwork):
    """The cell itself as its feature, F = 3 * s * s: needs no weights, carries the demo and the tests."""

    def __init__(self, settings: ImageSettings, preprocessing: Preprocessing) -> None:
        super().__init__(preprocessing)
        self.feature_size = 3 * settings.cell_size**2

    def forward(self, pixels: Tensor) -> Tensor:
        """Normalise and flatten cells, uint8 [B, P, s, s, 3] -> float32 [B, P, 3 * s * s]."""
        return self.normalise(pixels).flatten(start_dim=2)


class TimmNetwork(PatchNetwork):
    """A timm network without its classifier, in evaluation mode."""

    def __init__(self, model: nn.Module, settings: ImageSettings, preprocessing: Preprocessing) -> None:
        super().__init__(preprocessing)
        self.model: Any = model.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        self.name = self.model.pretrained_cfg["architecture"]
        self.grid, self.mode, self.batch_size = settings.grid, settings.mode, settings.batch_size
        self.levels = settings.levels
        self.precision: Precision = settings.precision
        shape = (1, settings.height, settings.width, 3)
        if settings.mode == "crop":
            shape = (1, 1, settings.cell_size, settings.cell_size, 3)
        try:
            with torch.inference_mode():
                self.feature_size = self._extract(torch.zeros(shape, dtype=torch.uint8)).shape[-1]
        except (RuntimeError, AssertionError, AttributeError) as error:
            raise SettingsError(
                f"network {settings.network!r} cannot take pictures of {shape[-3:-1]}", [str(error)]
            ) from error

    def train(self, mode: bool = True) -> "TimmNetwork":
        """Stay in evaluation mode: features never depend on the other pictures of a batch."""
        return super().train(False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Run the network over whole pictures (``grid``) or over each cell by itself (``crop``)."""
        with autocast(self.precision, pixels.device):
            return self._extract(pixels)

    def _extract(self, pixels: Tensor) -> Tensor:
        size = self.batch_size
        if pixels.device.type == "cpu":
            size = min(size, max(1, CPU_PIXELS // (pixels.shape[-3] * pixels.shape[-2])))
        if self.mode == "grid":
            return torch.cat([self._map_cells(chunk) for chunk in pixels.split(size)])
        cells = pixels.flatten(end_dim=1)
        pooled = torch.cat([self._pool(chunk) for chunk in cells.split(size)])
        return pooled.unflatten(0, pixels.shape[:2])

    def _pool(self, pixels: Tensor) -> Tensor:
        features = self.model.forward_features(self.normalise(pixels).permute(0, 3, 1, 2))
        return self.model.forward_head(features, pre_logits=True).float()

    def _map_cells(self, pixels: Tensor) -> Tensor:
        input_B3HW = self.normalise(pixels).permute(0, 3, 1, 2)
        aspect = pixels.shape[1] / pixels.shape[2]
        if self.levels == "last":
            return self._pool_cells(self._as_map(self.model.forward_features(input_B3HW), aspect))
        last, stages = self.model.forward_intermediates(input_B3HW)
        maps = [self._as_map(last, aspect), *reversed(stages)]
        return torch.cat([*(self._pool_cells(one) for one in maps), self._colours(input_B3HW)], dim=2)

    def _pool_cells(self, map_BCHW: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(map_BCHW.float(), self.grid).flatten(start_dim=2).transpose(1, 2)

    def _colours(self, input_B3HW: Tensor) -> Tensor:
        """Mean and deviation of each channel within each cell, which no stage of a network says as plainly."""
        mean_BP3 = self._pool_cells(input_B3HW)
        variance_BP3 = self._pool_cells(input_B3HW.square()) - mean_BP3.square()
        return torch.cat([mean_BP3, variance_BP3.clamp(min=0).sqrt()], dim=2)

    def _as_map(self, features: Any, aspect: float) -> Tensor:
        if isinstance(features, Tensor) and features.ndim == 4:
            channels_last = getattr(self.model, "output_fmt", "NCHW") == "NHWC"
            return features.permute(0, 3, 1, 2) if channels_last else features
        if isinstance(features, Tensor) and features.ndim == 3:
            tokens = features[:, getattr(self.model, "num_prefix_tokens", 0) :]
            rows = round((tokens.shape[1] * aspect) ** 0.5)
            if rows and tokens.shape[1] % rows == 0:
                return tokens.transpose(1, 2).unflatten(2, (rows, tokens.shape[1] // rows))
        raise RuntimeError("its features are no map of the picture; use images.mode = crop")


def build_patch_network(
    settings: ImageSettings, *, seed: int = 0, preprocessing: Preprocessing | None = None
) -> PatchNetwork:
    """Build the network of the settings, on the CPU.

    ``crop`` gives the network's own pooled features before the classifier; ``grid`` gives its last feature map,
    average-pooled to the grid (where the map is coarser than the grid, neighbouring cells share its values); with
    ``levels=all`` the maps of all stages follow, deepest first, and each cell's colours (docs/adr/0001).

    Args:
        settings: network, weights, mode and sizes.
        seed: of ``weights=random``; the global generator is left as it was.
        preprocessing: as a run folder recorded it; None takes what timm says of the network.

    Returns:
        The network in evaluation mode.

    Raises:
        SettingsError: the network is unknown, cannot be built so, or its weights are missing or do not fit.
    """
    if settings.network == "pixels":
        return PixelNetwork(settings, preprocessing or Preprocessing())
    model = _build_model(settings, seed)
    if preprocessing is None:
        found = resolve_data_config(model=model)
        preprocessing = Preprocessing(tuple(found["mean"]), tuple(found["std"]), found["interpolation"])
    network = TimmNetwork(model, settings, preprocessing)
    if settings.weights is None:
        found = model.pretrained_cfg
        network.hub_id = found["hf_hub_id"]
        network.pinned_name = f"{network.name}.{found['tag']}" if found["tag"] else settings.network
    return network


def _build_model(settings: ImageSettings, seed: int) -> Any:
    name, from_hub = settings.network, settings.weights is None
    if ":" not in name and not timm.is_model(name):
        near = difflib.get_close_matches(name, [*timm.list_models(), "pixels"], n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "timm.list_models() lists them; 'pixels' needs none"
        raise SettingsError(f"images.network = {name!r} is no network of timm {timm.__version__}", [hint])
    options: dict[str, Any] = {"num_classes": 0, **settings.network_options}
    if ":" not in name and getattr(timm.get_pretrained_cfg(name), "fixed_input_size", False):
        side = settings.cell_size
        options.setdefault("img_size", (settings.height, settings.width) if settings.mode == "grid" else (side, side))
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            model: Any = timm.create_model(name, pretrained=from_hub, **options)
    except Exception as error:  # whatever the network's own code or the hub raises on these settings
        remedy = "with images.weights unset they come from the hub: connect, or give a local file or 'random'"
        faults = [f"{type(error).__name__}: {error}", *([remedy] if from_hub else [])]
        raise SettingsError(
            f"network {name!r} cannot be built with the options {settings.network_options}", faults
        ) from error
    if settings.weights not in (None, "random"):
        classifier = model.pretrained_cfg.get("classifier") or ()
        load_weights(model, Path(settings.weights), (classifier,) if isinstance(classifier, str) else tuple(classifier))
    return model
