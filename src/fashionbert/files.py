"""Files that are whole or absent: everything is written to a temporary name and then renamed."""

import errno
import hashlib
import json
import os
import shutil
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fashionbert.errors import FolderInUseError

try:
    import fcntl
except ImportError:  # Windows has no such locks; there the user keeps two commands apart
    fcntl = None

_LOOK_SECONDS = 0.02


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it over ``path`` when the block ends well.

    The data is flushed to the disk before the rename, so a power cut leaves the old file or the new one. When the
    block raises (a full disk, Ctrl-C), the temporary file is removed and ``path`` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # safetensors makes files that nobody else may read
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside ``folder``; it takes the place of ``folder`` when the block ends well.

    When the block raises, ``folder`` is as it was. What a killed process left beside it is removed by the next one.

    Args:
        folder: new, or one whose content may go.

    Yields:
        The folder to write into, files alone.

    Raises:
        FolderInUseError: another process is writing the same folder.
    """
    folder = folder.absolute()
    temporary, old = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old")
    with only_writer(temporary):
        if old.exists() and not folder.exists():
            old.rename(folder)  # somebody was killed between the two renames below
        for leftover in temporary.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        try:
            yield temporary
            for file in temporary.iterdir():
                with file.open("rb+") as opened:
                    os.fsync(opened.fileno())
            shutil.rmtree(old, ignore_errors=True)
            if folder.exists():
                folder.rename(old)
            temporary.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def only_writer(folder: Path, *, wait: float = 0.0) -> Iterator[None]:
    """Keep other processes from writing into ``folder`` until the block ends, or this process does, however it does.

    The lock is the kernel's, on the folder itself: nothing is left behind by kill -9. File systems that have no such
    locks do without.

    Args:
        folder: made where it is not there.
        wait: seconds to wait for another process to end what it writes.

    Yields:
        Nothing.

    Raises:
        FolderInUseError: another process is writing there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        try:
            _lock(opened, wait)
        except BlockingIOError:
            raise FolderInUseError(
                f"{folder} is being written to by another process: wait until it has ended, or name another folder"
            ) from None
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        os.close(opened)


def _lock(opened: int, wait: float) -> None:
    """Take the lock; BlockingIOError where another process has held it all the time."""
    assert fcntl is not None, "callers look"
    until = time.monotonic() + wait
    while True:
        try:
            return fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(_LOOK_SECONDS)


class Reading:
    """Tells writers that a folder is being read, until this is gone or its process ends, however it does.

    The lock is the kernel's, as that of :func:`only_writer`; a folder that cannot be locked is read all the same.
    """

    def __init__(self, folder: Path) -> None:
        """Begin to read.

        Args:
            folder: that is read; where it is not there, nobody is told.
        """
        self._opened: int | None = None
        if fcntl is None:
            return
        with suppress(OSError):
            self._opened = os.open(folder, os.O_RDONLY)
            weakref.finalize(self, os.close, self._opened)
            fcntl.flock(self._opened, fcntl.LOCK_SH)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Look whether all others have ended; who comes while the block lasts waits for its end.

        Yields:
            Whether it is sure that nobody else reads the folder.
        """
        if fcntl is None or self._opened is None:
            yield False
            return
        try:
            fcntl.flock(self._opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except OSError:
            alone = False
        try:
            yield alone
        finally:
            with suppress(OSError):
                fcntl.flock(self._opened, fcntl.LOCK_SH)  # a try that fails gives up the lock that was held


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Mapping[str, Any] | list[Any]) -> None:
    """Write a JSON file, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def fingerprint(value: Any) -> str:
    """Hash a JSON-like value: the same content gives the same 16 hexadecimal digits, whatever its key order."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def file_hash(path: Path) -> str:
    """Hash a file's bytes, reading it in pieces: 16 hexadecimal digits of SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def disk_is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it was raised from, says that there was no room to write.

    safetensors, torch and the hub wrap the system's error in their own.
    """
    full = (errno.ENOSPC, errno.EDQUOT)
    while error is not None:
        if getattr(error, "errno", None) in full or any(os.strerror(number) in str(error) for number in full):
            return True
        error = error.__cause__
    return False


def file_remedy(error: OSError) -> str:
    """Say what a person can do about a file or folder that cannot be read or written."""
    if isinstance(error, NotADirectoryError | FileExistsError):
        return "a file is where a folder is needed: name another place, or move the file away"
    if isinstance(error, IsADirectoryError):
        return "a folder is where a file is needed: name another place, or move the folder away"
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return "name a place that you may read and write, or have its permissions changed"
    return "check the path, or name another place"
