from pathlib import Path

import numpy as np
import pytest

from fashionbert.errors import CheckpointError
from fashionbert.interop.sorted_table import read_table, write_table
from fashionbert.interop.tensor_bundle import TensorBundle, find_bundle, write_bundle

VARIABLES = {
    "scope/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "scope/kernel/Adam": np.ones((2, 3), np.float64),
    "global_step": np.array(54_198, np.int64),
    "empty": np.zeros((0, 3), np.float32),
    "half": np.array([0.5], np.float16),
    "ids": np.array([-1, 2], np.int32),
}


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "model.ckpt-7", VARIABLES)
    return tmp_path / "model.ckpt-7"


def data_of(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}.data-00000-of-00001")


def test_variables_come_back(prefix: Path) -> None:
    bundle = TensorBundle(prefix)
    assert list(bundle.shapes) == sorted(VARIABLES)
    for name, value in VARIABLES.items():
        assert bundle.shapes[name] == value.shape
        assert bundle[name].dtype == value.dtype
        np.testing.assert_array_equal(bundle[name], value)


@pytest.mark.shared
def test_a_checkpoint_of_tensorflow_written_anew(shared: Path, tmp_path: Path) -> None:
    """Its Adam slots, scalars and int64 step included; the data file is the same to the byte."""
    theirs = TensorBundle(find_bundle(shared / "parity" / "easytransfer_tiny"))
    write_bundle(tmp_path / "model.ckpt", {name: theirs[name] for name in theirs.shapes})
    ours = TensorBundle(find_bundle(tmp_path))
    assert ours.shapes == theirs.shapes
    assert len(ours.shapes) == 207
    assert ours["global_step"].dtype == np.int64
    assert data_of(ours.prefix).read_bytes() == data_of(theirs.prefix).read_bytes()


def test_a_cut_data_file(prefix: Path) -> None:
    data_of(prefix).write_bytes(data_of(prefix).read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="not whole") as caught:
        TensorBundle(prefix)
    assert "has 89 bytes, the index needs 90: it was cut short" in caught.value.faults[0]
    data_of(prefix).unlink()
    with pytest.raises(CheckpointError) as caught:
        TensorBundle(prefix)
    assert "00000-of-00001 is missing" in caught.value.faults[0]


def test_a_turned_bit_in_the_data(prefix: Path) -> None:
    raw = bytearray(data_of(prefix).read_bytes())
    raw[-1] ^= 1
    data_of(prefix).write_bytes(raw)
    bundle = TensorBundle(prefix)
    with pytest.raises(CheckpointError, match=r"variable scope/kernel/Adam .* is damaged"):
        bundle["scope/kernel/Adam"]
    np.testing.assert_array_equal(bundle["scope/kernel"], VARIABLES["scope/kernel"])


def test_kinds_that_are_not_read(prefix: Path) -> None:
    """Strings (type 7) and variables in slices (field 7 of the entry) exist in TensorFlow, not in this model."""
    index = prefix.with_name(f"{prefix.name}.index")
    table = read_table(index)
    table[b"half"] = b"\x08\x07" + table[b"half"][2:]
    table[b"ids"] += b"\x3a\x00"
    write_table(index, table)
    bundle = TensorBundle(prefix)
    for name, kind in (("half", "TensorFlow's type number 7"), ("ids", "saved in slices")):
        with pytest.raises(CheckpointError, match=kind):
            bundle[name]


def test_a_table_that_is_no_checkpoint(prefix: Path) -> None:
    index = prefix.with_name(f"{prefix.name}.index")
    write_table(index, {b"": b"", b"a": b""})
    with pytest.raises(CheckpointError, match="no index of a little-endian"):
        TensorBundle(prefix)
    write_table(index, {b"": b"\x08"})
    with pytest.raises(CheckpointError, match="no index of a TensorFlow checkpoint"):
        TensorBundle(prefix)


def test_a_type_that_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bool, which is not written"):
        write_bundle(tmp_path / "model.ckpt", {"a": np.array([True])})
    assert list(tmp_path.iterdir()) == []


def test_the_latest_of_several(prefix: Path) -> None:
    write_bundle(prefix.with_name("model.ckpt-9"), VARIABLES)
    assert find_bundle(prefix.parent).name == "model.ckpt-9"
    (prefix.parent / "checkpoint").write_text('model_checkpoint_path: "/their/own/disk/model.ckpt-7"\n')
    assert find_bundle(prefix.parent) == prefix
    assert find_bundle(prefix) == prefix
    (prefix.parent / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-8"\n')
    with pytest.raises(CheckpointError, match=r"names 'model\.ckpt-8' as the latest checkpoint, found: model\.ckpt-7"):
        find_bundle(prefix.parent)
    (prefix.parent / "checkpoint").unlink()
    with pytest.raises(CheckpointError, match=r"found: model\.ckpt-7, model\.ckpt-9"):
        find_bundle(prefix.parent)


def test_a_folder_without_one(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="found: none"):
        find_bundle(tmp_path)
    with pytest.raises(CheckpointError, match="is no folder"):
        find_bundle(tmp_path / "nowhere")
