"""Pictures that are files below a folder, and how a column of paths becomes references to them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fashionbert.catalogue.arrow import pc
from fashionbert.catalogue.cells import join_lists
from fashionbert.errors import PictureError

MAX_FILE_BYTES = 50_000_000
"""Larger files are refused unread: no product photo is that large, and one of them could fill the memory."""

PATH_SEPARATOR = "|"
"""Stands between several paths in one cell."""

_ELSEWHERE = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True, slots=True)
class FilePicture:
    """A picture file; ``name`` is its path below ``root``."""

    name: str
    root: Path

    def read(self) -> bytes:
        """Read the file.

        Returns:
            Encoded bytes.

        Raises:
            PictureError: the file is missing, unreadable or larger than :data:`MAX_FILE_BYTES`.
        """
        path = self.root / self.name
        try:
            size = path.stat().st_size
            if size > MAX_FILE_BYTES:
                raise PictureError("too-large", f"{self.name}: {size:,} bytes, more than {MAX_FILE_BYTES:,}; shrink it")
            return path.read_bytes()
        except FileNotFoundError as error:
            raise PictureError("missing", f"{self.name}: there is no such file below {self.root}") from error
        except (OSError, ValueError) as error:
            raise PictureError("unreadable", f"{self.name}: cannot be read ({error}); check its rights") from error


@dataclass(frozen=True, slots=True)
class FilePictures:
    """The picture files below ``root``; a reference is a path relative to it."""

    root: Path

    def open(self, reference: str) -> FilePicture:
        """Return the picture of this path."""
        return FilePicture(reference, self.root)

    def identity(self, reference: str) -> str:
        """Return path and size, so that an exchanged file shows."""
        try:
            return f"{reference}:{(self.root / reference).stat().st_size}"
        except OSError:
            return f"{reference}:missing"


def path_lists(cells: pa.ChunkedArray) -> pa.ListArray:
    """Turn a column of paths into lists of paths: texts are cut at :data:`PATH_SEPARATOR`, lists stay lists.

    Backslashes become slashes, as tables written on Windows need it.
    """
    kind = cells.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        cells = join_lists(cells, PATH_SEPARATOR)
    texts = cells.cast(pa.large_string()).fill_null("").combine_chunks()
    lists = pc.split_pattern(texts, PATH_SEPARATOR).cast(pa.list_(pa.large_string()))
    paths = pc.utf8_trim_whitespace(pc.replace_substring(lists.values, "\\", "/"))
    return keep_in_lists(pa.ListArray.from_arrays(lists.offsets, paths), pc.not_equal(paths, ""))


def keep_in_lists(lists: pa.ListArray, keep: pa.BooleanArray) -> pa.ListArray:
    """Drop the values whose flag in ``keep`` (one for each value) is false; lists may become empty."""
    before = np.concatenate([[0], np.cumsum(keep.to_numpy(zero_copy_only=False))])
    offsets = before[lists.offsets.to_numpy() - lists.offsets[0].as_py()]
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), lists.flatten().filter(keep))


def place_paths(paths: pa.Array, root: Path) -> tuple[pa.Array, NDArray[np.object_]]:
    """Make paths relative to ``root`` and say what is wrong with each.

    A path is taken by its letters, links are followed: what is refused is a table that names files beyond its own
    folder. Folders are listed once each; no picture is opened.

    Args:
        paths: paths as the table has them.
        root: the image folder.

    Returns:
        The relative paths, and for each the empty string or the reason ``picture-outside``, ``picture-elsewhere`` (an
        address on the network) or ``missing-picture``.
    """
    encoded = paths.dictionary_encode()
    names: list[str] = []
    reasons: list[str] = []
    folders: dict[str, frozenset[str]] = {}
    base = os.path.abspath(root)  # noqa: PTH100 -- by its letters: Path.resolve would follow links
    for path in encoded.dictionary.to_pylist():
        name, reason = _place(path, base)
        if not reason:
            folder, _, file = name.rpartition("/")
            if folder not in folders:
                folders[folder] = _files_of(root / folder)
            reason = "" if file in folders[folder] else "missing-picture"
        names.append(name)
        reasons.append(reason)
    codes = encoded.indices
    found = np.array([*reasons, ""], dtype=object)[codes.to_numpy()]
    return pa.array(names, pa.large_string()).take(codes), found


def _place(path: str, base: str) -> tuple[str, str]:
    if _ELSEWHERE.match(path):
        return path, "picture-elsewhere"
    whole = os.path.normpath(os.path.join(base, path))  # noqa: PTH118 -- a million paths: three times as quick
    prefix = base.rstrip("/") + "/"
    return (whole.removeprefix(prefix), "") if whole.startswith(prefix) else (path, "picture-outside")


def _files_of(folder: Path) -> frozenset[str]:
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries if not entry.is_dir())
    except OSError:
        return frozenset()


def describe(reason: str, path: str, root: Path) -> str:
    """Say in words what a reason of :func:`place_paths` means for this path, and what to do."""
    if reason == "picture-outside":
        return f"picture {path!r} lies outside the image folder {root}: name the folder that holds all pictures"
    if reason == "picture-elsewhere":
        return f"picture {path!r} is an address: pictures are read from the disk, fetch it first"
    return f"picture {path!r} is not below {root}: add the file or name the right image folder"


class EmbeddedSource(Protocol):
    """A table file that holds the pictures themselves."""

    def name_of(self, reference: int) -> str:
        """Return the place of a picture in words."""
        ...

    def read(self, reference: int) -> bytes | NDArray[np.uint8]:
        """Read a picture, or raise :class:`~fashionbert.errors.PictureError`."""
        ...


@dataclass(frozen=True, slots=True)
class EmbeddedPicture:
    """A picture within a table file."""

    source: EmbeddedSource
    reference: int

    @property
    def name(self) -> str:
        """Place of the picture in words, for example ``train.parquet row 7``."""
        return self.source.name_of(self.reference)

    def read(self) -> bytes | NDArray[np.uint8]:
        """Read the picture, or raise :class:`~fashionbert.errors.PictureError`."""
        return self.source.read(self.reference)


def read_image_value(value: object, name: str, root: Path) -> bytes:
    """Read a value of a Hugging Face ``Image`` column: bytes, or bytes and path, of which either may be missing.

    Args:
        value: the value as Python objects.
        name: place of the picture in words.
        root: folder that a path without bytes starts from.

    Returns:
        Encoded bytes.

    Raises:
        PictureError: there is neither, or the path leaves ``root``, or its file is missing or unreadable.
    """
    data, path = (value.get("bytes"), value.get("path")) if isinstance(value, dict) else (value, None)
    if isinstance(data, bytes):
        return data
    if not path:
        raise PictureError("missing", f"{name}: there is no picture in this row")
    place, reason = _place(path, os.path.abspath(root))  # noqa: PTH100 -- as in place_paths
    if reason:
        raise PictureError("missing", f"{name}: {describe(reason, path, root)}")
    return FilePicture(place, root).read()
