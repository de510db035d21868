"""TensorFlow's checkpoints ("tensor bundles", version 2), read and written without TensorFlow.

A checkpoint of prefix ``model.ckpt`` is ``model.ckpt.data-00000-of-00001``, the bytes of the tensors one after
another, and ``model.ckpt.index``, a sorted table of LevelDB's format (``sorted_table.py``) whose values say in
protocol buffers where each tensor lies. Source: tensorflow/core/protobuf/tensor_bundle.proto and
tensorflow/core/util/tensor_bundle/tensor_bundle.cc. Why this is not done by TensorFlow: docs/adr/0005.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionbert.errors import CheckpointError
from fashionbert.files import replacing, write_text
from fashionbert.interop.sorted_table import masked_crc, read_table, write_table
from fashionbert.interop.wire import Message, fixed_field, integer_field, message_field

_DTYPES = {1: np.dtype("<f4"), 2: np.dtype("<f8"), 3: np.dtype("<i4"), 9: np.dtype("<i8"), 19: np.dtype("<f2")}
"""Number in types.proto -> numpy's."""
_NUMBERS = {dtype: number for number, dtype in _DTYPES.items()}
_HEADER = b""
_LITTLE_ENDIAN = 0
_STATE = "checkpoint"


@dataclass(frozen=True, slots=True)
class _Entry:
    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int
    sliced: bool


class TensorBundle:
    """The variables of a checkpoint, each read when it is asked for.

    Attributes:
        prefix: path of its files without ``.index`` and ``.data-...``.
        shapes: shape of every variable by name, in the order of the names.
    """

    def __init__(self, prefix: Path) -> None:
        """Read the index.

        Args:
            prefix: path of the files without their endings.

        Raises:
            CheckpointError: files are missing, cut short or damaged, or of a kind that is not read here.
            MissingExtraError: the package that computes check sums is not installed.
        """
        self.prefix = prefix
        index = prefix.with_name(f"{prefix.name}.index")
        table = read_table(index)
        try:
            header = Message(table.pop(_HEADER, b""))
            self._entries = {
                name.decode(errors="backslashreplace"): _entry(Message(value)) for name, value in table.items()
            }
        except ValueError as error:
            raise CheckpointError(f"{index} is no index of a TensorFlow checkpoint ({error})") from error
        self._shards = header.integer(1)
        if self._shards < 1 or header.integer(2) != _LITTLE_ENDIAN:
            raise CheckpointError(f"{index} is no index of a little-endian TensorFlow checkpoint")
        self.shapes = {name: entry.shape for name, entry in self._entries.items()}
        self._check_sizes()

    def __getitem__(self, name: str) -> NDArray[np.generic]:
        """Read one variable and check its sum.

        Args:
            name: one of :attr:`shapes`.

        Returns:
            Its values, not to be written to.

        Raises:
            KeyError: there is no such variable.
            CheckpointError: its bytes are damaged, or its type is not read here.
        """
        entry = self._entries[name]
        dtype = _DTYPES.get(entry.dtype)
        if dtype is None or entry.sliced:
            kind = "is saved in slices" if entry.sliced else f"has TensorFlow's type number {entry.dtype}"
            raise CheckpointError(f"variable {name} of {self.prefix} {kind}, which is not read here")
        with self._data(entry.shard).open("rb") as file:
            file.seek(entry.offset)
            raw = file.read(entry.size)
        if masked_crc(raw) != entry.crc:
            raise CheckpointError(f"variable {name} of {self.prefix} is damaged: its check sum differs. Copy it again")
        if len(raw) != dtype.itemsize * int(np.prod(entry.shape, dtype=np.int64)):
            raise CheckpointError(f"variable {name} of {self.prefix} has {len(raw)} bytes for shape {entry.shape}")
        return np.frombuffer(raw, dtype).reshape(entry.shape)

    def _data(self, shard: int) -> Path:
        return self.prefix.with_name(f"{self.prefix.name}.data-{shard:05d}-of-{self._shards:05d}")

    def _check_sizes(self) -> None:
        needed: dict[int, int] = {}
        for entry in self._entries.values():
            needed[entry.shard] = max(needed.get(entry.shard, 0), entry.offset + entry.size)
        faults = []
        for shard, size in sorted(needed.items()):
            path = self._data(shard)
            if not path.is_file():
                faults.append(f"{path} is missing")
            elif path.stat().st_size < size:
                faults.append(f"{path} has {path.stat().st_size} bytes, the index needs {size}: it was cut short")
        if faults:
            raise CheckpointError(f"the checkpoint {self.prefix} is not whole: copy all of its files again", faults)


def write_bundle(prefix: Path, variables: Mapping[str, NDArray[np.generic]]) -> None:
    """Write a checkpoint that TensorFlow restores, and the file ``checkpoint`` that names it the latest.

    The index is written last: a checkpoint that has one is whole.

    Args:
        prefix: path of the files without their endings.
        variables: by name.

    Raises:
        ValueError: a type that is not written here.
    """
    table = {_HEADER: integer_field(1, 1) + message_field(3, integer_field(1, 1))}
    offset = 0
    with replacing(prefix.with_name(f"{prefix.name}.data-00000-of-00001")) as temporary, temporary.open("wb") as file:
        for name in sorted(variables, key=str.encode):
            value = np.asarray(variables[name], order="C")
            number = _NUMBERS.get(value.dtype.newbyteorder("<"))
            if number is None:
                raise ValueError(f"variable {name} has type {value.dtype}, which is not written here")
            raw = value.astype(_DTYPES[number], copy=False).tobytes()
            shape = b"".join(message_field(2, integer_field(1, size)) for size in value.shape)
            table[name.encode()] = (
                integer_field(1, number)
                + message_field(2, shape)
                + (integer_field(4, offset) if offset else b"")
                + integer_field(5, len(raw))
                + fixed_field(6, masked_crc(raw))
            )
            file.write(raw)
            offset += len(raw)
    with replacing(prefix.with_name(f"{prefix.name}.index")) as temporary:
        write_table(temporary, table)
    latest = f'model_checkpoint_path: "{prefix.name}"\nall_model_checkpoint_paths: "{prefix.name}"\n'
    write_text(prefix.with_name(_STATE), latest)


def find_bundle(place: Path) -> Path:
    """Find a checkpoint.

    Args:
        place: its prefix; or a folder that holds one, or several and the file ``checkpoint``, which says which is the
            latest.

    Returns:
        Its prefix.

    Raises:
        CheckpointError: there is none, or several and nothing to choose by, or another than the latest.
    """
    if place.with_name(f"{place.name}.index").is_file():
        return place
    if not place.is_dir():
        raise CheckpointError(f"{place} is no folder with a TensorFlow checkpoint, and no prefix of one")
    prefixes = sorted(path.with_suffix("") for path in place.glob("*.index"))
    found = ", ".join(prefix.name for prefix in prefixes) or "none"
    if prefixes and (place / _STATE).is_file():
        first = (place / _STATE).read_text("utf-8", errors="replace").partition("\n")[0]
        named = place / first.partition('"')[2].partition('"')[0].rpartition("/")[2]
        if named not in prefixes:
            raise CheckpointError(
                f"{place / _STATE} names {named.name!r} as the latest checkpoint, found: {found}. Copy that one too, "
                f"or name one that is there: {prefixes[0]}"
            )
        return named
    if len(prefixes) != 1:
        raise CheckpointError(
            f"{place} should hold one TensorFlow checkpoint (NAME.index and NAME.data-00000-of-00001), found: {found}"
        )
    return prefixes[0]


def _entry(message: Message) -> _Entry:
    sizes = [size.integer(1) for shape in message.messages(2) for size in shape.messages(2)]
    return _Entry(
        dtype=message.integer(1),
        shape=tuple(sizes),
        shard=message.integer(3),
        offset=message.integer(4),
        size=message.integer(5),
        crc=message.integer(6),
        sliced=bool(message.messages(7)),
    )
