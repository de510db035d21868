"""A whole model folder with pixels as patch features: P = 9, F = 12."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fashionbert.config import ImageSettings, Settings, settings_to_yaml
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.network import build_patch_network
from fashionbert.model import FashionBertConfig, FashionBertForPreTraining
from fashionbert.scoring import FashionBertProcessor, Scorer, save_weights
from fashionbert.text import learn_tokenizer

TEXTS = ["red linen dress", "blue shirt", "a red cotton shirt with long sleeves", "dress", "linen shirt in blue"] * 2


@pytest.fixture(scope="session")
def processor() -> FashionBertProcessor:
    settings = ImageSettings(network="pixels", mode="crop", grid=3, height=12, width=12, cell_size=2)
    extractor = PatchExtractor(settings, build_patch_network(settings))
    return FashionBertProcessor(learn_tokenizer(TEXTS, 200), extractor, 24)


@pytest.fixture(scope="session")
def make_model(
    make_config: Callable[..., FashionBertConfig], processor: FashionBertProcessor
) -> Callable[..., FashionBertForPreTraining]:
    """Make a model whose scores differ from pair to pair."""

    def make(**changes: object) -> FashionBertForPreTraining:
        torch.manual_seed(3)
        values = {"vocab_size": len(processor.tokenizer), "patch_feature_size": 12, **changes}
        model = FashionBertForPreTraining(make_config(**values))
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(0.0, 0.3)
        return model

    return make


@pytest.fixture
def folder(
    make_model: Callable[..., FashionBertForPreTraining], processor: FashionBertProcessor, tmp_path: Path
) -> Path:
    """A run folder as training leaves it."""
    run = tmp_path / "run"
    run.mkdir()
    model = make_model()
    (run / "config.json").write_text(model.config.to_json_string())
    (run / "settings.yaml").write_text(settings_to_yaml(Settings()))
    processor.save_pretrained(run)
    save_weights(model, run, {"recall_at_1": 0.5})
    return run


@pytest.fixture(scope="session")
def scorer(make_model: Callable[..., FashionBertForPreTraining], processor: FashionBertProcessor) -> Scorer:
    return Scorer(make_model(), processor)


@pytest.fixture(scope="session")
def pictures() -> list[bytes]:
    """Six PNG files of random blocks."""
    encoded = []
    for seed in range(6):
        buffer = io.BytesIO()
        blocks = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
        Image.fromarray(blocks).resize((30, 40)).save(buffer, "PNG")
        encoded.append(buffer.getvalue())
    return encoded
