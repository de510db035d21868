import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


def jpeg(seed: int = 0, size: tuple[int, int] = (40, 48)) -> bytes:
    """Encode a picture of random blocks: each seed another one."""
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(blocks).resize(size).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def picture() -> Callable[..., bytes]:
    return jpeg


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder with products.jsonl (or another name) and the pictures named in its rows."""

    def write(rows: Sequence[dict[str, Any]], name: str = "products.jsonl", pictures: Sequence[str] = ()) -> Path:
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)), "utf-8")
        for seed, path in enumerate(pictures):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(jpeg(seed))
        return tmp_path

    return write
