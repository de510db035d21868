"""Candidate lists as files, so that another model, or another project, can be measured on the same ones.

JSON lines: a header (protocol, direction, seed, the gallery's fingerprint, the hash of the lists), then
``{"query": id, "candidates": [ids]}`` for each query, the truth first.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from fashionbert.errors import ProtocolError
from fashionbert.evaluation.gallery import Gallery
from fashionbert.evaluation.protocols import ABSENT, DIRECTIONS, LIST_PROTOCOLS, OTHERS, CandidateLists
from fashionbert.files import fingerprint, write_text

FORMAT = "fashionbert-candidates-1"
_SHOWN_FAULTS = 20


def file_name(lists: CandidateLists) -> str:
    """Name that says protocol, direction and seed."""
    return f"{lists.protocol}.{lists.direction}.seed{lists.seed}.jsonl"


def write_candidates(path: Path, gallery: Gallery, lists: CandidateLists) -> None:
    """Write lists, whole or not at all."""
    rows = [
        {
            "query": gallery.product_ids[query],
            "candidates": [gallery.product_ids[candidate] for candidate in row if candidate != ABSENT],
        }
        for query, row in zip(lists.queries, lists.candidates, strict=True)
    ]
    header = {
        "format": FORMAT,
        "protocol": lists.protocol,
        "direction": lists.direction,
        "seed": lists.seed,
        "data": gallery.fingerprint,
        "lists": fingerprint(rows),
    }
    write_text(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in [header, *rows]))


def read_candidates(path: Path, gallery: Gallery) -> CandidateLists:
    """Read lists and check them against the gallery.

    Args:
        path: file that :func:`write_candidates` made.
        gallery: the split that the lists are to be used on.

    Returns:
        The lists, as indices into ``gallery``.

    Raises:
        ProtocolError: no candidate file, edited, of other data, or with lists that break the protocol; every
            fault is counted and the first ones are shown.
    """
    header, rows = _read_lines(path)
    faults = [*_header_faults(header, rows, gallery), *_row_faults(rows, gallery)]
    if faults:
        shown = [f"  - {fault}" for fault in faults[:_SHOWN_FAULTS]]
        more = [f"  - and {len(faults) - _SHOWN_FAULTS} more"] if len(faults) > _SHOWN_FAULTS else []
        raise ProtocolError("\n".join([f"{path} cannot be used: draw the lists anew", *shown, *more]))
    candidates_QC = np.full((len(rows), 1 + OTHERS), ABSENT, dtype=np.int64)
    for line, row in zip(candidates_QC, rows, strict=True):
        line[: len(row["candidates"])] = [gallery.index[name] for name in row["candidates"]]
    return CandidateLists(
        protocol=header["protocol"],
        direction=header["direction"],
        seed=header["seed"],
        queries=candidates_QC[:, 0].copy(),
        candidates=candidates_QC,
    )


def _read_lines(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        header, *rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise ProtocolError(f"{path} is no candidate file: {error}") from error
    well_formed = isinstance(header, dict) and all(
        isinstance(row, dict)
        and isinstance(row.get("query"), str)
        and isinstance(row.get("candidates"), list)
        and all(isinstance(name, str) for name in row["candidates"])
        for row in rows
    )
    if not well_formed or not rows:
        raise ProtocolError(f"{path} is no candidate file: it needs a header and one object for each query")
    return header, rows


def _header_faults(header: dict[str, Any], rows: list[dict[str, Any]], gallery: Gallery) -> list[str]:
    faults = []
    if header.get("format") != FORMAT:
        faults.append(f"format is {header.get('format')!r}, not {FORMAT!r}")
    if header.get("protocol") not in LIST_PROTOCOLS:
        faults.append(f"protocol is {header.get('protocol')!r}, not one of {', '.join(LIST_PROTOCOLS)}")
    if header.get("direction") not in DIRECTIONS:
        faults.append(f"direction is {header.get('direction')!r}, not one of {', '.join(DIRECTIONS)}")
    if not isinstance(header.get("seed"), int):
        faults.append(f"seed is {header.get('seed')!r}, not a whole number")
    if header.get("data") != gallery.fingerprint:
        faults.append(f"the lists were drawn from other data: {header.get('data')!r}, not {gallery.fingerprint!r}")
    if header.get("lists") != fingerprint(rows):
        faults.append("the lists do not fit the hash in the header: the file was edited or cut short")
    return faults


def _row_faults(rows: list[dict[str, Any]], gallery: Gallery) -> list[str]:
    faults = []
    for number, row in enumerate(rows, start=2):
        query, names = row["query"], row["candidates"]
        unknown = [name for name in dict.fromkeys([query, *names]) if name not in gallery.index]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if unknown:
            faults.append(f"line {number}: not in the gallery: {', '.join(unknown)}")
        if twice:
            faults.append(f"line {number}: listed twice: {', '.join(twice)}")
        if not names or names[0] != query:
            faults.append(f"line {number}: the first candidate is not the query {query!r} itself")
        if len(names) > 1 + OTHERS:
            faults.append(f"line {number}: {len(names)} candidates, more than {1 + OTHERS}")
        if query in gallery.index:
            group = gallery.groups[gallery.index[query]]
            kin = [n for n in names[1:] if n in gallery.index and gallery.groups[gallery.index[n]] == group]
            if kin:
                faults.append(f"line {number}: of the query's own group: {', '.join(kin)}")
    queries = Counter(row["query"] for row in rows)
    faults.extend(f"query {query!r} is asked {count} times" for query, count in queries.items() if count > 1)
    return faults
