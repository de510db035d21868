"""Fine-tune on a click log (paper section 3.4).

What a step draws depends on the run's seed and the step's number alone, so a run resumes exactly.
"""

import math
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as nnf
from torch.optim import Optimizer

from fashionbert.config import Settings
from fashionbert.data import epoch_batches
from fashionbert.data.clicks import ClickRows
from fashionbert.errors import NonFiniteLossError
from fashionbert.evaluation.matching import MatchingFigures, matching_figures
from fashionbert.evaluation.protocols import MatchingPairs
from fashionbert.files import only_writer
from fashionbert.model.clicks import ClickModel
from fashionbert.scoring.clicks import ClickReader
from fashionbert.scoring.probability import fit_line
from fashionbert.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from fashionbert.training.display import Display
from fashionbert.training.optimizer import build_optimizer, rate_factor, set_rate, warmup_steps
from fashionbert.training.queue import VectorQueue
from fashionbert.training.record import MetricsFile

METRICS = "metrics.jsonl"
_ROWS_OF_LINE = 1024


def fit_clicks(model: ClickModel, rows: ClickRows, reader: ClickReader, folder: Path, display: Display) -> ClickModel:
    """Train to the end; a run that was stopped goes on from its last checkpoint.

    Args:
        model: to start from; it is changed.
        rows: to learn from.
        reader: of the run's settings.
        folder: for metrics and checkpoints.
        display: shows how far the run is.

    Returns:
        The model.

    Raises:
        NonFiniteLossError: the loss is NaN or infinite; the weights are those of the step before.
        RunError: the checkpoint is of another model.
    """
    settings, training = reader.settings, reader.settings.training
    optimizer = build_optimizer(model.to(reader.device), training, pretrained=False)
    found = load_checkpoint(folder, model, optimizer, reader.device)
    progress = Progress() if found is None else found[0]
    if found is None:
        start_at_similarity(model, rows, reader)
    steps_an_epoch = len(_batches(settings, rows, 0))
    steps = max(1, round(training.epochs * steps_an_epoch))
    rise = warmup_steps(training, steps)
    metrics, saved_at, planned = MetricsFile(folder / METRICS, progress.step), time.monotonic(), -1
    batches: list[NDArray[np.int64]] = []
    try:
        with only_writer(folder), display.training(steps, progress.step):
            while not progress.finished:
                started = time.monotonic()
                epoch, place = divmod(progress.step, steps_an_epoch)
                if epoch != planned:
                    batches, planned = _batches(settings, rows, epoch), epoch
                set_rate(optimizer, rate_factor(progress.step, steps, rise))
                loss = _step(model, optimizer, rows, reader, batches[place], progress.step)
                progress.step += 1
                progress.finished = progress.step >= steps
                seconds = time.monotonic() - started
                figures = {"loss.clicks": loss, "products": len(batches[place]), "seconds": seconds}
                metrics.write({"step": progress.step, **figures})
                display.step(progress.step, figures)
                if progress.finished or time.monotonic() - saved_at > 60 * training.checkpoint_minutes:
                    save_checkpoint(folder, model, optimizer, [VectorQueue.empty(0, reader.device)], progress)
                    saved_at = time.monotonic()
    finally:
        metrics.close()
    return model


def start_at_similarity(model: ClickModel, rows: ClickRows, reader: ClickReader) -> None:
    """Let a model with side agreement start with what its vectors say of clicks, by a line through some rows.

    They were learnt from whole descriptions. How alike a short query and a picture are when it is clicked on is another
    number, too far away for a learning rate to reach.

    Args:
        model: to start from; the two numbers of its side agreement are changed.
        rows: to learn from.
        reader: of the run's settings.
    """
    agreement, generator = model.matching.side_agreement, np.random.default_rng(reader.settings.training.seed)
    drawn = generator.permutation(len(rows))[:_ROWS_OF_LINE]  # a log may be sorted by what was clicked on
    clicked = rows.clicked[drawn]
    if agreement is None or clicked.all() or not clicked.any():
        return
    model.eval()
    size = reader.settings.evaluation.batch_size
    parts = [drawn[start : start + size] for start in range(0, len(drawn), size)]
    slope, offset = fit_line(np.concatenate([reader.similarities(model, rows, part) for part in parts]), clicked)
    if slope > 0:  # otherwise they say nothing of clicks
        agreement.start_with(slope, -offset / slope)


def measure_clicks(scores_N: NDArray[np.float32], rows: ClickRows, settings: Settings) -> MatchingFigures:
    """Accuracy at 0.5, ROC AUC and the rest, each with its 95 % interval over sessions."""
    places = np.arange(len(rows))
    pairs = MatchingPairs(texts=places, pictures=places, labels=rows.clicked, anchors=rows.sessions)
    generator = np.random.default_rng(settings.evaluation.seed)
    return matching_figures(pairs, scores_N, probabilities=True, resamples=settings.evaluation.bootstrap, rng=generator)


def _batches(settings: Settings, rows: ClickRows, epoch: int) -> list[NDArray[np.int64]]:
    generator = np.random.default_rng([settings.training.seed, epoch])
    lengths = rows.lengths if settings.clicks.variable_length else np.ones(len(rows), np.int64)
    return epoch_batches(lengths, settings.training.batch_size, generator)


def _step(
    model: ClickModel, optimizer: Optimizer, rows: ClickRows, reader: ClickReader, places: NDArray[np.int64], step: int
) -> float:
    training = reader.settings.training
    torch.manual_seed(int(np.random.default_rng([training.seed, step]).integers(2**63)))  # for dropout
    model.train()
    labels_B = torch.from_numpy(rows.clicked[places].astype(np.int64)).to(reader.device)
    loss = nnf.cross_entropy(reader.logits(model, rows, places), labels_B)
    optimizer.zero_grad()
    loss.backward()
    norm = float(nn.utils.clip_grad_norm_(model.parameters(), training.clip_norm))
    if not math.isfinite(loss.item()) or not math.isfinite(norm):
        raise NonFiniteLossError(
            f"step {step}: loss = {loss.item()}, gradient norm = {norm}; the weights are those of the step before. "
            "Train into another --out with a lower training.learning_rate or with training.precision=fp32"
        )
    optimizer.step()
    return loss.item()
