import json
from pathlib import Path

import pytest
from PIL import Image

from fashionbert.errors import RunError
from fashionbert.training.curves import draw_curves
from fashionbert.training.record import MetricsFile, read_metrics


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "training" / "metrics.jsonl"


def test_lines_are_on_the_disk_at_once(path: Path) -> None:
    metrics = MetricsFile(path, 0)
    metrics.write({"step": 1, "loss": 0.1 + 0.2})
    assert read_metrics(path) == [{"step": 1, "loss": 0.30000000000000004}]
    metrics.close()


def test_going_on_removes_what_came_after_the_checkpoint(path: Path) -> None:
    metrics = MetricsFile(path, 0)
    for step in range(1, 6):
        metrics.write({"step": step})
    metrics.close()
    with path.open("a") as file:
        file.write('{"step": 6, "lo')
    metrics = MetricsFile(path, 3)
    metrics.write({"step": 4, "again": True})
    metrics.close()
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n{"step": 3}\n{"step": 4, "again": true}\n'


def test_a_line_that_a_kill_cut_short_ends_the_reading(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"step": 1}\n{"step": 2, "loss": 0.')
    assert read_metrics(path) == [{"step": 1}]


@pytest.mark.parametrize("foreign", ["my notes\n", "[1]\n", '{"loss": 1}\n', "\xff\n", '{"step": "1"}\n'])
def test_a_file_that_is_not_ours_is_left_alone(path: Path, foreign: str) -> None:
    path.parent.mkdir()
    path.write_text('{"step": 1}\n' + foreign, "latin-1")
    with pytest.raises(RunError, match=r"metrics.jsonl, line 2, is no line of a run's metrics.*move the file away"):
        MetricsFile(path, 5)
    assert path.read_text("latin-1") == '{"step": 1}\n' + foreign


@pytest.mark.parametrize("tasks", [["alignment"], ["masked_words", "masked_patches", "alignment", "contrastive"], []])
def test_curves(path: Path, tasks: list[str]) -> None:
    path.parent.mkdir()
    lines = []
    for step in range(1, 9):
        line = {"step": step, "epoch": step / 4, "learning_rate": 1e-3 / step}
        for task in tasks:
            line |= {f"loss.{task}": 1.0 / step, f"weight.{task}": 1 / len(tasks), "chance.alignment": 0.69}
        lines.append(line)
    for system in ("vectors", "pair") if tasks else ():
        names = [f"validation.{system}.{direction}" for direction in ("text_to_image", "image_to_text")]
        lines.extend({"step": 8, "epoch": 2.0, name: 0.4} for name in names)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    draw_curves(path, path.with_name("curves.png"))
    with Image.open(path.with_name("curves.png")) as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.size == (1210, 825)
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 20
    assert [file.name for file in sorted(path.parent.iterdir())] == ["curves.png", "metrics.jsonl"]
