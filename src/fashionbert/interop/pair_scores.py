"""Scores of the rows of the authors' evaluation files, kept as they are made.

``scores.jsonl`` has a line a row: ``{"query": ..., "candidate": ..., "label": 0 or 1, "logits": [no match, match]}``.
Letters: B batch, T text tokens, P patches, F feature size, M rows.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashionbert.errors import PairFileError, SettingsError
from fashionbert.evaluation.protocols import Direction
from fashionbert.files import fingerprint, write_json
from fashionbert.interop.pair_files import Column, PairRow, parse_row, read_lines
from fashionbert.model import FashionBertForMatching

SCORES = "scores.jsonl"
_RECORD = "scores.record.json"
_TENSORS = ("image_feature", "image_mask", "input_ids", "input_mask", "segment_ids")
_LABEL = "nx_sent_labels"
_ENDS: dict[Direction, tuple[str, str]] = {
    "image_to_text": ("image_prod_id", "text_prod_id"),
    "text_to_image": ("text_prod_id", "image_prod_id"),
}
"""Column of the query's and of the candidate's id."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredRows:
    """What is known of every row once it is scored.

    Attributes:
        queries: id of each row's query [M].
        candidates: id of each row's candidate [M].
        labels: whether they belong together, bool [M].
        logits: float64 [M, 2], class 1 = match.
    """

    queries: tuple[str, ...]
    candidates: tuple[str, ...]
    labels: NDArray[np.bool_]
    logits: NDArray[np.float64]


def check_columns(schema: Sequence[Column], direction: Direction) -> None:
    """Refuse a schema without the columns that scoring needs.

    Args:
        schema: the files' columns.
        direction: which side asks.

    Raises:
        SettingsError: columns are missing or of another kind; all of them are listed.
    """
    kinds = {column.name: column for column in schema}
    wanted = {**dict.fromkeys(_TENSORS, "int"), "image_feature": "float", _LABEL: "int"}
    wanted |= dict.fromkeys(_ENDS[direction], "str")
    faults = [
        f"{name} is missing" if name not in kinds else f"{name} is {kinds[name].kind}, should be {kind}"
        for name, kind in wanted.items()
        if name not in kinds or kinds[name].kind != kind
    ]
    if not faults:
        faults += [
            f"{name} has {kinds[name].length} values, should have one"
            for name in (_LABEL, *_ENDS[direction])
            if kinds[name].length != 1
        ]
        faults += [
            f"{name} has {kinds[name].length} values, {other} {kinds[other].length}"
            for name, other in (("input_mask", "input_ids"), ("segment_ids", "input_ids"))
            if kinds[name].length != kinds[other].length
        ]
        if kinds["image_feature"].length % kinds["image_mask"].length:
            faults.append(
                f"image_feature has {kinds['image_feature'].length} values, which are no whole number for each of "
                f"image_mask's {kinds['image_mask'].length} patches"
            )
    if faults:
        raise SettingsError("the schema does not fit --pairs", faults)


def score_files(
    model: FashionBertForMatching,
    paths: Sequence[Path],
    schema: Sequence[Column],
    direction: Direction,
    folder: Path,
    *,
    key: str,
    batch_size: int = 64,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> ScoredRows:
    """Score every row of some files, going on where an earlier call with the same files and model stopped.

    Args:
        model: in evaluation mode, on its device.
        paths: the files.
        schema: their columns.
        direction: which side asks.
        folder: where ``scores.jsonl`` goes.
        key: what the scores depend on beside files, schema and direction.
        batch_size: rows scored at once.
        progress: called with the rows scored so far and, as far as the sizes of files and rows tell, those in all.

    Returns:
        All rows, in the order of the files.

    Raises:
        PairFileError: a file or a row is malformed, or there is no row.
        SettingsError: the schema lacks columns.
    """
    check_columns(schema, direction)
    described = fingerprint([key, direction, [[column.name, column.kind, column.length] for column in schema]])
    whole = sum(_size(path) for path in paths)
    kept, lines = _Kept.found(folder, described, paths)
    fresh = read = 0
    with (folder / SCORES).open("a", encoding="utf-8") as file:
        while batch := list(islice(lines, batch_size)):
            rows = [parse_row(place, raw, schema) for place, raw in batch]
            logits_B2 = _logits(model, rows, direction)
            file.writelines(_line(row, direction, pair) for row, pair in zip(rows, logits_B2.tolist(), strict=True))
            file.flush()
            kept = kept.grown(rows)
            kept.write(folder)
            fresh, read = fresh + len(rows), read + sum(len(row.raw) for row in rows)
            progress(kept.rows, max(kept.rows, round(whole * fresh / read)))
    if not kept.rows:
        raise PairFileError(f"{', '.join(map(str, paths))}: there is not one row")
    return read_scores(folder / SCORES)


def read_scores(path: Path) -> ScoredRows:
    """Read ``scores.jsonl``."""
    with path.open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return ScoredRows(
        queries=tuple(line["query"] for line in lines),
        candidates=tuple(line["candidate"] for line in lines),
        labels=np.array([line["label"] == 1 for line in lines], bool),
        logits=np.array([line["logits"] for line in lines], np.float64).reshape(-1, 2),
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    """What ``scores.jsonl`` holds: scores of the first ``rows`` rows, whose bytes have the sum ``crc``."""

    key: str
    rows: int = 0
    crc: int = 0

    @classmethod
    def found(cls, folder: Path, key: str, paths: Sequence[Path]) -> "tuple[_Kept, Iterator[tuple[str, bytes]]]":
        """Find what an earlier call left, cut off what it had not recorded; or begin anew.

        Rows behind those that were scored may have changed since, and files been added. Gives the lines to go on with,
        too: those that were scored have been read to be compared.
        """
        scores = folder / SCORES
        try:
            kept = cls(**json.loads((folder / _RECORD).read_text("utf-8")))
            lines = scores.read_bytes().splitlines(keepends=True)[: kept.rows]
        except (OSError, ValueError, TypeError):
            kept, lines = cls(""), []
        if kept.key == key and len(lines) == kept.rows:
            rows = read_lines(paths)
            if kept.crc == _crc(0, (raw for _, raw in islice(rows, kept.rows))):
                scores.write_bytes(b"".join(lines))
                return kept, rows
        scores.unlink(missing_ok=True)
        scores.parent.mkdir(parents=True, exist_ok=True)
        return cls(key), read_lines(paths)

    def grown(self, rows: Sequence[PairRow]) -> "_Kept":
        """Add rows that were scored."""
        return replace(self, rows=self.rows + len(rows), crc=_crc(self.crc, (row.raw for row in rows)))

    def write(self, folder: Path) -> None:
        write_json(folder / _RECORD, asdict(self))


def _crc(crc: int, lines: Iterable[bytes]) -> int:
    for line in lines:
        crc = zlib.crc32(line, crc)
    return crc


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise PairFileError(f"{path} cannot be read ({error.strerror})") from error


def _line(row: PairRow, direction: Direction, logits: list[float]) -> str:
    query, candidate = (row.values[name] for name in _ENDS[direction])
    values = {"query": query, "candidate": candidate, "label": int(row.values[_LABEL][0]), "logits": logits}
    return json.dumps(values, ensure_ascii=False) + "\n"


@torch.inference_mode()
def _logits(model: FashionBertForMatching, rows: list[PairRow], direction: Direction) -> Tensor:
    for row in rows:
        _check_row(row, model, direction)
    columns = {name: torch.from_numpy(np.stack([row.values[name] for row in rows])) for name in _TENSORS}
    columns = {name: values.to(model.device) for name, values in columns.items()}
    patches = columns["image_mask"].shape[1]
    outputs = model(
        input_ids=columns["input_ids"],
        attention_mask=columns["input_mask"],
        patch_features=columns["image_feature"].unflatten(1, (patches, -1)),
        patch_mask=columns["image_mask"],
        token_type_ids=columns["segment_ids"],
    )
    logits_B2 = outputs.alignment_logits.double().cpu()
    if not torch.isfinite(logits_B2).all():
        place = rows[int((~torch.isfinite(logits_B2)).any(dim=1).nonzero()[0])].place
        raise PairFileError(f"{place}: the model gives NaN or infinity")
    return logits_B2


def _check_row(row: PairRow, model: FashionBertForMatching, direction: Direction) -> None:
    config, values = model.config, row.values
    text_positions, patches = len(values["input_ids"]), len(values["image_mask"])
    bounds = {
        "input_ids": config.vocab_size,
        "segment_ids": config.type_vocab_size,
        "input_mask": 2,
        "image_mask": 2,
        _LABEL: 2,
    }
    faults = [
        f"{name} holds {values[name][(values[name] < 0) | (values[name] >= bound)][0]}, should be from 0 to {bound - 1}"
        for name, bound in bounds.items()
        if ((values[name] < 0) | (values[name] >= bound)).any()
    ]
    faults += [f"{name} is empty" for name in _ENDS[direction] if not values[name].strip()]
    if not values["input_mask"].any():
        faults.append("input_mask leaves no word")
    if text_positions > config.max_position_embeddings:
        faults.append(f"{text_positions} words, the model knows {config.max_position_embeddings} positions")
    if patches > config.patches:
        faults.append(f"{patches} patches, the model knows {config.patches}")
    if len(values["image_feature"]) != patches * config.patch_feature_size:
        faults.append(
            f"image_feature has {len(values['image_feature'])} values for {patches} patches, the model reads "
            f"{config.patch_feature_size} of each"
        )
    if faults:
        raise PairFileError(f"{row.place}: {'; '.join(faults)}")
