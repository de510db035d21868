"""What the tests of several parts share: no network, one thread, and things small enough to compute at once."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytest_socket import disable_socket, enable_socket

from fashionbert.catalogue.synthetic import write_world
from fashionbert.model import FashionBertConfig

MakeConfig: TypeAlias = Callable[..., FashionBertConfig]
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and weights."""
    folder = Path(os.environ.get("FASHIONBERT_SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}: name the folder of data and weights in FASHIONBERT_SHARED")
    return folder


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic shop of 60 groups."""
    return write_world(tmp_path_factory.mktemp("world"), groups=60, seed=1, validation_share=0.25)


@pytest.fixture(scope="session")
def make_config() -> MakeConfig:
    """Make the configuration of a model that fits on a page: V = 50, D = 16, F = 6, P = 9, E = 8, no dropout."""

    def make(**changes: object) -> FashionBertConfig:
        values: dict[str, object] = {
            "vocab_size": 50,
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "max_position_embeddings": 24,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
            "patch_dropout_prob": 0.0,
            "patch_feature_size": 6,
            "patches": 9,
            "contrastive_size": 8,
        }
        return FashionBertConfig(**{**values, **changes})  # pyright: ignore[reportArgumentType]

    return make


@dataclass(frozen=True)
class Ranges:
    first: NDArray[np.int64]
    views: NDArray[np.int64]


class MemoryFeatures:
    """A feature source in memory: product i has ``views[i]`` pictures; entry [.., 0, 0] of a row is its number."""

    def __init__(
        self, product_ids: Sequence[str], views: Sequence[int], variants: int, patches: int, size: int
    ) -> None:
        self.variants, self.patches, self.feature_size = variants, patches, size
        self._number = {product_id: number for number, product_id in enumerate(product_ids)}
        self._views = np.asarray(views, np.int64)
        self._first = (np.cumsum(self._views) - self._views) * variants
        count = int(self._views.sum()) * variants
        self.features = np.random.default_rng(5).normal(size=(count, patches, size)).astype(np.float16)
        self.features[:, 0, 0] = np.arange(count)

    def __contains__(self, product_id: object, /) -> bool:
        return product_id in self._number

    def rows(self, product_ids: Sequence[str]) -> Ranges:
        numbers = [self._number[product_id] for product_id in product_ids]
        return Ranges(self._first[numbers], self._views[numbers])

    def read_rows(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        return self.features[rows]


@pytest.fixture(scope="session")
def make_features() -> Callable[..., MemoryFeatures]:
    """Make a feature source of these products; P = 9 and F = 6 as in the small model."""

    def make(
        product_ids: Sequence[str],
        views: Sequence[int] | None = None,
        *,
        variants: int = 1,
        patches: int = 9,
        size: int = 6,
    ) -> MemoryFeatures:
        return MemoryFeatures(product_ids, views or [1] * len(product_ids), variants, patches, size)

    return make
