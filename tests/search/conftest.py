from pathlib import Path

import pytest

from fashionbert.search import SearchEngine


@pytest.fixture(scope="session")
def engine(shop_index: Path) -> SearchEngine:
    """Of the shop; not to be written to."""
    return SearchEngine.open(shop_index)


@pytest.fixture
def own_engine(own_index: Path) -> SearchEngine:
    """Of a copy of the shop, to write to."""
    return SearchEngine.open(own_index)
