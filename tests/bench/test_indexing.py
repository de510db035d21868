"""Contenders of indexing: the index holds the vectors that the bare networks give."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fashionbert.bench import draw_pictures, index_contenders
from fashionbert.bench.indexing import FILES, NETWORK, SIDE, network, network_and_side, whole_way
from fashionbert.errors import RunError, SettingsError


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("indexing") / "run")


def test_the_index_holds_the_vectors_of_the_bare_networks(run: Path, world: Path, tmp_path: Path) -> None:
    build, bare = whole_way(str(run), str(world), 5, str(tmp_path)), network_and_side(str(run), str(world), 5)
    found = build()
    assert found.shape == (5, 8)
    np.testing.assert_allclose(found, bare(), atol=2e-2)
    assert len(np.unique(found[:, 0])) == 5
    np.testing.assert_array_equal(build(), found)
    assert len([*tmp_path.iterdir()]) == 2, "each turn makes another index"


def test_the_bare_network_reads_every_picture(run: Path, world: Path) -> None:
    found = network(str(run), str(world), 5)()
    assert found.shape == (5,)
    assert np.isfinite(found).all()


def test_who_takes_part(run: Path, tmp_path: Path) -> None:
    draw_pictures(tmp_path / "pictures", 3)
    there = len([*(tmp_path / "pictures").rglob("*.jpg")])
    contenders = index_contenders(run, tmp_path / "pictures", tmp_path, count=1000)
    assert [(each.name, each.units, each.same_as) for each in contenders] == [
        (FILES, there, SIDE),
        (SIDE, there, ""),
        (NETWORK, there, ""),
    ]
    assert {each.units for each in index_contenders(run, tmp_path / "pictures", tmp_path, count=2)} == {2}


def test_what_is_no_run_and_a_folder_without_pictures_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds no"):
        index_contenders(run, tmp_path, tmp_path, count=1)
    with pytest.raises(RunError, match="is no run folder"):
        index_contenders(tmp_path, tmp_path, tmp_path, count=1)
