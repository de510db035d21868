"""What a run writes down: a line of JSON a step, and whatever trackers accelerate was asked for."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from fashionbert.files import replacing


class MetricsFile:
    """``metrics.jsonl``: one object a line, ``{"step": 12, "loss.alignment": 0.61, ...}``."""

    def __init__(self, path: Path, step: int) -> None:
        """Open the file to go on after ``step``; lines of later steps, which a killed run left, are removed."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            kept = [line for line in _lines(path) if line["step"] <= step]
            with replacing(path) as temporary:
                temporary.write_text("".join(json.dumps(line) + "\n" for line in kept), "utf-8")
        self._file: IO[str] = path.open("a", encoding="utf-8")

    def write(self, values: Mapping[str, Any]) -> None:
        """Add a line; it is in the operating system's hands when this returns."""
        self._file.write(json.dumps(values) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Read all whole lines of a metrics file."""
    return list(_lines(path))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return  # the line that a kill cut short is the last one
