"""The one form of a result file."""

import datetime
import json
import os
import platform
from itertools import count
from pathlib import Path
from typing import Any

import torch

from fashionbert.files import write_json
from fashionbert.provenance import commit, versions


def write_result(folder: Path, kind: str, command: str, does_not_show: str, figures: dict[str, Any]) -> Path:
    """Write what was measured together with when, on what and by which code.

    Args:
        folder: of the result files.
        kind: part of the file's name, beside date and machine; empty: none.
        command: that measures it again; its file of that day is written anew, one of another command is left alone.
        does_not_show: what nobody should read out of it.
        figures: the measurements.

    Returns:
        The file.
    """
    result = {"command": command, **circumstances(), "does_not_show": does_not_show, **figures}
    words = [result["date"], kind, platform.machine(), f"{os.cpu_count()}core"]
    path = _free(folder, "-".join(word for word in words if word), command)
    write_json(path, result)
    print(f"written: {path}")
    return path


def circumstances() -> dict[str, Any]:
    """When, by which code, on what and with what something is measured."""
    return {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "commit": commit(),
        "hardware": {"machine": platform.machine(), "cores": os.cpu_count(), "threads": torch.get_num_threads()},
        "versions": versions(),
    }


def _free(folder: Path, name: str, command: str) -> Path:
    """A file that is not there yet, or of the same command, which measures anew what is in it."""
    paths = (folder / f"{name}{'' if number == 1 else f'-{number}'}.json" for number in count(1))
    return next(
        path for path in paths if not path.exists() or json.loads(path.read_text("utf-8")).get("command") == command
    )
