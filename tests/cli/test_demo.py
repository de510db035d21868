"""The demo to its end."""

from pathlib import Path

import pytest

from fashionbert.catalogue import open_catalogue
from fashionbert.scoring import read_settings
from fashionbert.search import SearchEngine

from .conftest import Command


@pytest.mark.slow
def test_the_whole_way_on_a_catalogue_of_ones_own(
    world: Path, small_words: list[str], command: Command, tmp_path: Path
) -> None:
    """With another division into splits, which a calibration shares with the training."""
    out = tmp_path / "demo"
    catalogue = tmp_path / "shop.csv"
    catalogue.write_bytes((world / "train.csv").read_bytes())
    (tmp_path / "images").symlink_to(world / "images")
    words = ["--preset", "tiny", *small_words, "--set", "catalogue.split_seed=5", "--out", out]
    code, printed, complaint = command("demo", "--catalogue", catalogue, *words)
    assert code == 0, complaint
    for title in ("red dress with long sleeves", "striped shirt, but not blue", "more like "):
        assert title in printed
    assert f"fashionbert serve {out / 'index'}" in printed.replace("\n", "")
    assert len(SearchEngine.open(out / "index").shelf.product_ids) > 20
    code, printed, complaint = command("calibrate", out / "index", "--catalogue", catalogue, "--precision", "0.5")
    held_out = open_catalogue(str(catalogue), read_settings(out / "run").catalogue).split("validation")
    assert (code, f"{len(held_out)}, half of them" in printed) == (0, True), complaint
