import json
from pathlib import Path

from fashionbert.bench.results import write_result


def test_the_same_command_writes_its_file_anew_and_another_leaves_it(tmp_path: Path) -> None:
    first = write_result(tmp_path, "scoring", "bench --tokens 16", "quality", {"figure": 1})
    assert write_result(tmp_path, "scoring", "bench --tokens 16", "quality", {"figure": 2}) == first
    other = write_result(tmp_path, "scoring", "bench --tokens 64", "quality", {"figure": 3})
    assert write_result(tmp_path, "scoring", "bench --tokens 64", "quality", {"figure": 4}) == other
    assert other.name == f"{first.stem}-2.json"
    assert [json.loads(path.read_text())["figure"] for path in (first, other)] == [2, 4]
