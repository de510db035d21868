"""What is refused before any feature is computed."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from fashionbert.catalogue import Catalogue
from fashionbert.config import Settings
from fashionbert.errors import CatalogueError, SettingsError
from fashionbert.training import refuse_early

MakeSettings: TypeAlias = Callable[..., Settings]


@pytest.fixture
def half(catalogue: Catalogue) -> Catalogue:
    """All but the products to validate on."""
    return catalogue.subset(np.asarray(catalogue.column("split")) != "validation")


def test_a_run_that_can_start_leaves_no_folder(
    make_settings: MakeSettings, catalogue: Catalogue, tmp_path: Path
) -> None:
    refuse_early(make_settings(), catalogue, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_every_fault_at_once(make_settings: MakeSettings, half: Catalogue, backbone: Path, tmp_path: Path) -> None:
    """The backbone has 3 layers and 40 positions."""
    sizes = {"model.width": 128, "model.heads": 4, "model.layers": 5, "model.max_text_tokens": 64}
    settings = make_settings({"training.trackers": ["aim"], "model.backbone": str(backbone), **sizes})
    with pytest.raises(SettingsError) as caught:
        refuse_early(settings, half, tmp_path / "run")
    tracker, layers, positions, split = caught.value.faults
    assert tracker == "training.trackers: 'aim' is not installed: pip install aim"
    assert layers == f"model.layers = 5: {backbone} has 3 layers"
    assert positions == f"model.max_text_tokens = 64: {backbone} knows 40 positions"
    assert split.startswith("the catalogue has no split 'validation', its splits: train (")


def test_the_catalogue_alone_is_at_fault(make_settings: MakeSettings, half: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no split 'validation'"):
        refuse_early(make_settings(), half, tmp_path / "run")


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_half_a_backbone(
    make_settings: MakeSettings, catalogue: Catalogue, backbone: Path, tmp_path: Path, missing: str
) -> None:
    (backbone / missing).unlink()
    changes = {"model.width": 128, "model.heads": 4, "model.backbone": str(backbone), "model.max_text_tokens": 40}
    with pytest.raises(SettingsError, match=missing) as caught:
        refuse_early(make_settings(changes), catalogue, tmp_path / "run")
    (fault,) = caught.value.faults
    assert fault.startswith(f"model.backbone = '{backbone}'")
