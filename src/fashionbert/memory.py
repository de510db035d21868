"""Memory that is freed stays with the process, to be used again."""

import ctypes
import sys

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
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    taken = [mallopt(name, value) for name, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1))]
    return all(taken)
