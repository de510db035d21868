import errno
import fcntl
import gc
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionbert import files
from fashionbert.errors import FolderInUseError
from fashionbert.files import (
    Reading,
    file_hash,
    fingerprint,
    only_writer,
    replacing,
    replacing_folder,
    write_json,
    write_text,
)

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


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_takes_the_place_of_another(tmp_path: Path, there: bool) -> None:
    target = tmp_path / "a" / "b"
    if there:
        target.mkdir(parents=True)
        (target / "old").write_text("old")
    with replacing_folder(target) as folder:
        (folder / "new").write_text("new")
        assert not (target / "new").exists()
        with pytest.raises(FolderInUseError), replacing_folder(target):
            pass
    assert content(tmp_path) == {"a/b/new": "new"}
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_stays_as_it_was(tmp_path: Path, there: bool) -> None:
    target = tmp_path / "a"
    if there:
        target.mkdir()
        (target / "old").write_text("old")

    def write() -> None:
        with replacing_folder(target) as folder:
            (folder / "new").write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert content(tmp_path) == ({"a/old": "old"} if there else {})
    assert list(tmp_path.iterdir()) == ([target] if there else [])


def test_what_a_killed_process_left_of_a_folder(tmp_path: Path) -> None:
    """It was killed between the two renames: the old folder has been put aside, the new one is whole."""
    for name in (".a.old", ".a.part"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "file").write_text(name)
    with replacing_folder(tmp_path / "a") as folder:
        assert content(tmp_path) == {"a/file": ".a.old"}
        (folder / "new").write_text("new")
    assert content(tmp_path) == {"a/new": "new"}
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


HOLD = """
import sys
from pathlib import Path
from fashionbert.files import only_writer

with only_writer(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


def test_one_writer_at_a_time_and_a_killed_one_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"mine\n"
        with pytest.raises(FolderInUseError, match="run is being written to by another process"), only_writer(folder):
            pytest.fail("two writers")
        other.kill()
        other.wait()
        with only_writer(folder):
            assert list(folder.iterdir()) == []


def test_a_writer_may_come_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), only_writer(tmp_path):
        raise KeyError
    with only_writer(tmp_path), only_writer(tmp_path / "inner"):
        assert (tmp_path / "inner").is_dir()


@pytest.mark.parametrize("locks", ["unknown to the system", "unknown to the file system"])
def test_without_locks_one_writes_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locks: str) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    if locks == "unknown to the system":
        monkeypatch.setattr(files, "fcntl", None)
    else:
        monkeypatch.setattr(files.fcntl, "flock", refused)
    with only_writer(tmp_path), only_writer(tmp_path):
        write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"


def test_a_reader_knows_whether_it_is_alone(tmp_path: Path) -> None:
    one, other = Reading(tmp_path), Reading(tmp_path)
    for reading in (one, other):  # a look changes nothing
        with reading.alone() as alone:
            assert not alone
    del other, reading
    gc.collect()
    opened = os.open(tmp_path, os.O_RDONLY)
    with one.alone() as alone:
        assert alone
        with pytest.raises(BlockingIOError):  # who comes now waits
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    with one.alone() as alone:
        assert not alone
    os.close(opened)


def test_where_nobody_is_seen_nobody_is_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Reading(tmp_path / "not there").alone() as alone:
        assert not alone
    reading = Reading(tmp_path)
    monkeypatch.setattr(files, "fcntl", None)
    for each in (reading, Reading(tmp_path)):
        with each.alone() as alone:
            assert not alone


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
