"""What fashionbert does, as contenders are asked for it.

Letters: T text tokens, P patches, F feature size, N candidates.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fashionbert.bench.contender import Work
from fashionbert.model import FashionBertForMatching, Meeting


def reference(folder: str, model: str) -> Work:
    """Each pair through the whole model, as training does it."""
    loaded, text_1T, features_NPF = _loaded(folder, model)
    text_NT = text_1T.expand(len(features_NPF), -1)

    def work() -> NDArray[np.float32]:
        with torch.inference_mode():
            return _difference(loaded(text_NT, None, features_NPF).alignment_logits)

    return work


def joint(folder: str) -> Work:
    """All layers read words and patches together, features at hand."""
    model, text_1T, features_NPF = _loaded(folder, "joint")
    count = len(features_NPF)

    def work() -> NDArray[np.float32]:
        with torch.inference_mode():
            texts = model.fashionbert.read_texts(text_1T)
            meeting = Meeting(model.fashionbert, texts, model.fashionbert.read_pictures(features_NPF), count)
            return _margins(model, meeting, count)

    return work


def kept(folder: str) -> Work:
    """The sides are apart in the lower layers, and the pictures were read when they came into the index."""
    model, text_1T, features_NPF = _loaded(folder, "split")
    with torch.inference_mode():
        pictures = model.fashionbert.read_pictures(features_NPF)
    count = len(features_NPF)

    def work() -> NDArray[np.float32]:
        with torch.inference_mode():
            meeting = Meeting(model.fashionbert, model.fashionbert.read_texts(text_1T), pictures, count)
            return _margins(model, meeting, count)

    return work


def _loaded(folder: str, name: str) -> tuple[FashionBertForMatching, torch.Tensor, torch.Tensor]:
    inputs = np.load(Path(folder) / "inputs.npz")
    model = FashionBertForMatching.from_pretrained(Path(folder) / name).eval()
    return model, torch.from_numpy(inputs["text"])[None], torch.from_numpy(inputs["features"])


def _margins(model: FashionBertForMatching, meeting: Meeting, count: int) -> NDArray[np.float32]:
    outputs = model.match(meeting, torch.zeros(count, dtype=torch.long), torch.arange(count))
    assert outputs.alignment_logits is not None
    return _difference(outputs.alignment_logits)


def _difference(logits_N2: torch.Tensor) -> NDArray[np.float32]:
    return (logits_N2[:, 1] - logits_N2[:, 0]).numpy()
