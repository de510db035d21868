"""Whole runs of a step or two."""

import copy
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from fashionbert.catalogue import Catalogue, RowFault
from fashionbert.config import Settings, settings_to_yaml
from fashionbert.errors import CatalogueError, NonFiniteLossError, RunError
from fashionbert.images.store import FeatureStore
from fashionbert.model import FashionBertModel
from fashionbert.scoring import Scorer, read_figures, read_settings
from fashionbert.training import Display
from fashionbert.training import loop as loop_module
from fashionbert.training import run as run_module
from fashionbert.training.checkpoint import Progress
from fashionbert.training.loop import Trainer
from fashionbert.training.record import read_metrics

Run: TypeAlias = Callable[..., Progress]
MakeSettings: TypeAlias = Callable[..., Settings]
TASKS = ("masked_words", "masked_patches", "alignment", "contrastive")
TWO_STEPS = {"training.epochs": 0.3, "training.validate_every": 9}
NOT_MINED = {"negatives.source": "random", "contrastive.queue": 0}


class Watched(Trainer):
    """Keeps the weights as they were before each step."""

    made: "list[Watched]" = []  # noqa: RUF012

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.before: list[dict[str, torch.Tensor]] = []
        Watched.made.append(self)

    def _step(self, step: int) -> dict[str, float]:
        self.before.append({name: value.clone() for name, value in self.module.state_dict().items()})
        return super()._step(step)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[Watched]:
    monkeypatch.setattr(run_module, "Trainer", Watched)
    Watched.made = []
    return Watched.made


def steps_of(folder: Path) -> list[dict[str, Any]]:
    return [line for line in read_metrics(folder / "training" / "metrics.jsonl") if "seconds" in line]


def test_a_run_leaves_a_whole_folder(run: Run, catalogue: Catalogue, world: Path, tmp_path: Path) -> None:
    flawed = copy.copy(catalogue)
    flawed.faults = (RowFault("train.csv row 7", "7", "empty-text", "give it one"),)
    changes = {**TWO_STEPS, "training.trackers": "[tensorboard]", "model.max_text_tokens": 20}
    progress = run(changes, catalogue=flawed, with_curves=True)
    folder = tmp_path / "run"
    assert progress.finished
    assert progress.step == len(steps_of(folder)) == 2
    assert read_figures(folder)["recall_at_1"] == progress.best
    assert read_settings(folder).training.batch_size == 12
    record = json.loads((folder / "run.json").read_text())
    assert record["training_rows"] > 40
    assert record["left_out"] == []
    assert record["set_aside"] == {"empty-text": 1}
    assert 0.5 < record["cut_texts"] <= 1
    assert len(record["data_hash"]) == 16
    with Image.open(folder / "training" / "curves.png") as picture:
        picture.load()
    picture = next((world / "images").rglob("*.jpg"))
    assert 0 < Scorer.from_pretrained(folder).score([("red dress", picture)])[0] < 1
    assert list((folder / "training").rglob("events.out.tfevents.*"))
    assert not list(folder.rglob("*.part"))


def test_what_is_written_down_at_each_step(run: Run, tmp_path: Path) -> None:
    run({**TWO_STEPS, "negatives.per_positive": 2})
    first, second = steps_of(tmp_path / "run")
    for task in TASKS:
        assert first[f"loss.{task}"] > 0
    assert sum(first[f"weight.{task}"] for task in TASKS) == pytest.approx(1.0, abs=1e-5)
    assert first["loss"] == pytest.approx(
        sum(first[f"weight.{task}"] * first[f"loss.{task}"] for task in TASKS), rel=1e-5
    )
    assert first["chance.alignment"] == pytest.approx(0.8959, abs=1e-4)  # (ln 2 + ln 3) / 2
    assert first["temperature"] == pytest.approx(0.07, rel=1e-4)
    assert (first["step"], second["step"]) == (1, 2)
    assert second["learning_rate"] < first["learning_rate"] == pytest.approx(1e-3)


@pytest.mark.parametrize(
    "tasks", [["alignment"], ["contrastive"], ["masked_words", "alignment"], ["alignment", "masked_patches"]]
)
def test_some_of_the_tasks(run: Run, tmp_path: Path, tasks: list[str]) -> None:
    changes = {"objectives.tasks": tasks, "negatives.source": "subcategory"}
    changes |= {"model.side_agreement": False, "model.bank_size": 0, "contrastive.queue": 0}
    contrastive = "contrastive" in tasks
    run({**changes, "model.contrastive_size": 16 * contrastive, "model.late_interaction_size": 8 * contrastive})
    (step,) = steps_of(tmp_path / "run")
    assert {name for name in step if name.startswith("loss.")} == {f"loss.{task}" for task in tasks}
    assert sum(step[f"weight.{task}"] for task in tasks) == pytest.approx(1.0)
    assert step["loss"] == pytest.approx(sum(step[f"weight.{task}"] * step[f"loss.{task}"] for task in tasks))


@pytest.mark.parametrize("scheme", ["paper", "released", "equal", "fixed", "uncertainty"])
def test_each_scheme_of_weights(run: Run, tmp_path: Path, scheme: str) -> None:
    fixed = {"objectives.fixed_weights": dict.fromkeys(TASKS, 2.0)} if scheme == "fixed" else {}
    run({"objectives.weights": scheme, **fixed})
    (step,) = steps_of(tmp_path / "run")
    weights = [step[f"weight.{task}"] for task in TASKS]
    assert sum(weights) == pytest.approx(1.0, abs=1e-5)
    assert (max(weights) - min(weights) > 1e-3) == (scheme in ("paper", "released"))


@pytest.mark.parametrize("changes", [{"training.precision": "fp32", "objectives.patch_drop_share": 0.5}, NOT_MINED])
def test_other_ways_of_reading(run: Run, tmp_path: Path, changes: dict[str, Any]) -> None:
    assert run(changes).finished
    assert np.isfinite(steps_of(tmp_path / "run")[0]["gradient_norm"])


BF16_ALONE = """
import sys
from pathlib import Path
from fashionbert.catalogue import open_catalogue
from fashionbert.config import settings_from_yaml
from fashionbert.images.store import FeatureStore
from fashionbert.training import Display, build_extractor, train

world, store, out, settings = map(Path, sys.argv[1:])
read = settings_from_yaml(settings)
extractor = build_extractor(read.images)
print(train(read, open_catalogue(world), FeatureStore.open(store), extractor, out, Display(quiet=True)).step)
"""


@pytest.mark.slow
def test_bf16_with_negatives_from_other_batches(
    make_settings: MakeSettings, world: Path, store: FeatureStore, tmp_path: Path
) -> None:
    """In a process of its own: accelerate keeps one precision a process."""
    settings = make_settings({**TWO_STEPS, "training.precision": "bf16", **NOT_MINED})
    (tmp_path / "settings.yaml").write_text(settings_to_yaml(settings))
    words = [world, store.folder, tmp_path / "run", tmp_path / "settings.yaml"]
    ended = subprocess.run(
        [sys.executable, "-c", BF16_ALONE, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert ended.stdout.strip() == "2", ended.stderr


def test_the_chance_line_of_single_pairs(run: Run, tmp_path: Path) -> None:
    run({**TWO_STEPS, "objectives.alignment": "pairs", "negatives.per_positive": 2})
    assert steps_of(tmp_path / "run")[0]["chance.alignment"] == pytest.approx(0.6365, abs=1e-4)


def test_mining_from_a_batch_of_one_group(run: Run, tmp_path: Path) -> None:
    """No queue and batches of one product: there is nobody to be mined from, so negatives are drawn."""
    changes = {
        "training.batch_size": 1,
        "training.cluster_size": 1,
        "contrastive.queue": 0,
        "negatives.per_positive": 1,
    }
    run({**changes, "training.epochs": 0.03})
    assert steps_of(tmp_path / "run")[0]["positive_share"] == 0.5


def test_a_finished_run_is_left_alone(run: Run, tmp_path: Path) -> None:
    first = run()
    before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.is_file()}
    assert run() == first
    assert {path: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.is_file()} == before


def test_the_contrastive_stage_comes_first(run: Run, tmp_path: Path) -> None:
    run({"training.epochs": 1, "training.contrastive_epochs": 0.5, "training.validate_every": 0.25})
    lines = read_metrics(tmp_path / "run" / "training" / "metrics.jsonl")
    alone = ["loss.alignment" not in line for line in lines if "seconds" in line]
    assert alone == sorted(alone, reverse=True)
    assert 0 < sum(alone) < len(alone)
    validations = [line for line in lines if "validation.recall_at_1" in line]
    assert "validation.pair.text_to_image" not in validations[0]
    assert "validation.pair.text_to_image" in validations[-1]


def test_patience(run: Run) -> None:
    """With a rate of nothing the model never gets better, so the second validation is one too many."""
    changes = {"training.epochs": 9, "training.learning_rate": 1e-30, "training.validate_every": 0.2}
    progress = run({**changes, "training.patience": 1, "training.warmup_share": 0})
    assert progress.finished
    assert progress.since_best == 1
    assert progress.step < 20


def test_nan_features_stop_the_run_before_the_weights_change(
    run: Run, watched: list[Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Watched):
        def _step(self, step: int) -> dict[str, float]:
            if step == 1:
                read = FeatureStore.read_rows
                monkeypatch.setattr(FeatureStore, "read_rows", lambda store, rows: read(store, rows) * np.nan)
            return super()._step(step)

    monkeypatch.setattr(run_module, "Trainer", Broken)
    with pytest.raises(NonFiniteLossError, match=r"step 1: loss \w+ = nan.*the weights are those of the step before"):
        run(TWO_STEPS)
    (trainer,) = watched
    assert len(trainer.before) == 2
    for name, value in trainer.module.state_dict().items():
        assert torch.equal(value, trainer.before[1][name])
    assert not torch.equal(
        trainer.before[1]["model.alignment_head.weight"], trainer.before[0]["model.alignment_head.weight"]
    )


def test_a_rate_that_is_far_too_large(run: Run) -> None:
    with pytest.raises(NonFiniteLossError, match=r"step 1: .*lower training\.learning_rate"):
        run({**TWO_STEPS, "training.learning_rate": 1e30})


def test_a_gradient_that_is_no_number_stops_the_run_too(
    run: Run, watched: list[Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    weigh = loop_module.weigh

    def with_a_hole(*arguments: Any, **named: Any) -> Any:
        total, weights = weigh(*arguments, **named)
        return total + (total - total).sqrt(), weights  # 0, and its derivative infinite

    monkeypatch.setattr(loop_module, "weigh", with_a_hole)
    with pytest.raises(NonFiniteLossError, match=r"step 0: gradient norm = nan"):
        run()
    (trainer,) = watched
    moved = {
        name for name, value in trainer.module.state_dict().items() if not torch.equal(value, trainer.before[0][name])
    }
    # Set by the first pairs themselves, before any gradient.
    assert moved <= {
        "model.side_agreement.threshold",
        "model.side_agreement.started",
        "model.bank.texts",
        "model.bank.pictures",
    }


@pytest.mark.parametrize(("warmup", "warned"), [(1, False), (2, True), (5000, True)])
def test_a_run_that_is_all_warm_up_says_so(run: Run, warmup: int, warned: bool) -> None:
    file = io.StringIO()
    run({**TWO_STEPS, "training.warmup_steps": warmup}, display=Display(Console(file=file, width=300)))
    assert ("warning: all 2 steps are warm-up" in file.getvalue()) == warned


def test_accumulated_gradients_are_the_mean(run: Run, watched: list[Watched]) -> None:
    run({"contrastive.queue": 0, "model.dropout": 0.0, "model.patch_dropout": 0.0})
    (trainer,) = watched
    first, second = np.arange(12), np.arange(12, 24)

    def gradients(*batches: tuple[int, np.ndarray], share: float) -> dict[str, torch.Tensor]:
        trainer.module.zero_grad()
        for number, rows in batches:
            trainer._backward(0, number, rows, share)
        return {name: value.grad.clone() for name, value in trainer.module.named_parameters() if value.grad is not None}

    one, two = gradients((0, first), share=1.0), gradients((1, second), share=1.0)
    both = gradients((0, first), (1, second), share=0.5)
    assert len(both) > 20
    for name, gradient in both.items():
        torch.testing.assert_close(gradient, (one[name] + two[name]) / 2, atol=1e-6, rtol=1e-4)


@pytest.mark.slow
def test_one_checkpoint_learns_both_forms(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words and patches are apart in the first of two layers in some steps, and in none in others."""
    seen: list[int] = []
    weigh = loop_module.weigh

    def watching(*arguments: Any, **named: Any) -> Any:
        seen.append(forms[-1])
        return weigh(*arguments, **named)

    forms = [0]
    join = FashionBertModel.join

    def joined(model: FashionBertModel, *arguments: Any, **named: Any) -> Any:
        forms.append(model.split_layers)
        return join(model, *arguments, **named)

    monkeypatch.setattr(FashionBertModel, "join", joined)
    monkeypatch.setattr(loop_module, "weigh", watching)
    run({"model.layers": 2, "model.fast_split_layers": 1, "training.epochs": 2, "training.validate_every": 9})
    assert set(seen) == {0, 1}
    assert Scorer.from_pretrained(tmp_path / "run", speed="split").pace.split_layers == 1
    assert Scorer.from_pretrained(tmp_path / "run").pace.split_layers == 0


def test_accumulation_takes_fewer_steps(run: Run, tmp_path: Path) -> None:
    run({"training.epochs": 1, "training.validate_every": 9})
    run({"training.epochs": 1, "training.validate_every": 9, "training.accumulation": 2}, tmp_path / "other")
    assert len(steps_of(tmp_path / "other")) == len(steps_of(tmp_path / "run")) // 2


def test_the_products_of_a_step_are_counted(run: Run, tmp_path: Path) -> None:
    """Batches larger than the catalogue; steps of two batches, whose last one is smaller."""
    run({"training.batch_size": 10_000, "training.epochs": 1})
    rows = json.loads((tmp_path / "run" / "run.json").read_text())["training_rows"]
    assert [step["products"] for step in steps_of(tmp_path / "run")] == [rows]
    run({"training.batch_size": rows // 2 + 1, "training.accumulation": 2, "training.epochs": 1}, tmp_path / "two")
    assert [step["products"] for step in steps_of(tmp_path / "two")] == [rows]


def test_features_are_standardised(run: Run, watched: list[Watched]) -> None:
    run()
    (trainer,) = watched
    patches = trainer.module.model.fashionbert.patch_embeddings
    every = trainer.training.read_features(np.arange(len(trainer.training))).reshape(-1, 12).astype(np.float64)
    np.testing.assert_allclose(patches.feature_mean.numpy(), every.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(patches.feature_deviation.numpy(), every.std(axis=0), atol=1e-4)


def test_other_settings_are_refused_by_name(run: Run) -> None:
    run()
    with pytest.raises(RunError) as caught:
        run({"training.learning_rate": 0.5, "model.width": 64})
    assert "model.width was 32, is now 64; training.learning_rate was 0.001, is now 0.5" in str(caught.value)
    assert "another --out for a new run" in str(caught.value)
    assert run({"training.checkpoint_minutes": 9.0}).finished


def test_another_catalogue_is_refused(run: Run, catalogue: Catalogue) -> None:
    run()
    with pytest.raises(RunError, match=r"holds a run of another catalogue: its data hash is [0-9a-f]{16}, that of"):
        run(catalogue=catalogue.subset(np.arange(len(catalogue) - 1)))


def test_a_folder_that_was_only_begun_is_begun_anew(run: Run, tmp_path: Path) -> None:
    """Killed while the tokenizer was being written: the record that is written last is missing."""
    run()
    folder = tmp_path / "run"
    for path in (folder / "processor_config.json", folder / "patch_extractor.json", folder / "model.safetensors"):
        path.unlink()
    for checkpoint in (folder / "training").glob("checkpoint-*/*"):
        checkpoint.unlink()
        checkpoint.parent.rmdir() if not list(checkpoint.parent.iterdir()) else None
    (folder / "tokenizer.json").write_text((folder / "tokenizer.json").read_text()[:100])
    assert run().finished
    assert Scorer.from_pretrained(folder).has_vectors


def test_a_catalogue_without_features(run: Run, catalogue: Catalogue, make_features: Callable[..., Any]) -> None:
    store = make_features(["stranger"], patches=16, size=12)
    with pytest.raises(CatalogueError, match="has patch features"):
        run(store=store, catalogue=catalogue)


def test_a_single_group_cannot_be_trained_on(run: Run, catalogue: Catalogue) -> None:
    splits = np.asarray(catalogue.column("split"))
    rows = [*np.flatnonzero(splits == "train")[:1], *np.flatnonzero(splits == "validation")]
    with pytest.raises(CatalogueError, match="split 'train' is a single group"):
        run(catalogue=catalogue.subset(rows))


@pytest.mark.parametrize(("limit", "warned"), [(20, True), (400, False)])
def test_a_run_that_cuts_its_texts_says_so(run: Run, limit: int, warned: bool) -> None:
    file = io.StringIO()
    run({**TWO_STEPS, "model.max_text_tokens": limit}, display=Display(Console(file=file, width=300)))
    assert (f"are cut at model.max_text_tokens = {limit} WordPieces" in file.getvalue()) == warned
