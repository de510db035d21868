"""Write the reference pages that follow from the program: ``python docs/generate.py``.

``tests/docs/test_generated.py`` fails when a page differs from what this would write.
"""

import ast
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer import Typer
from typer.models import ArgumentInfo, OptionInfo

from fashionbert.cli.main import app
from fashionbert.config import PRESETS, Settings, read_preset
from fashionbert.config import settings as classes
from fashionbert.serving import openapi_schema

REFERENCE = Path(__file__).parent / "reference"
_GENERATED = "<!-- written by docs/generate.py: change the program, then run it -->"
_KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def cli_page() -> str:
    """Describe every command, its arguments and its options."""
    lines = ["# Commands", "", _GENERATED, "", f"{app.info.help} `fashionbert COMMAND --help` says the same.", ""]
    lines += [
        "Exit codes: 0 done; 1 `catalogue check` found what training would suffer from; 2 the input or the command "
        "itself is wrong (what and where is said, without a traceback); 130 stopped with Ctrl-C.",
    ]
    for words, function in commands(app, "fashionbert"):
        lines += ["", f"## {words}", "", inspect.getdoc(function) or "", *_parameters(function)]
    return "\n".join(lines) + "\n"


def openapi_file() -> str:
    """Describe the HTTP service."""
    return json.dumps(openapi_schema(), indent=1, ensure_ascii=False) + "\n"


def commands(part: Typer, words: str) -> Iterator[tuple[str, Any]]:
    """Give the words and the function of every command, groups of commands last."""
    for command in part.registered_commands:
        assert command.callback is not None, f"{words} has a command without a function"
        yield f"{words} {command.name or command.callback.__name__}", command.callback
    for group in part.registered_groups:
        assert group.typer_instance is not None, f"{words} has a group without commands"
        yield from commands(group.typer_instance, f"{words} {group.name}")


def parameters(function: Any) -> Iterator[tuple[str, str, str]]:
    """Give the spelling, the default and the help of every argument and option of a command."""
    for name, parameter in inspect.signature(function).parameters.items():
        kind, info = parameter.annotation.__origin__, parameter.annotation.__metadata__[0]
        default = _default(parameter.default)
        yield _spelling(name, kind, info), default, info.help or ""


def settings_page() -> str:
    """Describe every setting with its type, default and meaning, and what the presets change."""
    lines = [
        "# Settings",
        "",
        _GENERATED,
        "",
        "A run is described by one set of settings. It starts from a preset (or from the defaults below), may be "
        "changed by a YAML file (`--config`), and last by words (`--set part.name=value`, the value read as YAML). "
        "All wrong names and values are reported at once. The run folder keeps every setting in `settings.yaml`.",
    ]
    for part, field in Settings.model_fields.items():
        kind = field.annotation
        assert isinstance(kind, type), f"{part} is no part of the settings"
        lines += ["", f"## {part}", "", _plain(inspect.getdoc(kind) or ""), "", *_table_of_part(kind)]
    lines += ["", "## Presets", "", "What each preset sets; an empty cell is the default.", "", *_table_of_presets()]
    return "\n".join(lines) + "\n"


def _parameters(function: Any) -> list[str]:
    rows = [[f"`{spelling}`", default, _plain(text)] for spelling, default, text in parameters(function)]
    return ["", *_table([["", "default", "meaning"], ["---", "---", "---"], *rows])] if rows else []


def _spelling(name: str, kind: Any, info: ArgumentInfo | OptionInfo) -> str:
    several, kind = get_origin(kind) is list, _innermost(kind)
    if isinstance(info, ArgumentInfo):
        return f"{name.upper()}{' ...' if several else ''}"
    # Within Annotated, typer takes the first spelling for the default.
    given = [word for word in (info.default, *(info.param_decls or ())) if isinstance(word, str)]
    words = ", ".join(given) or f"--{name.replace('_', '-')}"
    if kind is bool:
        return words if given else f"{words} / --no-{words.removeprefix('--')}"
    if get_origin(kind) is Literal:
        return f"{words} {{{','.join(get_args(kind))}}}"
    return f"{words} {info.metavar or _KINDS[kind].split()[-1].upper()}"


def _innermost(kind: Any) -> Any:
    """Return ``str`` of ``list[str] | None``."""
    while get_origin(kind) is not Literal and (inner := [each for each in get_args(kind) if each is not NoneType]):
        kind = inner[0]
    return kind


def _default(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return "required"
    if value is None:
        return ""
    return f"`{_yaml(str(value) if isinstance(value, Path) else value)}`"


def _table_of_part(kind: type[BaseModel]) -> list[str]:
    words, hints = _docstrings(kind.__name__), get_type_hints(kind, include_extras=True)
    rows = [["setting", "type", "default", "meaning"], ["---"] * 4]
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True)
        rows.append([f"`{name}`", _describe(hints[name]), f"`{_yaml(default)}`", _plain(words[name])])
    return _table(rows)


def _table_of_presets() -> list[str]:
    presets = {name: dict(_flat(read_preset(name))) for name in PRESETS}
    names = [name for name, _ in _flat(Settings().model_dump()) if any(name in values for values in presets.values())]
    rows = [["setting", *(f"`{name}`" for name in PRESETS)], ["---"] * (1 + len(PRESETS))]
    rows += [[f"`{name}`", *(_code(values, name) for values in presets.values())] for name in names]
    return _table(rows)


def _code(values: Mapping[str, Any], name: str) -> str:
    return f"`{_yaml(values[name])}`" if name in values else ""


def _flat(parts: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for part, values in parts.items():
        for name, value in values.items():
            yield f"{part}.{name}", value


def _docstrings(class_name: str) -> dict[str, str]:
    """Read the words under each field of a settings class from the source."""
    tree = ast.parse(inspect.getsource(classes))
    (found,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name]
    words = {}
    for before, node in zip(found.body, found.body[1:], strict=False):
        is_field = isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name)
        if is_field and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            words[before.target.id] = inspect.cleandoc(str(node.value.value))
    return words


def _describe(kind: Any) -> str:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        bounds = [bound for one in arguments[1:] for bound in (one.metadata if isinstance(one, FieldInfo) else [one])]
        limits = [f"{sign} {getattr(b, n):g}" for b in bounds for n, sign in _BOUNDS.items() if hasattr(b, n)]
        return " ".join([_describe(arguments[0]), ", ".join(limits)]).strip()
    if origin in (Union, UnionType):
        return " or ".join(_describe(argument) for argument in arguments)
    if origin is Literal:
        return " or ".join(f"`{argument}`" for argument in arguments)
    if origin is tuple:
        return f"list of {_describe(arguments[0])}"
    if origin is dict:
        return f"mapping of {_describe(arguments[0])} to {_describe(arguments[1])}"
    return "null" if kind is NoneType else _KINDS[kind]


def _yaml(value: Any) -> str:
    value = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(value, default_flow_style=True, width=1000, allow_unicode=True).removesuffix("...\n").strip()


def _plain(text: str) -> str:
    """Make Markdown of one line out of a docstring; YAML's word for None is null."""
    return re.sub(r"`*\bNone\b`*", "`null`", re.sub(r"\s+", " ", text.replace("``", "`")))


def _table(rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]


PAGES = {"cli.md": cli_page, "settings.md": settings_page, "openapi.json": openapi_file}

if __name__ == "__main__":
    for file, page in PAGES.items():
        (REFERENCE / file).write_text(page(), "utf-8")
