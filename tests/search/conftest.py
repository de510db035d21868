from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fashionbert.search import SearchEngine
from fashionbert.search.encoders import RecallEncoder


def encode(encoder: RecallEncoder, pictures: Sequence[Image.Image], records: NDArray[np.void]) -> NDArray[np.float32]:
    """Unit vectors [N, E] of upright RGB pictures."""
    return encoder.encode_prepared([encoder.prepare(picture) for picture in pictures], records)


@pytest.fixture(scope="session")
def engine(shop_index: Path) -> SearchEngine:
    """Of the shop; not to be written to."""
    return SearchEngine.open(shop_index)


@pytest.fixture
def own_engine(own_index: Path) -> SearchEngine:
    """Of a copy of the shop, to write to."""
    return SearchEngine.open(own_index)
