"""The pages as people read them, and a run small enough to try them on."""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from fashionbert.catalogue.synthetic import write_world

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SMALLER = (
    "training.epochs=2",
    "training.contrastive_epochs=1",
    "model.layers=1",
    "model.split_layers=0",
    "training.validation_queries=10",
)
"""What the tutorial recommends for trying the commands."""

_FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    language: str
    body: str

    @property
    def lines(self) -> list[str]:
        """Lines with something on them, continued ones joined."""
        return [line for line in self.body.replace("\\\n", " ").splitlines() if line.strip()]


def read_pages() -> dict[str, str]:
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
    return {file.relative_to(ROOT).as_posix(): file.read_text("utf-8") for file in files}


def read_blocks(language: str) -> list[Block]:
    found = [
        Block(page, *match.group("language", "body"))
        for page, text in read_pages().items()
        for match in _FENCE.finditer(text)
    ]
    return [block for block in found if block.language == language]


def load_script(name: str) -> ModuleType:
    """A script of docs/ as a module."""
    specification = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def generator() -> ModuleType:
    """docs/generate.py as a module."""
    return load_script("generate")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``make demo`` leaves, in small: the folder that holds ``demo/world``, ``demo/run`` and ``demo/report``."""
    from fashionbert.cli.evaluate import evaluate
    from fashionbert.cli.train import train

    folder = tmp_path_factory.mktemp("demo")
    world, run = folder / "demo/world", folder / "demo/run"
    write_world(world, groups=60, seed=0)
    train(catalogue=str(world), out=run, preset="tiny", assignments=list(SMALLER), device="cpu")
    protocols = ["subcategory-101", "full"]
    evaluate(run, catalogue=str(world), out=folder / "demo/report", protocols=protocols, trec=True, device="cpu")
    return folder
