import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fashionbert.errors import ProtocolError
from fashionbert.evaluation.candidate_files import file_name, read_candidates, write_candidates
from fashionbert.evaluation.gallery import Gallery
from fashionbert.evaluation.protocols import DIRECTIONS, CandidateLists, Direction, draw_candidates
from fashionbert.files import fingerprint


@pytest.fixture
def lists(small_gallery: Gallery) -> CandidateLists:
    return draw_candidates(small_gallery, "subcategory-101", "image_to_text", queries=4, seed=5)


@pytest.fixture
def path(tmp_path: Path, small_gallery: Gallery, lists: CandidateLists) -> Path:
    write_candidates(tmp_path / file_name(lists), small_gallery, lists)
    return tmp_path / file_name(lists)


def edit(path: Path, change: Callable[[list[Any]], None], *, sealed: bool = True) -> None:
    """Change the lines of a file; ``sealed``: with a hash that fits them again."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    change(lines)
    if sealed:
        lines[0]["lists"] = fingerprint(lines[1:])
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_what_is_written_is_read(tmp_path: Path, large_gallery: Gallery, direction: Direction) -> None:
    lists = draw_candidates(large_gallery, "random-101", direction, queries=20, seed=3)
    write_candidates(tmp_path / "lists.jsonl", large_gallery, lists)
    read = read_candidates(tmp_path / "lists.jsonl", large_gallery)
    assert (read.protocol, read.direction, read.seed) == ("random-101", direction, 3)
    assert np.array_equal(read.queries, lists.queries)
    assert np.array_equal(read.candidates, lists.candidates)


def test_the_file_is_plain(path: Path, small_gallery: Gallery, lists: CandidateLists) -> None:
    assert path.name == "subcategory-101.image_to_text.seed5.jsonl"
    header, first, *rest = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert header["data"] == small_gallery.fingerprint
    assert first["query"] == first["candidates"][0] == small_gallery.product_ids[lists.queries[0]]
    assert len(rest) == 3


def test_lists_of_other_data_are_refused(path: Path, large_gallery: Gallery) -> None:
    with pytest.raises(ProtocolError, match="drawn from other data"):
        read_candidates(path, large_gallery)


def test_an_edited_file_is_refused(path: Path, small_gallery: Gallery) -> None:
    edit(path, lambda lines: lines[1]["candidates"].pop(), sealed=False)
    with pytest.raises(ProtocolError, match="the file was edited or cut short"):
        read_candidates(path, small_gallery)


def test_all_faults_are_listed_at_once(path: Path, small_gallery: Gallery) -> None:
    def spoil(lines: list[Any]) -> None:
        lines[0] |= {"protocol": "easy-5", "direction": "sideways", "seed": "x", "format": "other"}
        lines[1] = {"query": "c", "candidates": ["c", "a", "a"]}
        lines[2] = {"query": "a", "candidates": ["c", "b", "zz"]}
        lines[3] = {"query": "c", "candidates": ["c", *("d" * 101)]}
        lines[4] = {"query": "d", "candidates": ["d", "e"]}

    edit(path, spoil)
    with pytest.raises(ProtocolError) as error:
        read_candidates(path, small_gallery)
    text = str(error.value)
    for fault in [
        "protocol is 'easy-5', not one of random-101, subcategory-101",
        "direction is 'sideways', not one of text_to_image, image_to_text",
        "seed is 'x', not a whole number",
        "format is 'other', not 'fashionbert-candidates-1'",
        "line 2: listed twice: a",
        "line 3: not in the gallery: zz",
        "line 3: the first candidate is not the query 'a' itself",
        "line 3: of the query's own group: b",
        "line 4: 102 candidates, more than 101",
        "query 'c' is asked 2 times",
    ]:
        assert fault in text


def test_many_faults_are_counted(path: Path, small_gallery: Gallery) -> None:
    edit(path, lambda lines: lines.extend({"query": f"z{n}", "candidates": [f"z{n}"]} for n in range(50)))
    with pytest.raises(ProtocolError, match="and 30 more"):
        read_candidates(path, small_gallery)


@pytest.mark.parametrize(
    "content", [b"", b"{}\n", b"[1]\n[2]\n", b"not json", b"\xff\xfe", b'{"a": 1}\n{"query": 3}\n']
)
def test_what_is_no_candidate_file_is_refused(tmp_path: Path, small_gallery: Gallery, content: bytes) -> None:
    (tmp_path / "lists").write_bytes(content)
    with pytest.raises(ProtocolError, match="is no candidate file"):
        read_candidates(tmp_path / "lists", small_gallery)
    with pytest.raises(ProtocolError, match="is no candidate file"):
        read_candidates(tmp_path / "absent", small_gallery)
