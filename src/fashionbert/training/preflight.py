"""What can be known to be wrong with a run before hours are spent on patch features."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from accelerate.tracking import get_available_trackers

from fashionbert.catalogue import Catalogue
from fashionbert.config import Settings
from fashionbert.errors import CatalogueError, RunError, SettingsError
from fashionbert.scoring import read_settings
from fashionbert.scoring.run_folder import RUN_RECORD, SETTINGS
from fashionbert.training.setup import backbone_faults
from fashionbert.training.teacher import teacher_faults

_MAY_CHANGE = {"checkpoint_minutes", "trackers"}


def refuse_early(settings: Settings, catalogue: Catalogue, folder: Path) -> None:
    """Refuse a run that cannot start or go on, by what is quickly read.

    Args:
        settings: of the run.
        catalogue: all splits.
        folder: the run folder; nothing is there before the first time.

    Raises:
        RunError: the folder holds a run of other settings or of another catalogue.
        SettingsError: the backbone is missing or too small, the teacher cannot teach this model, or a tracker is not
            installed; the faults of the catalogue come with it.
        CatalogueError: the catalogue alone is at fault: it has no split to train on, or none to validate on.
    """
    _refuse_another_run(settings, catalogue, folder)
    faults = [
        *_tracker_faults(settings.training.trackers),
        *backbone_faults(settings.model),
        *teacher_faults(settings),
    ]
    kind = SettingsError if faults else CatalogueError
    faults += _split_faults(catalogue)
    if faults:
        raise kind(f"training on {catalogue.name} cannot start", faults)


def _tracker_faults(wanted: Sequence[str]) -> list[str]:
    """Name the trackers that accelerate would leave out with a warning or without a word."""
    installed = {str(tracker) for tracker in get_available_trackers()}
    return [
        f"training.trackers: {name!r} is not installed: pip install {name}" for name in wanted if name not in installed
    ]


def _split_faults(catalogue: Catalogue) -> Iterator[str]:
    splits = catalogue.splits
    there = ", ".join(f"{split} ({count})" for split, count in splits.items())
    for name in ("train", "validation"):
        if name not in splits:
            yield (
                f"the catalogue has no split {name!r}, its splits: {there}; name the splits so, or leave the column "
                "out and set catalogue.validation_share"
            )
        elif len(set(catalogue.split(name).column("group_id"))) == 1:
            yield f"split {name!r} is a single group: there is nothing to tell it from; add products or groups"


def _refuse_another_run(settings: Settings, catalogue: Catalogue, folder: Path) -> None:
    """Refuse to go on with a run of other settings or of another catalogue."""
    if not (folder / SETTINGS).exists():
        return
    there, here = _flat(read_settings(folder).model_dump()), _flat(settings.model_dump())
    changed = [
        f"{name} was {there.get(name)!r}, is now {here[name]!r}"
        for name in here
        if there.get(name) != here[name] and name.rsplit(".")[-1] not in _MAY_CHANGE
    ]
    if changed:
        raise RunError(
            f"{folder} holds a run of other settings: {'; '.join(changed)}. "
            "Use the settings it began with to go on with it, or another --out for a new run"
        )
    known = _recorded_hash(folder)
    if known not in (None, catalogue.data_hash):
        raise RunError(
            f"{folder} holds a run of another catalogue: its data hash is {known}, that of {catalogue.name} is "
            f"{catalogue.data_hash}. Use the catalogue it began with to go on with it, or another --out for a new run"
        )


def _recorded_hash(folder: Path) -> str | None:
    if not (folder / RUN_RECORD).exists():
        return None
    try:
        return json.loads((folder / RUN_RECORD).read_text("utf-8"))["data_hash"]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{folder / RUN_RECORD} was edited ({error}): train into another --out") from error


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    return {f"{part}.{name}": value for part, fields in values.items() for name, value in fields.items()}
