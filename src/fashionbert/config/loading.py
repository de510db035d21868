"""From presets, YAML files and ``part.name=value`` words to checked settings, and back to YAML."""

import difflib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from fashionbert.config.contradictions import contradictions
from fashionbert.config.settings import PRESETS, Part, Settings
from fashionbert.errors import SettingsError


def load_settings(preset: str | None = None, file: Path | None = None, assignments: Sequence[str] = ()) -> Settings:
    """Build settings from a preset, then a YAML file, then ``part.name=value`` words; later ones win.

    Args:
        preset: one of :data:`PRESETS`; None starts from the defaults.
        file: YAML file with any part of the settings.
        assignments: words such as ``training.epochs=3``; values are read as YAML.

    Returns:
        Checked settings; what none of the three names has its default.

    Raises:
        SettingsError: an unknown preset, a file that cannot be read, or every fault of the values at once.
    """
    values = read_preset(preset) if preset is not None else {}
    if file is not None:
        _merge(values, _read_yaml(file))
    return _validated(values, _assign(values, assignments))


def changed(settings: Settings, assignments: Sequence[str]) -> Settings:
    """Give new settings by ``part.name=value`` words, or raise :class:`SettingsError` with every fault."""
    values = settings.model_dump(mode="json")
    return _validated(values, _assign(values, assignments))


def _assign(values: dict[str, Any], assignments: Sequence[str]) -> list[str]:
    """Put ``part.name=value`` words into the values; returns what is wrong with them."""
    faults = []
    for word in assignments:
        name, equals, text = word.partition("=")
        path = name.strip().split(".")
        if not equals or len(path) < 2:
            faults.append(f"{word!r} is not of the form part.name=value")
            continue
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            value = text
        part = values
        for key in path[:-1]:
            inner = part.get(key)
            part[key] = part = dict(inner) if isinstance(inner, Mapping) else {}
        part[path[-1]] = value
    return faults


def read_preset(name: str) -> dict[str, Any]:
    """Read a preset: part -> setting -> value, not yet checked; :class:`SettingsError` when there is none so named."""
    if name not in PRESETS:
        raise SettingsError(f"unknown preset {name!r}", [f"known presets: {', '.join(PRESETS)}"])
    text = files("fashionbert.presets").joinpath(f"{name}.yaml").read_text("utf-8")
    return yaml.safe_load(text)


def settings_from_yaml(file: Path) -> Settings:
    """Read what :func:`settings_to_yaml` wrote; :class:`SettingsError` when the file cannot be read or has faults."""
    return _validated(_read_yaml(file), [])


def settings_to_yaml(settings: Settings) -> str:
    """Write every setting, the defaults too, so that a run folder says all about itself."""
    return yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False)


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"cannot read settings from {file}", [str(error)]) from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SettingsError(f"{file} is no settings file", [f"its top level is a {type(values).__name__}, not parts"])
    return values


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _validated(values: dict[str, Any], faults: list[str]) -> Settings:
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        faults = [*faults, *_explained(error)]
        if all(fault["loc"] for fault in error.errors()):
            faults += _contradictions_of_the_rest(values, error)
    else:
        if not faults:
            return settings
    raise SettingsError(f"{len(faults)} fault{'s' if len(faults) > 1 else ''} in the settings", faults)


def _explained(error: ValidationError) -> list[str]:
    return [line for fault in error.errors() for line in _explain(dict(fault)).splitlines()]


def _contradictions_of_the_rest(values: dict[str, Any], error: ValidationError) -> list[str]:
    """Find what the settings without the faulty ones contradict: pydantic compares parts when all are well-formed.

    A contradiction in which a faulty setting has a share is left out: nobody knows what was meant.
    """
    faulty = {".".join(str(step) for step in fault["loc"][:2]) for fault in error.errors()}
    parts: dict[str, Part] = {}
    for part, field in Settings.model_fields.items():
        kind: Any = field.annotation
        given = values.get(part, {})
        kept = given if isinstance(given, Mapping) else {}
        kept = {name: value for name, value in kept.items() if f"{part}.{name}" not in faulty}
        try:
            parts[part] = kind.model_validate(kept)
        except ValidationError:
            parts[part] = kind()
            faulty |= {f"{part}.{name}" for name in kind.model_fields}
    found = contradictions(Settings.model_construct(None, **parts))
    return [each.message for each in found if not faulty & {*each.names, *(name.split(".")[0] for name in each.names)}]


def _explain(fault: dict[str, Any]) -> str:
    path = [str(step) for step in fault["loc"]]
    name, value = ".".join(path), fault["input"]
    if fault["type"] == "extra_forbidden":
        known = _names(path[:-1])
        near = difflib.get_close_matches(path[-1], known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known names: {', '.join(known)}"
        return f"{name} = {value!r}: there is no such setting; {hint}"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{name} = {value!r}: {message}" if name and not isinstance(value, Mapping | Part) else message


def _names(part: Sequence[str]) -> list[str]:
    kind: Any = Settings.model_fields[part[0]].annotation if part else Settings
    return list(kind.model_fields)
