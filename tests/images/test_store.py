import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fashionbert.catalogue import Catalogue, hold_products
from fashionbert.errors import StoreError
from fashionbert.images import store as store_module
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.store import FeatureStore, part_path, read_manifest, write_manifest
from fashionbert.images.writer import write_store
from fashionbert.types import Product

MakeCatalogue: TypeAlias = Callable[..., Catalogue]
MakeExtractor: TypeAlias = Callable[..., PatchExtractor]


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)


@pytest.fixture
def written(make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path) -> FeatureStore:
    """Ten products with 1, 2, 3, 1, 2, ... views, mirrored, in parts of three products."""
    pictures = [[noise(10 * number + view) for view in range(number % 3 + 1)] for number in range(10)]
    extractor = make_extractor(variants="mirrored")
    return write_store(make_catalogue(pictures), extractor, tmp_path / "store", products_per_shard=3)


def test_row_layout_by_hand(written: FeatureStore) -> None:
    ranges = written.rows(["p0", "p1", "p2", "p3", "p0"])
    assert ranges.first.tolist() == [0, 2, 6, 12, 0]
    assert ranges.views.tolist() == [1, 2, 3, 1, 1]
    assert len(written) == 10
    assert written.product_ids == [f"p{number}" for number in range(10)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(data=st.data())
def test_any_reading_agrees_with_the_picture(
    data: st.DataObject, written: FeatureStore, make_extractor: MakeExtractor
) -> None:
    picks = data.draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.booleans()), max_size=8))
    picks = [(number, min(view, number % 3), mirrored) for number, view, mirrored in picks]
    features = written.read(
        [f"p{number}" for number, _, _ in picks], [view for _, view, _ in picks], [mirrored for _, _, mirrored in picks]
    )
    assert features.dtype == np.float16
    assert features.shape == (len(picks), 4, 27)
    for (number, view, mirrored), found in zip(picks, features, strict=True):
        picture = noise(10 * number + view)
        expected = make_extractor().extract([np.ascontiguousarray(picture[:, ::-1]) if mirrored else picture])[0]
        np.testing.assert_array_equal(found, expected)


def test_few_parts_are_held_open_at_once(written: FeatureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = written.read_rows(np.arange(38))
    monkeypatch.setattr(store_module, "OPEN_PARTS", 2)
    fresh = FeatureStore.open(written.folder)
    order = np.random.default_rng(0).permutation(38)
    for row in order:
        np.testing.assert_array_equal(fresh.read_rows([row])[0], everything[row])
        assert len(fresh._maps) <= 2


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="asks Linux how much of a file is mapped in")
def test_pages_that_were_read_do_not_stay_with_the_process(written: FeatureStore) -> None:
    written.read_rows(np.arange(38))
    maps = Path("/proc/self/smaps").read_text().split(str(part_path(written.folder, 0)))
    assert len(maps) == 2
    assert re.search(r"Rss:\s+0 kB", maps[1].split("VmFlags")[0])


def test_what_is_read_is_a_copy(written: FeatureStore) -> None:
    written.read(["p0"])[:] = 0
    assert written.read(["p0"]).any()


def test_membership(written: FeatureStore) -> None:
    assert "p0" in written
    assert "p9" in written
    for stranger in ("p", "p00", "q", "", "p10", 3, None):
        assert stranger not in written


def test_strangers_are_refused_by_name(written: FeatureStore) -> None:
    with pytest.raises(StoreError, match=r"2 products are not in the feature store .*\['shirt', 'p9999'\]"):
        written.rows(["p1", "shirt", "p9999"])
    with pytest.raises(StoreError, match="views"):
        written.read(["p0", "p1"], views=[0, 2])
    with pytest.raises(StoreError, match="views"):
        written.read(["p0"], views=[-1])
    for row in (-1, 38):
        with pytest.raises(StoreError, match="of a store of 38 rows"):
            written.read_rows([row])


def test_mirror_images_must_have_been_stored(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    store = write_store(make_catalogue([[noise(0)]]), make_extractor(), tmp_path)
    assert store.read(["p0"], mirrored=[False]).shape == (1, 4, 27)
    with pytest.raises(StoreError, match=r"images\.variants=mirrored"):
        store.read(["p0"], mirrored=[True])


def test_ids_of_any_alphabet_and_length(
    make_catalogue: MakeCatalogue, make_extractor: MakeExtractor, tmp_path: Path
) -> None:
    ids = ["ü", "衣", "a b/c", "0001", "1", "x" * 500]
    products = list(make_catalogue([[noise(number)] for number in range(len(ids))]))
    renamed = [
        Product(product_id=name, group_id=name, text="t", pictures=product.pictures)
        for name, product in zip(ids, products, strict=True)
    ]
    extractor = make_extractor()
    store = write_store(hold_products(renamed), extractor, tmp_path)
    expected = extractor.extract([noise(number) for number in range(len(ids))])
    np.testing.assert_array_equal(store.read(ids[::-1]), expected[::-1])
    assert store.product_ids == ids


def test_a_pickled_store_reads_the_same(written: FeatureStore) -> None:
    everything = written.read_rows(np.arange(38))
    data = pickle.dumps(written)
    assert len(data) < 1000
    np.testing.assert_array_equal(pickle.loads(data).read_rows(np.arange(38)), everything)


def edit_manifest(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def unfinish(folder: Path) -> None:
    write_manifest(folder, read_manifest(folder) | {"complete": False})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "is no feature store"),
        (lambda folder: (folder / "manifest.json").write_text('{"format": 1,'), "was edited"),
        (lambda folder: unfinish(folder), "is unfinished.*it goes on where it stopped"),
        (lambda folder: edit_manifest(folder, parts=[{"rows": 38, "bytes": 1}]), "was edited"),
        (lambda folder: edit_manifest(folder, format=99), "has format 99"),
        (
            lambda folder: edit_manifest(folder, extractor={"network": "other"}),
            "was edited.*manifest.json is not the one",
        ),
        (lambda folder: (folder / "part-00001.npy").unlink(), "part-00001.npy has None bytes"),
        (lambda folder: (folder / "part-00001.npy").write_bytes(b"short"), "part-00001.npy has 5 bytes, not"),
        (lambda folder: (folder / "index.parquet").unlink(), "index.parquet is not the one"),
        (lambda folder: (folder / "index.parquet").write_bytes(b"PAR1"), "index.parquet is not the one"),
    ],
)
def test_damaged_stores_are_refused_with_what_to_do(
    damage: Callable[[Path], object], message: str, written: FeatureStore
) -> None:
    damage(written.folder)
    with pytest.raises(StoreError, match=message) as caught:
        FeatureStore.open(written.folder)
    assert "`fashionbert features CATALOGUE --out" in str(caught.value)


def test_changed_features_are_refused_when_they_are_read(written: FeatureStore) -> None:
    path = written.folder / "part-00001.npy"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    store = FeatureStore.open(written.folder)
    store.read_rows(np.arange(2))
    with pytest.raises(StoreError, match=r"was edited.*row 23 is not the one that was written"):
        store.read_rows(np.arange(38))


def test_a_store_of_another_extractor_is_refused(written: FeatureStore) -> None:
    assert len(FeatureStore.open(written.folder, written.fingerprint)) == 10
    with pytest.raises(StoreError, match=f"is of the extractor {written.fingerprint} .*but 0123 is needed"):
        FeatureStore.open(written.folder, "0123")


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is no feature store"):
        FeatureStore.open(tmp_path / "absent")
