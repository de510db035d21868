"""The app over the small shop, asked in the same process: no socket is opened."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from fastapi.testclient import TestClient

from fashionbert.search import SearchEngine
from fashionbert.serving import ServeSettings, create_app
from fashionbert.serving.worker import Worker

from .slow_engine import SlowEngine, make_worker

MakeClient: TypeAlias = Callable[..., TestClient]
KEY = "a-key-of-the-tests"


def encoded(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


@pytest.fixture(scope="session")
def client(shop_index: Path) -> Iterator[TestClient]:
    """Of a service that takes no writes."""
    with TestClient(create_app(SearchEngine.open(shop_index), ServeSettings(), name="shop")) as client:
        yield client


@pytest.fixture
def writer(own_index: Path) -> Iterator[TestClient]:
    """Of a service over a copy of the index, with the key."""
    app = create_app(SearchEngine.open(own_index), ServeSettings.model_validate({"key": KEY}))
    with TestClient(app, headers={"Authorization": f"Bearer {KEY}"}) as client:
        yield client


@pytest.fixture
def engine() -> SlowEngine:
    return SlowEngine()


@pytest.fixture
def worker(engine: SlowEngine) -> Iterator[Worker]:
    worker = make_worker(engine)
    yield worker
    for _ in range(20):
        engine.gate.release()
    worker.close()
