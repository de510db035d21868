"""Memory that is freed stays with the process, to be used again, and is given back now and then."""

import ctypes
import sys
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

    Batches have other sizes each time, so blocks that are kept fit ever worse: a training that needs 5 GB at its peak
    had grown to 15 GB after an hour (docs/log.md, 2026-11-25). Called twice a minute this costs nearly nothing.

    Returns:
        Whether something was given back; other C libraries are left alone.
    """
    trim = _of_glibc("malloc_trim")
    return trim is not None and bool(trim(0))


def _of_glibc(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
