import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionbert.errors import CheckpointError, MissingExtraError
from fashionbert.interop.sorted_table import masked_crc, read_table, write_table

TABLE = {b"": b"header", b"a/kernel": b"\x00\x01", b"a/kernel/Adam": b"", b"b": b"x" * 300}


@pytest.mark.parametrize(
    ("raw", "crc"),
    [(bytes(32), 0x8A9136AA), (bytes([255] * 32), 0x62A8AB43), (bytes(range(32)), 0x46DD794E)],
)
def test_check_sums_of_the_standard(raw: bytes, crc: int) -> None:
    """CRC-32C of RFC 3720, section B.4, then masked as LevelDB says: turned right by 15 bits, plus a constant."""
    assert masked_crc(raw) == ((crc >> 15 | (crc << 17 & 0xFFFFFFFF)) + 0xA282EAD8) % 2**32


def test_a_table_comes_back(tmp_path: Path) -> None:
    write_table(tmp_path / "t", TABLE)
    assert read_table(tmp_path / "t") == TABLE


@given(st.dictionaries(st.binary(max_size=9), st.binary(max_size=200), min_size=1, max_size=20))
def test_any_table_comes_back(tmp_path_factory: pytest.TempPathFactory, table: dict[bytes, bytes]) -> None:
    path = tmp_path_factory.mktemp("table") / "t"
    write_table(path, table)
    assert list(read_table(path).items()) == sorted(table.items())


def test_every_cut_and_every_turned_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t"
    write_table(path, TABLE)
    raw, noticed = path.read_bytes(), []
    for place in range(len(raw)):
        path.write_bytes(raw[:place])
        with pytest.raises(CheckpointError):
            read_table(path)
    for place in range(len(raw) - 48):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 16]) + raw[place + 1 :])
        try:
            assert read_table(path) == TABLE  # a bit of the empty block about the table, which nobody reads
        except CheckpointError:
            noticed.append(place)
    assert len(noticed) == len(raw) - 48 - 13  # 8 bytes of that block and 5 behind it


def test_what_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is missing"):
        read_table(tmp_path / "t")
    (tmp_path / "t").write_bytes(b"hello" * 40)
    with pytest.raises(CheckpointError, match="no index of a TensorFlow checkpoint"):
        read_table(tmp_path / "t")


def test_without_the_package_for_check_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table(tmp_path / "t", TABLE)
    monkeypatch.setitem(sys.modules, "google_crc32c", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'fashionbert\[easytransfer\]'"):
        read_table(tmp_path / "t")
