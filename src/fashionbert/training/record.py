"""What a run writes down: a line of JSON a step, and whatever trackers accelerate was asked for."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from fashionbert.errors import RunError
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
    """Read line by line; RunError where one is not ours."""
    lines = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        try:
            values = json.loads(line)
            if not isinstance(values["step"], int):
                raise TypeError("its step is no whole number")
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines) and not line.endswith(b"\n"):
                return  # the line that a kill cut short
            raise RunError(
                f"{path}, line {number}, is no line of a run's metrics ({error!r}): "
                "move the file away, or train into another --out"
            ) from error
        yield values
