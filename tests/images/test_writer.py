import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import SupportsIndex, TypeAlias

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fashionbert.catalogue import Catalogue
from fashionbert.errors import CatalogueError, StoreError
from fashionbert.images.ahead import map_ahead
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.part import WriteProgress
from fashionbert.images.store import FeatureStore
from fashionbert.images.writer import write_store
from fashionbert.types import Product

MakeCatalogue: TypeAlias = Callable[..., Catalogue]
MakeExtractor: TypeAlias = Callable[..., PatchExtractor]
BROKEN = b"<html>404</html>"


def noise(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


class Unread(Catalogue):
    """A catalogue of which no product may be asked for."""

    def __init__(self, of: Catalogue) -> None:
        self.__dict__ |= of.__dict__

    def __getitem__(self, index: SupportsIndex) -> Product:
        raise AssertionError(f"product {index} was read again")


def test_features_are_the_extractors_in_order_of_products_views_and_variants(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    pictures = [[noise(0)], [noise(1), noise(2)], [], [noise(3)]]
    extractor = make_extractor(variants="mirrored")
    store = write_store(make_catalogue(pictures), extractor, tmp_path / "store", products_per_shard=2)
    mirror = [np.ascontiguousarray(noise(seed)[:, ::-1]) for seed in range(4)]
    expected = extractor.extract([picture for seed in range(4) for picture in (noise(seed), mirror[seed])])
    np.testing.assert_array_equal(store.read_rows(np.arange(8)), expected)
    assert store.product_ids == ["p0", "p1", "p3"]
    assert [store.views(product) for product in store.product_ids] == [1, 2, 1]
    assert store.manifest["counts"] == {"products": 3, "products_without_picture": 1, "pictures": 4, "set_aside": 0}


def test_parts_are_plain_numpy_files(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    write_store(make_catalogue([[noise(seed)] for seed in range(5)]), make_extractor(), tmp_path, products_per_shard=3)
    parts = [np.load(tmp_path / name, allow_pickle=False) for name in ("part-00000.npy", "part-00001.npy")]
    assert [(part.shape, part.dtype) for part in parts] == [((3, 4, 27), np.float16), ((2, 4, 27), np.float16)]


def test_broken_pictures_are_set_aside_and_listed(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    catalogue = make_catalogue([[noise(0)], [None, noise(1), BROKEN], [BROKEN], [noise(2)]])
    extractor = make_extractor()
    store = write_store(catalogue, extractor, tmp_path, products_per_shard=3)
    faults = [(fault["product_id"], fault["picture"], fault["reason"]) for fault in store.manifest["faults"]]
    assert faults == [
        ("p1", "p1/0.jpg", "missing"),
        ("p1", "p1/2.jpg", "not-a-picture"),
        ("p2", "p2/0.jpg", "not-a-picture"),
    ]
    assert store.manifest["counts"] == {"products": 3, "products_without_picture": 1, "pictures": 3, "set_aside": 3}
    assert "p2" not in store
    expected = extractor.extract([noise(0), noise(1), noise(2)])
    np.testing.assert_array_equal(store.read(["p0", "p1", "p3"]), expected)


def test_a_part_without_any_usable_picture(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    catalogue = make_catalogue([[BROKEN], [BROKEN], [noise(0)]])
    store = write_store(catalogue, make_extractor(), tmp_path, products_per_shard=2)
    expected = make_extractor().extract([noise(0)])
    np.testing.assert_array_equal(store.read(["p2"]), expected)


def test_a_catalogue_of_broken_pictures_is_an_error(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    with pytest.raises(CatalogueError, match="no picture of the catalogue can be used") as caught:
        write_store(make_catalogue([[BROKEN], [None]]), make_extractor(), tmp_path)
    assert "p1/0.jpg: there is no such file" in caught.value.faults


def test_progress_counts_products_pictures_and_faults(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    seen: list[WriteProgress] = []
    catalogue = make_catalogue([[noise(0), noise(1)], [BROKEN], [noise(2)]])
    write_store(catalogue, make_extractor(), tmp_path, progress=seen.append, products_per_shard=2)
    assert seen[-1] == WriteProgress(products=3, pictures=4, set_aside=1)
    assert [state.pictures for state in seen] == sorted(state.pictures for state in seen)


def stop_after(parts: int) -> Callable[[WriteProgress], None]:
    """Make a progress callback that is interrupted by Ctrl-C when so many parts of two products are done."""

    def progress(state: WriteProgress) -> None:
        if state.products > 2 * parts:
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_run_goes_on_and_gives_the_same_files(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    pictures = [[noise(seed)] if seed % 3 else [noise(seed), BROKEN] for seed in range(9)]
    write_store(make_catalogue(pictures), make_extractor(), tmp_path / "whole", products_per_shard=2)
    broken_off = tmp_path / "broken-off"
    with pytest.raises(KeyboardInterrupt):
        write_store(
            make_catalogue(pictures), make_extractor(), broken_off, progress=stop_after(2), products_per_shard=2
        )
    assert sorted(content(broken_off)) == [
        "manifest.json",
        "part-00000.json",
        "part-00000.npy",
        "part-00001.json",
        "part-00001.npy",
    ]
    seen: list[WriteProgress] = []
    write_store(make_catalogue(pictures), make_extractor(), broken_off, progress=seen.append, products_per_shard=999)
    assert content(broken_off) == content(tmp_path / "whole")
    assert seen[-1] == WriteProgress(products=9, pictures=6, set_aside=3)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_killed_in_the_middle_of_a_part(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    catalogue = make_catalogue([[noise(seed)] for seed in range(9)])
    extractor = make_extractor(batch_size=8)  # 8 cells are 2 pictures

    def die(state: WriteProgress) -> None:
        if state.pictures == 6:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            write_store(catalogue, extractor, tmp_path / "killed", progress=die, products_per_shard=4)
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    names = list(content(tmp_path / "killed"))
    assert names[0].startswith(".part-00001.npy.")
    assert names[1:] == ["manifest.json", "part-00000.json", "part-00000.npy"]
    with pytest.raises(StoreError, match="is unfinished"):
        FeatureStore.open(tmp_path / "killed")
    seen: list[WriteProgress] = []
    write_store(catalogue, extractor, tmp_path / "killed", progress=seen.append)
    assert seen[-1] == WriteProgress(products=9, pictures=5, set_aside=0)
    write_store(catalogue, extractor, tmp_path / "whole", products_per_shard=4)
    assert content(tmp_path / "killed") == content(tmp_path / "whole")


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "part-00000.json").unlink(),
        lambda folder: (folder / "part-00000.npy").unlink(),
        lambda folder: (folder / "part-00000.json").write_text('{"rows": 2'),
        lambda folder: os.truncate(folder / "part-00000.npy", 300),
    ],
)
def test_parts_that_are_not_whole_are_made_anew(
    damage: Callable[[Path], object], make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    pictures = [[noise(seed)] for seed in range(6)]
    write_store(make_catalogue(pictures), make_extractor(), tmp_path / "whole", products_per_shard=2)
    with pytest.raises(KeyboardInterrupt):
        write_store(
            make_catalogue(pictures), make_extractor(), tmp_path / "a", progress=stop_after(2), products_per_shard=2
        )
    damage(tmp_path / "a")
    write_store(make_catalogue(pictures), make_extractor(), tmp_path / "a")
    assert content(tmp_path / "a") == content(tmp_path / "whole")


def test_a_finished_store_is_left_alone(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    catalogue = make_catalogue([[noise(0)], [noise(1)]])
    write_store(catalogue, make_extractor(), tmp_path)
    before, seen = content(tmp_path), []
    write_store(Unread(catalogue), make_extractor(), tmp_path, progress=seen.append)
    assert content(tmp_path) == before
    assert not seen


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fit": "pad"}, "fit is 'stretch', now 'pad'"),
        ({"height": 16}, "height is 8, now 16"),
        ({"variants": "mirrored"}, "variants is 1, now 2"),
    ],
)
def test_a_store_of_another_extractor_is_refused(
    finished: bool,
    changes: dict[str, object],
    message: str,
    make_catalogue: MakeCatalogue,
    make_extractor: MakeExtractor,
    tmp_path: Path,
) -> None:
    catalogue = make_catalogue([[noise(seed)] for seed in range(4)])
    if finished:
        write_store(catalogue, make_extractor(), tmp_path)
    else:
        with pytest.raises(KeyboardInterrupt):
            write_store(catalogue, make_extractor(), tmp_path, progress=stop_after(1), products_per_shard=2)
    before = content(tmp_path)
    with pytest.raises(StoreError, match=f"{message}.*give another folder"):
        write_store(catalogue, make_extractor(**changes), tmp_path)
    assert content(tmp_path) == before


def test_a_store_of_another_catalogue_is_refused(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    write_store(make_catalogue([[noise(0)]]), make_extractor(), tmp_path)
    with pytest.raises(StoreError, match="data_hash is"):
        write_store(make_catalogue([[noise(0)], [noise(1)]]), make_extractor(), tmp_path)


def test_a_folder_of_other_things_is_refused(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(StoreError, match="give a new or empty folder"):
        write_store(make_catalogue([[noise(0)]]), make_extractor(), tmp_path)
    assert list(content(tmp_path)) == ["thesis.tex"]


def test_a_full_disk_leaves_whole_parts_only(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []

    def full(descriptor: int) -> None:
        flushed.append(descriptor)
        if len(flushed) == 4:  # manifest, part 0, its record, part 1
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_store(
            make_catalogue([[noise(seed)] for seed in range(4)]), make_extractor(), tmp_path, products_per_shard=2
        )
    assert sorted(content(tmp_path)) == ["manifest.json", "part-00000.json", "part-00000.npy"]
    assert not json.loads((tmp_path / "manifest.json").read_text())["complete"]


@pytest.mark.parametrize("value", [70_000.0, float("nan"), float("inf")])
def test_features_beyond_float16_are_refused(
    value: float,
    make_catalogue: MakeCatalogue,
    make_extractor: MakeExtractor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    extractor = make_extractor()
    monkeypatch.setattr(extractor.network, "forward", lambda pixels: torch.full((len(pixels), 4, 27), value))
    with pytest.raises(StoreError, match="beyond the range of float16"):
        write_store(make_catalogue([[noise(0)]]), extractor, tmp_path)


def test_map_ahead_keeps_the_order_and_draws_few_items_early() -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for item in range(50):
            drawn.append(item)
            yield item

    results = []
    for result in map_ahead(lambda item: item * item, items(), workers=3, ahead=5):
        results.append(result)
        assert len(drawn) <= len(results) + 5
    assert results == [item * item for item in range(50)]


def test_map_ahead_passes_errors_on() -> None:
    with pytest.raises(ZeroDivisionError):
        list(map_ahead(lambda item: 1 // item, [1, 0, 2], workers=2, ahead=2))
