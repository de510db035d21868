"""Sorted tables of LevelDB's format, in which TensorFlow keeps the index of a checkpoint.

Source: github.com/google/leveldb, doc/table_format.md. A table is a row of blocks, a block of blocks' places (its
index) and a footer. An entry of a block is the length of what its key shares with the key before, the rest of the
key, and the value; a block ends in the places where keys are whole. Behind each block stand a byte that names its
compression and a check sum.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from fashionbert.errors import CheckpointError, MissingExtraError
from fashionbert.interop.wire import read_varint, varint

_MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
_FOOTER = 48
_TRAILER = 5
_PLAIN = b"\x00"
_MASK_DELTA = 0xA282EAD8


def masked_crc(raw: bytes) -> int:
    """CRC-32C of some bytes, turned and shifted as LevelDB and TensorFlow store it.

    Args:
        raw: any bytes.

    Returns:
        A number of 32 bits.

    Raises:
        MissingExtraError: the package that computes it is not installed.
    """
    try:
        import google_crc32c
    except ImportError as error:
        raise MissingExtraError(
            "google-crc32c", "easytransfer", "reading and writing TensorFlow checkpoints"
        ) from error
    crc = google_crc32c.value(raw)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def read_table(path: Path) -> dict[bytes, bytes]:
    """Read a table whole.

    Args:
        path: of the file.

    Returns:
        Values by key.

    Raises:
        CheckpointError: the file is missing, cut off, damaged or compressed.
        MissingExtraError: the package that computes check sums is not installed.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing") from error
    if len(raw) < _FOOTER or raw[-8:] != _MAGIC:
        raise CheckpointError(f"{path} is no index of a TensorFlow checkpoint, or was cut off: it lacks the footer")
    try:
        _, _, place = _handle(raw, len(raw) - _FOOTER)  # of a block about the table, which is empty here
        start, size, _ = _handle(raw, place)
        table: dict[bytes, bytes] = {}
        for _, value in _entries(_block(raw, start, size)):
            start, size, _ = _handle(value, 0)
            table |= _entries(_block(raw, start, size))
    except (ValueError, IndexError) as error:
        raise CheckpointError(f"{path} is damaged ({error}). Copy it again") from error
    return table


def write_table(path: Path, table: Mapping[bytes, bytes]) -> None:
    """Write a table of a single block, every key whole.

    Args:
        path: of the file.
        table: values by key.

    Raises:
        MissingExtraError: the package that computes check sums is not installed.
    """
    raw = b""

    def append(block: bytes) -> bytes:
        nonlocal raw
        place = varint(len(raw)) + varint(len(block))
        raw += block + _PLAIN + masked_crc(block + _PLAIN).to_bytes(4, "little")
        return place

    entries = append(_as_block(table))
    about = append(_as_block({}))
    index = append(_as_block({max(table): entries}))
    path.write_bytes(raw + (about + index).ljust(_FOOTER - len(_MAGIC), b"\x00") + _MAGIC)


def _handle(raw: bytes, place: int) -> tuple[int, int, int]:
    start, place = read_varint(raw, place)
    size, place = read_varint(raw, place)
    return start, size, place


def _block(raw: bytes, start: int, size: int) -> bytes:
    end = start + size
    if end + _TRAILER > len(raw):
        raise ValueError("a block is cut off")
    if raw[end : end + 1] != _PLAIN:
        raise ValueError("a block is compressed, which TensorFlow does not do")
    if masked_crc(raw[start : end + 1]) != int.from_bytes(raw[end + 1 : end + _TRAILER], "little"):
        raise ValueError("the check sum of a block differs")
    return raw[start:end]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    restarts = int.from_bytes(block[-4:], "little")
    end, place, key = len(block) - 4 * (restarts + 1), 0, b""
    while place < end:
        shared, place = read_varint(block, place)
        own, place = read_varint(block, place)
        length, place = read_varint(block, place)
        if shared > len(key) or place + own + length > end:
            raise ValueError("an entry is cut off")
        key = key[:shared] + block[place : place + own]
        place += own
        yield key, block[place : place + length]
        place += length


def _as_block(entries: Mapping[bytes, bytes]) -> bytes:
    block, restarts = b"", []
    for key in sorted(entries):
        restarts.append(len(block))
        block += varint(0) + varint(len(key)) + varint(len(entries[key])) + key + entries[key]
    restarts = restarts or [0]
    return block + b"".join(place.to_bytes(4, "little") for place in [*restarts, len(restarts)])
