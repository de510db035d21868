from collections.abc import Callable
from typing import TypeAlias

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
