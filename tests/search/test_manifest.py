"""index.json."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fashionbert.errors import SearchIndexError
from fashionbert.search.manifest import Manifest

MANIFEST = Manifest(
    model="runs/a",
    model_fingerprint="1234",
    precision="fp32",
    record_bytes=100,
    vector_size=8,
    recall_fingerprint="1234",
)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path)
    assert Manifest.read(tmp_path) == MANIFEST


def test_a_folder_without_one_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(SearchIndexError, match=r"has no index\.json; make one: `fashionbert index"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"format": 1}', '{"format": 1, "model": "a", "nobody": 1}', '{"model": "a"}']
)
def test_what_is_broken_or_edited(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(SearchIndexError, match="broken or edited"):
        Manifest.read(tmp_path)


def test_another_format(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path)
    values = json.loads((tmp_path / "index.json").read_text())
    (tmp_path / "index.json").write_text(json.dumps({**values, "format": 99}))
    with pytest.raises(SearchIndexError, match="format 99"):
        Manifest.read(tmp_path)


def test_every_difference_is_named_but_the_place_of_the_model(tmp_path: Path) -> None:
    MANIFEST.refuse_other(replace(MANIFEST, model="elsewhere"), tmp_path)
    with pytest.raises(SearchIndexError) as raised:
        MANIFEST.refuse_other(replace(MANIFEST, model_fingerprint="5678", precision="bf16", vector_size=9), tmp_path)
    for part in (
        "model_fingerprint is '1234', now '5678'",
        "precision is 'fp32', now 'bf16'",
        "vector_size is 8, now 9",
    ):
        assert part in str(raised.value)
