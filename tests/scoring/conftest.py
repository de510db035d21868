from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def folder(make_run: Callable[[Path], Path], tmp_path: Path) -> Path:
    """A run folder as training leaves it."""
    return make_run(tmp_path / "run")
