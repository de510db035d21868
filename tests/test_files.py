import hashlib
import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionbert.files import file_hash, fingerprint, replacing, write_json, write_text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


def test_a_file_appears_whole_with_its_folders(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b.txt"
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert temporary.parent == target.parent
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("there", [True, False])
def test_an_interruption_leaves_things_as_they_were(tmp_path: Path, error: BaseException, there: bool) -> None:
    target = tmp_path / "a.txt"
    if there:
        target.write_text("old")

    def write() -> None:
        with replacing(target) as temporary:
            temporary.write_text("ha")
            raise error

    with pytest.raises(type(error)):
        write()
    assert [path.read_text() for path in tmp_path.iterdir()] == (["old"] if there else [])


def test_texts_and_json(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "schön\n")
    assert (tmp_path / "a.txt").read_bytes() == "schön\n".encode()
    write_json(tmp_path / "a.json", {"größe": [1, 0.1 + 0.2]})
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"größe": [1, 0.1 + 0.2]}


def test_json_without_numbers_that_others_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=4), st.randoms())
def test_a_fingerprint_does_not_depend_on_the_order_of_keys(value: dict[str, object], chance: Random) -> None:
    keys = list(value)
    chance.shuffle(keys)
    assert fingerprint({key: value[key] for key in keys}) == fingerprint(value)


def test_fingerprints_tell_values_apart() -> None:
    values = [{}, [], None, 0, "0", {"a": 1}, {"a": "1"}, {"a": [1]}, ["a", 1], {"b": 1}]
    assert len({fingerprint(value) for value in values}) == len(values)
    assert fingerprint({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()[:16]


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(content)
    assert file_hash(tmp_path / "a") == hashlib.sha256(content).hexdigest()[:16]
