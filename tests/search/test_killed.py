"""Nothing is lost by kill -9, whether an indexing is killed or what writes to an index."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fashionbert.catalogue import open_catalogue
from fashionbert.search import IndexOptions, Query, SearchEngine, index_catalogue

pytestmark = pytest.mark.slow
FP32 = IndexOptions(precision="fp32")


def test_an_indexing_that_is_killed_goes_on_and_ends_as_if_it_had_not_been(
    world: Path, make_run: Callable[..., Path], tmp_path: Path
) -> None:
    catalogue, run, killed = open_catalogue(world), make_run(tmp_path / "run"), tmp_path / "killed"
    program = Path(__file__).with_name("killed_indexing.py")
    done = 0
    for kill_at in (20, 41):
        words = [world, run, killed, kill_at]
        ended = subprocess.run([sys.executable, program, *map(str, words)], capture_output=True, check=False)
        assert ended.returncode == -9, ended.stderr.decode()
        engine = SearchEngine.open(killed)  # searches at any moment
        assert done < len(engine.shelf.place_of) < len(catalogue)
        assert engine.search(Query(text="red dress")).hits
        done = len(engine.shelf.place_of)
    state = index_catalogue(catalogue, killed, model=run, options=FP32)
    assert (state.unchanged, state.written) == (done, len(catalogue) - done)
    index_catalogue(catalogue, tmp_path / "whole", model=run, options=FP32)
    one, other = SearchEngine.open(killed), SearchEngine.open(tmp_path / "whole")
    assert one.shelf.place_of.keys() == other.shelf.place_of.keys()
    for query in (
        Query(text="red dress"),
        Query(text="shirt", words=False),
        Query(more_like=(catalogue[0].product_id,)),
    ):
        found, expected = one.search(query), other.search(query)
        assert [hit.recall for hit in found.hits] == pytest.approx([hit.recall for hit in expected.hits], abs=1e-5)
        assert found.matches == expected.matches
