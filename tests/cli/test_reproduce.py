import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

Command: TypeAlias = Callable[..., tuple[int, str, str]]


def test_the_scoring_fault(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    code, printed, _ = command("reproduce", "scoring-fault")
    assert code == 0
    rows = [[cell.strip() for cell in line.split("│")[2:-1]] for line in printed.splitlines() if "→" in line]
    assert rows[0] == ["right ranks", "444", "845", "942", "1000", "1000"]
    assert rows[1] == ["scored their way", "0.243", "0.463", "0.516", "0.548", "1826"]
    assert rows[2] == ["printed", "0.243", "0.463", "0.516", "0.548", ""]
    assert rows[3] == ["corrected, %", "44.4", "84.5", "94.2", "100.0", "1000"]
    assert rows[5] == ["scored their way", "0.289", "0.480", "0.521", "0.560", "1786"]
    assert rows[7] == ["corrected, %", "51.7", "85.7", "93.1", "100.0", "1000"]


@pytest.mark.shared
def test_parity_with_the_authors_code(command: Command, shared: Path, tmp_path: Path) -> None:
    theirs = shared / "parity" / "easytransfer_tiny"
    out = tmp_path / "parity.json"
    code, printed, _ = command("reproduce", "parity", str(theirs), str(theirs / "case.npz"), "--out", str(out))
    assert code == 0
    found = json.loads(out.read_text("utf-8"))["largest_difference"]
    assert len(found) == 11
    assert all(name in printed for name in found)
    assert max(found.values()) < 1e-5


def test_a_dump_without_inputs_is_refused(command: Command, tmp_path: Path) -> None:
    np.savez(tmp_path / "case.npz", input_ids=np.zeros((1, 4), np.int64))
    code, _, said = command("reproduce", "parity", str(tmp_path), str(tmp_path / "case.npz"))
    assert code == 2
    assert "lacks inputs" in said
    assert "image_feature" in said
    (tmp_path / "case.npz").write_bytes(b"text")
    assert command("reproduce", "parity", str(tmp_path), str(tmp_path / "case.npz"))[0] == 2
