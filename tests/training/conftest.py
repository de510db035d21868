"""A run that takes a second: P = 16 cells of 2 x 2 pixels, a BERT of one layer, 60 synthetic groups."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
from rich.console import Console
from transformers import BertConfig, BertModel

from fashionbert.catalogue import Catalogue, open_catalogue
from fashionbert.config import Settings, load_settings
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.store import FeatureStore
from fashionbert.images.writer import write_store
from fashionbert.text import learn_tokenizer
from fashionbert.training import Display, build_extractor, loop, train
from fashionbert.training.checkpoint import Progress

SMALL = {
    "images.grid": 4,
    "images.height": 8,
    "images.width": 8,
    "images.cell_size": 2,
    "model.vocabulary": 300,
    "model.layers": 1,
    "model.split_layers": 0,
    "model.width": 32,
    "model.heads": 2,
    "model.dropout": 0.1,
    "model.patch_dropout": 0.1,
    "model.contrastive_size": 16,
    "model.bank_size": 20,
    "contrastive.queue": 24,
    "training.batch_size": 12,
    "training.cluster_size": 3,
    "training.epochs": 0.01,
    "training.contrastive_epochs": 0,
    "training.validation_queries": 10,
    "training.seed": 4,
}
MakeSettings: TypeAlias = Callable[..., Settings]
Run: TypeAlias = Callable[..., Progress]


class QuietDisplay(Display):
    """Keeps what it was told."""

    def __init__(self) -> None:
        super().__init__(Console(file=io.StringIO()))
        self.figures: list[Mapping[str, float]] = []

    def step(self, step: int, figures: Mapping[str, float]) -> None:
        super().step(step, figures)
        self.figures.append({"step": step, **figures})


@pytest.fixture(scope="session")
def make_settings() -> MakeSettings:
    """Make settings of one step; changes as ``make_settings({"training.epochs": 2})``."""

    def make(changes: Mapping[str, Any] | None = None) -> Settings:
        values = {**SMALL, **(changes or {})}
        return load_settings("tiny", None, [f"{name}={value}" for name, value in values.items()])

    return make


@pytest.fixture(scope="session")
def catalogue(world: Path) -> Catalogue:
    return open_catalogue(world)


@pytest.fixture(scope="session")
def extractor(make_settings: MakeSettings) -> PatchExtractor:
    return build_extractor(make_settings().images)


@pytest.fixture(scope="session")
def store(catalogue: Catalogue, extractor: PatchExtractor, tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return write_store(catalogue, extractor, tmp_path_factory.mktemp("features"))


@pytest.fixture
def run(
    catalogue: Catalogue, extractor: PatchExtractor, store: FeatureStore, make_settings: MakeSettings, tmp_path: Path
) -> Run:
    """Train into ``tmp_path / "run"`` or another folder, by changed settings; without curves unless they are wanted."""

    def start(
        changes: Mapping[str, Any] | None = None,
        folder: Path = tmp_path / "run",
        with_curves: bool = False,
        **others: Any,
    ) -> Progress:
        arguments = {
            "catalogue": catalogue,
            "store": store,
            "extractor": extractor,
            "display": QuietDisplay(),
            **others,
        }
        with pytest.MonkeyPatch.context() as patch:
            if not with_curves:
                patch.setattr(loop, "draw_curves", lambda metrics, picture: None)
            return train(make_settings(changes), folder=folder, cpu=True, **arguments)

    return start


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    """A BERT of three layers and 40 positions with a tokenizer of its own."""
    tokenizer = learn_tokenizer(["red dress blue shirt"] * 2, 100)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=40,
        hidden_act="gelu_new",
    )
    BertModel(config).save_pretrained(tmp_path / "bert")
    tokenizer.save_pretrained(tmp_path / "bert")
    return tmp_path / "bert"
