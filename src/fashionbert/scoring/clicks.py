"""A click model and its folder: how likely shoppers click on products that they are shown for a query.

::

    CLICKS/
      model.safetensors   the weights
      config.json         their shape, and what is done with pictures
      tokenizer.json ...  WordPieces
      patch_extractor.json, patch_network.safetensors   where pictures are read
      settings.yaml       every setting
      clicks.json         accuracy and AUC on the held-out sessions
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from fashionbert.arithmetic import autocast
from fashionbert.config import Settings, settings_from_yaml, settings_to_yaml
from fashionbert.data.clicks import ClickRows, collate_clicks
from fashionbert.errors import RunError
from fashionbert.files import replacing, write_json, write_text
from fashionbert.images.extractor import PatchExtractor
from fashionbert.model import FashionBertConfig
from fashionbert.model.clicks import ClickModel
from fashionbert.scoring.run_folder import CONFIG, SETTINGS, WEIGHTS
from fashionbert.text import load_tokenizer

_IMAGE = "click_image"


class ClickReader:
    """Reads rows with a model: the one place where a row becomes a logit, in training and after it."""

    def __init__(
        self, settings: Settings, tokenizer: PreTrainedTokenizerFast, device: str | torch.device = "cpu"
    ) -> None:
        """Take what does not change from row to row.

        Args:
            settings: lengths and arithmetic.
            tokenizer: the model's.
            device: where to compute.
        """
        self.settings, self.device = settings, torch.device(device)
        self._pad_id = int(tokenizer.pad_token_id)  # pyright: ignore[reportArgumentType]
        clicks = settings.clicks
        self._width = None if clicks.variable_length else clicks.max_query_tokens + clicks.max_title_tokens

    def logits(self, model: ClickModel, rows: ClickRows, places: NDArray[np.int64]) -> Tensor:
        """Logits of rows [B, 2], float32; class 1 = clicked on."""
        batch = collate_clicks(rows, places, pad_id=self._pad_id, width=self._width).to(self.device)
        features = None if batch.features is None else batch.features.float()
        with autocast(self.settings.training.precision, self.device):
            logits_B2 = model(batch.input_ids, batch.attention_mask, batch.token_type_ids, batch.position_ids, features)
        return logits_B2.float()

    def similarities(self, model: ClickModel, rows: ClickRows, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """How alike query and picture of rows are by the vectors that a model with side agreement starts from [B]."""
        batch = collate_clicks(rows, places, pad_id=self._pad_id).to(self.device)
        assert batch.features is not None, "a model with side agreement reads pictures"
        with torch.inference_mode(), autocast(self.settings.training.precision, self.device):
            similarity_B = model.similarity(
                batch.input_ids, batch.attention_mask, batch.token_type_ids, batch.features.float()
            )
        return similarity_B.float().cpu().numpy()

    def predict(self, model: ClickModel, rows: ClickRows) -> NDArray[np.float32]:
        """Probabilities that rows are clicked on, float32 [N]."""
        model.eval()
        scores_N = np.empty(len(rows), np.float32)
        order = np.argsort(rows.lengths, kind="stable")
        size = self.settings.evaluation.batch_size
        with torch.inference_mode():
            for start in range(0, len(order), size):
                places = order[start : start + size]
                scores_N[places] = self.logits(model, rows, places).softmax(dim=1)[:, 1].cpu().numpy()
        return scores_N


def save_click_model(
    model: ClickModel,
    tokenizer: PreTrainedTokenizerFast,
    extractor: PatchExtractor | None,
    settings: Settings,
    folder: Path,
) -> None:
    """Write a click model's folder, the weights last."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    if extractor is not None:
        extractor.save(folder)
    write_text(folder / SETTINGS, settings_to_yaml(settings))
    write_json(folder / CONFIG, {**model.config.to_dict(), _IMAGE: model.image})
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    with replacing(folder / WEIGHTS) as temporary:
        save_file(tensors, temporary, {"format": "pt"})


def load_click_model(
    folder: Path, *, device: str | torch.device = "cpu"
) -> tuple[ClickModel, PreTrainedTokenizerFast, PatchExtractor | None, Settings]:
    """Read a click model's folder.

    Args:
        folder: that ``fashionbert clicks train`` wrote.
        device: where the model runs.

    Returns:
        The model in evaluation mode, its tokenizer, its patch extractor where it reads pictures, and its settings.

    Raises:
        RunError: a file is missing, or does not fit the others.
    """
    try:
        config: dict[str, Any] = json.loads((folder / CONFIG).read_text("utf-8"))
        if _IMAGE not in config:
            raise RunError(f"{folder} holds no click model: make one with `fashionbert clicks train`")
        weights = load_file(folder / WEIGHTS)
        if any(name.startswith("fashionbert.") for name in weights):
            raise RunError(f"the click model {folder} was made by an earlier version: train it anew")
        image = config.pop(_IMAGE)
        settings = settings_from_yaml(folder / SETTINGS)
        model = ClickModel(FashionBertConfig.from_dict(config), image)
        model.load_state_dict(weights)
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise RunError(
            f"the click model {folder} is missing or damaged ({str(error).splitlines()[0]:.200}): take a whole copy"
        ) from error
    extractor = None if model.image == "none" else PatchExtractor.load(folder, device)
    return model.eval().to(device), load_tokenizer(folder), extractor, settings
