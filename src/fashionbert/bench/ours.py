"""What fashionbert does, as contenders are asked for it.

Letters: T text tokens, P patches, F feature size, N candidates.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fashionbert.bench.contender import Work
from fashionbert.model import FashionBertForMatching, Meeting
from fashionbert.scoring.speed import paced
from fashionbert.types import Speed


def reference(folder: str, model: str) -> Work:
    """Each pair through the whole model, as training does it."""
    loaded, text_1T, features_NPF = _loaded(folder, model)
    text_NT = text_1T.expand(len(features_NPF), -1)

    def work() -> NDArray[np.float32]:
        with torch.inference_mode():
            return _difference(loaded(text_NT, None, features_NPF).alignment_logits)

    return work


def kept(folder: str, model: str, speed: Speed = "exact") -> Work:
    """What an index does: pictures were read, as far as they are read without words, when they came into it."""
    loaded, text_1T, features_NPF = _loaded(folder, model)
    pace, count = paced(loaded, torch.device("cpu"), "fp32", speed), len(features_NPF)
    encoder = pace.model.fashionbert
    with pace.passing():
        pictures = encoder.read_pictures(features_NPF)

    def work() -> NDArray[np.float32]:
        with pace.passing():
            meeting = Meeting(encoder, encoder.read_texts(text_1T), pictures, count)
            return _margins(pace.model, meeting, count)

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
