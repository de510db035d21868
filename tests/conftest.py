"""What the tests of several parts share: no network, one thread, and things small enough to compute at once."""

import io
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts

from fashionbert.catalogue import Catalogue, HeldPicture, hold_products
from fashionbert.catalogue.synthetic import write_world
from fashionbert.config import ImageSettings, Settings, settings_to_yaml
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.network import build_patch_network
from fashionbert.model import FashionBertConfig, FashionBertForPreTraining
from fashionbert.scoring import FashionBertProcessor, Scorer, save_weights
from fashionbert.search import IndexOptions, index_catalogue
from fashionbert.text import learn_tokenizer
from fashionbert.types import Product

MakeConfig: TypeAlias = Callable[..., FashionBertConfig]
TEXTS = ["red linen dress", "blue shirt", "a red cotton shirt with long sleeves", "dress", "linen shirt in blue"] * 2
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def this_machine(no_network: None) -> Iterator[None]:
    """May talk to this machine, and to nobody else."""
    enable_socket()
    socket_allow_hosts(["127.0.0.1"])
    yield
    socket_allow_hosts(None)


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


@pytest.fixture(scope="session")
def make_run(
    make_model: Callable[..., FashionBertForPreTraining], processor: FashionBertProcessor
) -> Callable[..., Path]:
    """Write a run folder as training leaves it."""

    def make(run: Path, **changes: object) -> Path:
        run.mkdir(parents=True)
        model = make_model(**changes)
        (run / "config.json").write_text(model.config.to_json_string())
        (run / "settings.yaml").write_text(settings_to_yaml(Settings()))
        processor.save_pretrained(run)
        save_weights(model, run, {"recall_at_1": 0.5})
        return run

    return make


@pytest.fixture(scope="session")
def scorer(make_model: Callable[..., FashionBertForPreTraining], processor: FashionBertProcessor) -> Scorer:
    return Scorer(make_model(), processor)


def random_pictures(seeds: Iterable[int]) -> list[bytes]:
    """PNG files of random blocks, one for each seed."""
    encoded = []
    for seed in seeds:
        buffer = io.BytesIO()
        blocks = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
        Image.fromarray(blocks).resize((30, 40)).save(buffer, "PNG")
        encoded.append(buffer.getvalue())
    return encoded


@pytest.fixture(scope="session")
def pictures() -> list[bytes]:
    """Six PNG files of random blocks."""
    return random_pictures(range(6))


SHOP = [
    # product, group, words, subcategory, colour, price, pictures
    ("d1", "g1", "red linen dress", "Dress", "red", "49.90", 2),
    ("d2", "g1", "blue linen dress", "Dress", "blue", "49.90", 1),
    ("d3", "", "a black dress with sleeves", "Dress", "black", "80", 1),
    ("s1", "g2", "blue shirt", "Shirt", "blue", "19", 1),
    ("s2", "", "red cotton shirt", "Shirt", "red", "", 3),
    ("s3", "", "it's O'Neill; DROP TABLE views", "Shirt", "dark blue", "25", 1),
]


@pytest.fixture(scope="session")
def shop() -> Catalogue:
    """Six products in five groups, with nine pictures; s2 has no price."""
    pictures = iter(random_pictures(range(10, 19)))
    return hold_products(
        [
            Product(
                product_id=product_id,
                group_id=group_id,
                text=text,
                subcategory=kind,
                pictures=tuple(HeldPicture(f"{product_id}-{number}", next(pictures)) for number in range(count)),
                attributes={"colour": colour, "price": price},
            )
            for product_id, group_id, text, kind, colour, price, count in SHOP
        ]
    )


@pytest.fixture(scope="session")
def shop_index(shop: Catalogue, make_run: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the shop, not to be written to; its model lies beside it in ``run``."""
    place = tmp_path_factory.mktemp("shop")
    index_catalogue(shop, place / "index", model=make_run(place / "run"), options=IndexOptions(precision="fp32"))
    return place / "index"


@pytest.fixture
def own_index(shop_index: Path, tmp_path: Path) -> Path:
    """A copy of the index of the shop, to write to."""
    return Path(shutil.copytree(shop_index, tmp_path / "index"))
