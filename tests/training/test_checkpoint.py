import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim import AdamW

from fashionbert.errors import RunError
from fashionbert.files import fingerprint
from fashionbert.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from fashionbert.training.queue import VectorQueue

CPU = torch.device("cpu")


def make_parts(seed: int = 0, width: int = 3) -> tuple[nn.Module, AdamW]:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(width, 4), nn.Linear(4, 1))
    return module, AdamW(
        [{"params": module[0].parameters(), "peak": 0.1}, {"params": module[1].parameters(), "peak": 0.2}], lr=0.01
    )


def learn(module: nn.Module, optimizer: AdamW, steps: int) -> None:
    for step in range(steps):
        optimizer.zero_grad()
        module(torch.full((2, 3), 1.0 + step)).square().sum().backward()
        optimizer.step()


def queue_of(count: int) -> VectorQueue:
    rows = torch.arange(count)
    return VectorQueue(rows, rows + 1, torch.rand(count, 2), torch.rand(count, 2))


def test_learning_goes_on_to_the_last_bit(tmp_path: Path) -> None:
    module, optimizer = make_parts()
    learn(module, optimizer, 3)
    queue, progress = queue_of(4), Progress(step=3, best=0.25, since_best=1, pairs_begun=True)
    save_checkpoint(tmp_path, module, optimizer, [queue], progress)
    learn(module, optimizer, 2)
    other, other_optimizer = make_parts(seed=9)
    resumed = load_checkpoint(tmp_path, other, other_optimizer, CPU)
    assert resumed is not None
    assert resumed[0] == progress
    for name in ("rows", "groups", "texts", "pictures"):
        assert torch.equal(getattr(resumed[1], name), getattr(queue, name))
    learn(other, other_optimizer, 2)
    for name, value in module.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)
    assert [group["peak"] for group in other_optimizer.param_groups] == [0.1, 0.2]


def test_only_the_newest_is_kept(tmp_path: Path) -> None:
    module, optimizer = make_parts()
    for step in (9, 10, 100):
        save_checkpoint(tmp_path, module, optimizer, [queue_of(0)], Progress(step=step))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-00000100"]


def test_nothing_to_go_on_from(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "training", *make_parts(), CPU) is None


def test_a_half_written_checkpoint_is_not_taken_for_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, optimizer = make_parts()
    save_checkpoint(tmp_path, module, optimizer, [queue_of(0)], Progress(step=1))

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("fashionbert.training.checkpoint._queue_tensors", full_disk)
        with pytest.raises(OSError, match="No space left"):
            save_checkpoint(tmp_path, module, optimizer, [queue_of(0)], Progress(step=2))
    resumed = load_checkpoint(tmp_path, *make_parts(), CPU)
    assert resumed is not None
    assert resumed[0].step == 1
    save_checkpoint(tmp_path, module, optimizer, [queue_of(0)], Progress(step=2))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-00000002"]


@pytest.mark.parametrize("name", ["module.safetensors", "optimizer.safetensors", "queue.safetensors", "progress.json"])
def test_a_broken_checkpoint(tmp_path: Path, name: str) -> None:
    module, optimizer = make_parts()
    learn(module, optimizer, 1)
    save_checkpoint(tmp_path, module, optimizer, [queue_of(1)], Progress(step=7))
    path = tmp_path / "checkpoint-00000007" / name
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(RunError, match=r"checkpoint-00000007 is broken or of another model .*: remove it to start"):
        load_checkpoint(tmp_path, *make_parts(), CPU)


def test_a_checkpoint_of_another_model(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, *make_parts(), [queue_of(0)], Progress(step=7))
    with pytest.raises(RunError, match="of another model"):
        load_checkpoint(tmp_path, *make_parts(width=5), CPU)


def test_progress_of_another_version(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, *make_parts(), [queue_of(0)], Progress(step=7))
    path = tmp_path / "checkpoint-00000007" / "progress.json"
    record = json.loads(path.read_text())
    del record["hash"]
    record["mood"] = "good"
    path.write_text(json.dumps({**record, "hash": fingerprint(record)}))
    with pytest.raises(RunError, match="mood"):
        load_checkpoint(tmp_path, *make_parts(), CPU)


@pytest.mark.parametrize("name", ["module.safetensors", "progress.json"])
def test_an_edited_checkpoint_is_refused(tmp_path: Path, name: str) -> None:
    """Another run's weights of the same shape, or another number of steps, load without a fault of their own."""
    for folder, step in ((tmp_path / "a", 7), (tmp_path / "b", 8)):
        module, optimizer = make_parts()
        torch.nn.init.constant_(next(module.parameters()), float(step))
        save_checkpoint(folder, module, optimizer, [queue_of(0)], Progress(step=step))
    mine = tmp_path / "a" / "checkpoint-00000007" / name
    mine.write_bytes((tmp_path / "b" / "checkpoint-00000008" / name).read_bytes())
    with pytest.raises(RunError, match="edited"):
        load_checkpoint(tmp_path / "a", *make_parts(), torch.device("cpu"))


def test_what_a_killed_run_left_half_written_goes_away(tmp_path: Path) -> None:
    (tmp_path / ".checkpoint-00000003.part").mkdir()
    save_checkpoint(tmp_path, *make_parts(), [queue_of(0)], Progress(step=7))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-00000007"]
