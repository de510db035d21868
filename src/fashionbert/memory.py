"""Memory that is freed stays with the process, to be used again, and is given back now and then."""

import ctypes
import mmap
import sys
from pathlib import Path
from typing import Any

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
"""Names of settings in glibc's malloc.h."""


def keep_freed_memory() -> bool:
    """Tell glibc's allocator to keep freed blocks instead of giving them back to the system.

    Tensors of some megabytes are allocated and freed thousands of times. By default glibc maps each of them anew, the
    kernel fills the pages with zeros one by one, and on two CPU cores of a virtual machine half of the time of patch
    features went there (docs/log.md, 2026-11-25). The process holds its peak of memory until it ends.

    Returns:
        Whether it was done; other C libraries are left alone.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is None:
        return False
    taken = [mallopt(name, value) for name, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1))]
    return all(taken)


def release_freed_memory() -> bool:
    """Give back to the system what is free at the moment.

    Returns:
        Whether something was given back; other C libraries are left alone.
    """
    trim = _of_glibc("malloc_trim")
    return trim is not None and bool(trim(0))


class GrowthLimit:
    """Gives freed memory back whenever the process has grown by so much since it last did.

    Batches have other sizes each time, so blocks that are kept fit ever worse: a training that needs 5 GB at its peak
    had grown to 15 GB after an hour, and by 4 GB within 30 seconds (docs/log.md, 2026-11-25 and 26). Giving them back
    costs the kernel's work of filling pages anew, a second or so, and is therefore not done after each step.
    """

    def __init__(self, growth: int = 3 * 2**29) -> None:
        """Set the limit.

        Args:
            growth: bytes.
        """
        self._growth = growth
        self._floor: int | None = None

    def check(self) -> bool:
        """Look after a step how large the process is; what it is after the first one is taken as its need.

        Returns:
            Whether memory was given back.
        """
        size = _resident_bytes()
        if size is None:
            return False
        if self._floor is None:
            self._floor = size
        if size - self._floor <= self._growth:
            return False
        self._floor = None
        return release_freed_memory()


def _resident_bytes() -> int | None:
    """Memory of the process's own, without mapped files; None where the system does not say."""
    try:
        resident, shared = Path("/proc/self/statm").read_text("ascii").split()[1:3]
    except OSError:
        return None
    return (int(resident) - int(shared)) * mmap.PAGESIZE


def _of_glibc(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
