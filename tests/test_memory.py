"""That freed memory is kept, seen from outside: a second pass over the same sizes asks the kernel for nothing."""

import subprocess
import sys

PROGRAM = """
import resource, sys
from fashionbert.memory import keep_freed_memory
import numpy as np

kept = keep_freed_memory() if sys.argv[1] == "keep" else False

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(16_000_000, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(int(kept), faults())
"""


def run(word: str) -> tuple[int, int]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, word], capture_output=True, text=True, check=True)
    kept, faults = done.stdout.split()
    return int(kept), int(faults)


def test_freed_memory_is_used_again() -> None:
    """16 MB are 3,907 pages; where the C library is another one, nothing is claimed."""
    kept, faults = run("keep")
    assert faults < 100 or not kept
    assert run("leave")[0] == 0


GROWTH = """
from fashionbert.memory import GrowthLimit, keep_freed_memory
import numpy as np

kept = keep_freed_memory()
limit = GrowthLimit(growth=100_000_000)
held = []
said = [int(limit.check())]
for megabytes in (60, 60, 20, 60, 60):
    held.append(np.ones(megabytes * 1_000_000, np.uint8))
    wall = np.ones(1000)
    said.append(int(limit.check()))
print(int(kept), *said)
"""


def test_memory_is_given_back_when_the_process_has_grown() -> None:
    """By 120 MB in the third look; what it has in the fourth is the new floor, and 120 MB more are too much again."""
    done = subprocess.run([sys.executable, "-c", GROWTH], capture_output=True, text=True, check=True)
    kept, *said = map(int, done.stdout.split())
    assert [bool(word) for word in said] == [False, False, True, False, False, True] or not kept


RELEASE = """
import re
from pathlib import Path
from fashionbert.memory import keep_freed_memory, release_freed_memory
import numpy as np

def resident():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

kept = keep_freed_memory()
blocks = [np.ones(1_000_000, np.uint8) for _ in range(200)]
wall = np.ones(1000)  # behind the blocks, so that the heap cannot shrink
blocks.clear()
before = resident()
print(int(kept), before, int(release_freed_memory()), resident())
"""


def test_freed_memory_is_given_back() -> None:
    """200 MB that were freed within the heap."""
    done = subprocess.run([sys.executable, "-c", RELEASE], capture_output=True, text=True, check=True)
    kept, before, released, after = map(int, done.stdout.split())
    assert before - after > 150_000 or not kept
    assert released == kept
