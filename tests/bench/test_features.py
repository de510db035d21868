"""Contenders of patch features give the same features, in both modes."""

from pathlib import Path

import numpy as np
import pytest

from fashionbert.bench import feature_contenders
from fashionbert.bench.features import bare, from_files


@pytest.mark.parametrize(("mode", "count"), [("grid", 3), ("crop", 1)])
def test_the_bare_network_gives_the_same(world: Path, mode: str, count: int) -> None:
    found, expected = (make(str(world), mode, count)() for make in (from_files, bare))
    assert found.shape == (count,)
    np.testing.assert_array_equal(found, expected)


def test_pictures_are_drawn_where_there_are_none(tmp_path: Path) -> None:
    contenders = feature_contenders(tmp_path, grid=3, crop=2)
    assert len([*tmp_path.rglob("*.jpg")]) >= 3
    assert [(each.name, each.units) for each in contenders] == [
        ("grid, from files", 3),
        ("grid, bare network", 3),
        ("crop, from files", 2),
        ("crop, bare network", 2),
    ]
    assert {each.against for each in contenders} == {"grid, bare network", "crop, bare network"}


def test_pictures_that_are_there_are_taken(world: Path) -> None:
    before = sorted(world.rglob("*"))
    feature_contenders(world)
    assert sorted(world.rglob("*")) == before
