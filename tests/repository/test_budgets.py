"""Files that stay small enough to be read in one go (CONTRIBUTING.md)."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

SOURCES = sorted((Path(__file__).parents[2] / "src" / "fashionbert").rglob("*.py"))


def functions_of(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.name}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def test_lines_a_file() -> None:
    lines = {str(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {path: count for path, count in lines.items() if count > 400} == {}
    assert statistics.median(lines.values()) <= 120


def test_lines_a_function() -> None:
    lengths = [found for path in SOURCES for found in functions_of(path)]
    assert [(name, count) for name, count in lengths if count > 80] == []
    assert sum(count <= 40 for _, count in lengths) > 0.5 * len(lengths)
