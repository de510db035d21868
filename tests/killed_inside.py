"""Run ``fashionbert`` and die as if the plug were pulled in a write: ``CALL NUMBER WHEN INDEX arguments...``.

CALL is one of LanceDB's, NUMBER says which of its calls, and WHEN is ``before`` it, ``after`` it, ``torn`` (in the
middle of a file that it writes), or the name of a folder of the table: as soon as a file comes or goes there while the
call lasts, or else after it. A file of rows comes some moments before the version that has them.
"""

import os
import resource
import runpy
import signal
import sys
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import torch
from lancedb.merge import LanceMergeInsertBuilder
from lancedb.table import LanceTable

from fashionbert.search import build

CALLS = {
    "add": (LanceTable, "add"),
    "merge_insert": (LanceMergeInsertBuilder, "execute"),
    "optimize": (LanceTable, "optimize"),
}


def pull_the_plug() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody survives it")


def tear() -> None:
    """Die by the kernel's hand in writing more than 4 kB to a file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def watch(folder: Path) -> None:
    """Pull the plug when something changes in a folder from now on."""
    folder.mkdir(exist_ok=True)
    before, begun = os.listdir(folder), threading.Event()  # noqa: PTH208 - the faster the better

    def look() -> None:
        begun.set()
        while os.listdir(folder) == before:  # noqa: PTH208
            pass
        pull_the_plug()

    threading.Thread(target=look, daemon=True).start()
    begun.wait()


def deadly(call: Callable[..., Any], number: int, when: str, table: Path) -> Callable[..., Any]:
    numbers = count(1)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        if next(numbers) != number:
            return call(*arguments, **options)
        if when == "torn":
            tear()
        elif when not in ("before", "after"):
            watch(table / when)
        if when != "before":
            call(*arguments, **options)
        pull_the_plug()

    return wrapped


def main() -> None:
    name, number, when, index, *arguments = sys.argv[1:]
    owner, method = CALLS[name]
    setattr(owner, method, deadly(getattr(owner, method), int(number), when, Path(index, "table", "views.lance")))
    torch.set_num_threads(1)
    build.PICTURES_AT_ONCE = 8
    sys.argv = ["fashionbert", *arguments]
    runpy.run_module("fashionbert", run_name="__main__")


if __name__ == "__main__":
    main()
