"""Contenders of patch features give the same features, in both modes."""

from pathlib import Path

import numpy as np
import pytest

from fashionbert.bench import draw_pictures, feature_contenders
from fashionbert.bench.features import bare, from_files
from fashionbert.errors import SettingsError


@pytest.mark.parametrize(("mode", "count"), [("grid", 3), ("crop", 1)])
def test_the_bare_network_gives_the_same(world: Path, mode: str, count: int) -> None:
    found, expected = (make(str(world), mode, count, 32)() for make in (from_files, bare))
    assert found.shape == (count,)
    np.testing.assert_array_equal(found, expected)


def test_as_many_pictures_are_counted_as_are_taken(tmp_path: Path) -> None:
    draw_pictures(tmp_path, 3)
    there = len([*tmp_path.rglob("*.jpg")])
    (tmp_path / "another.JPEG").write_bytes(next(tmp_path.rglob("*.jpg")).read_bytes())
    contenders = feature_contenders(tmp_path, grid=1000, crop=2)
    assert [(each.name, each.units) for each in contenders] == [
        ("grid, from files", there + 1),
        ("grid, bare network", there + 1),
        ("crop, from files", 2),
        ("crop, bare network", 2),
    ]
    assert {each.against for each in contenders} == {"grid, bare network", "crop, bare network"}


def test_cells_of_another_size_are_other_features(world: Path) -> None:
    small, large = (bare(str(world), "crop", 1, size)() for size in (32, 64))
    assert np.abs(small - large).max() > 1e-4


def test_a_folder_of_ones_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("mine")
    (tmp_path / "a.png").write_bytes(b"png")
    with pytest.raises(SettingsError, match="holds no"):
        feature_contenders(tmp_path)
    with pytest.raises(SettingsError, match="holds no"):
        feature_contenders(tmp_path / "nowhere")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "train.csv"]
