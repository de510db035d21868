"""The folder of an exported model: enough by itself to score pairs.

::

    FOLDER/
      model.onnx                 the pair model in float32
      model-int8.onnx            the same with 8-bit weights, where it was asked for
      tokenizer.json ...         WordPieces, patch network and text length, as in the run folder
      onnx.json                  how far its margins are from the model's, versions, hash of each file
"""

import json
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from fashionbert.errors import ExportError, RunError
from fashionbert.files import file_hash, write_json
from fashionbert.interop.onnx_parity import Difference
from fashionbert.provenance import commit, versions

RECORD = "onnx.json"
GRAPH = "model.onnx"
INT8_GRAPH = "model-int8.onnx"

_FORMAT = "fashionbert-onnx-1"
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def write_record(folder: Path, model: str, parity: Difference, int8: Difference | None) -> None:
    """Write down what the other files of a folder are; they must all be there.

    Args:
        folder: of the export.
        model: fingerprint of the run folder's model.
        parity: of the float32 graph against the model.
        int8: of the 8-bit graph against the model; None: there is none.
    """
    record = {
        "format": _FORMAT,
        "model": model,
        "parity": asdict(parity),
        "int8": None if int8 is None else asdict(int8),
        "versions": {**versions(), **{name: import_module(name).__version__ for name in _PACKAGES}},
        "commit": commit(),
        "files": {file.name: file_hash(file) for file in sorted(folder.iterdir())},
    }
    write_json(folder / RECORD, record)


def is_exported(folder: Path) -> bool:
    """Whether a folder holds an exported model rather than a run."""
    return (folder / RECORD).is_file()


def refuse_other_content(folder: Path) -> None:
    """Raise ExportError where a folder holds anything but an earlier export, which an export replaces."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not is_exported(folder))):
        raise ExportError(f"{folder} holds something else than an exported model: name a new or an empty folder")


def graph_of(folder: Path, *, int8: bool) -> Path:
    """Check that the files are those that were exported together, and name the graph.

    Args:
        folder: of the export.
        int8: the graph with 8-bit weights.

    Returns:
        The file.

    Raises:
        RunError: files are missing or changed, or the export had no 8-bit graph.
    """
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text("utf-8"))
        found, files = record["format"], dict(record["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{folder / RECORD} is missing or broken ({error}): name a folder that `fashionbert export` wrote"
        ) from error
    if found != _FORMAT:
        raise RunError(f"{folder} was exported by another version ({found!r}, not {_FORMAT!r}): export the model anew")
    graph = INT8_GRAPH if int8 else GRAPH
    if graph not in files:
        raise RunError(f"{folder} has no {graph}: export the model with --int8")
    others = [name for name in files if name not in (GRAPH, INT8_GRAPH)]
    faults = [name for name in (graph, *others) if _hash(folder / name) != files[name]]
    if faults:
        raise RunError(
            f"{folder}: {', '.join(sorted(faults))} missing or changed since the export; take a whole copy of it"
        )
    return folder / graph


def _hash(path: Path) -> str | None:
    return file_hash(path) if path.is_file() else None
