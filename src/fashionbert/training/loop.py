"""The training loop.

What a step draws depends on the run's seed and the step's number alone, so a run resumes exactly.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, broadcast_object_list, gather_object
from numpy.typing import NDArray
from torch.nn.attention import SDPBackend, sdpa_kernel

from fashionbert.arithmetic import autocast, resolved
from fashionbert.config import Settings
from fashionbert.data import Examples, NegativeSampler, epoch_batches
from fashionbert.errors import NonFiniteLossError, SettingsError
from fashionbert.evaluation.gallery import Gallery
from fashionbert.memory import GrowthLimit
from fashionbert.scoring import FashionBertProcessor, Scorer, save_weights
from fashionbert.training.banking import fill_bank
from fashionbert.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from fashionbert.training.curves import draw_curves
from fashionbert.training.display import Display
from fashionbert.training.drawing import PairDrawer, step_generator
from fashionbert.training.optimizer import build_optimizer, rate_factor, set_rate, warmup_steps
from fashionbert.training.queue import VectorQueue
from fashionbert.training.reading import DrawnPairs
from fashionbert.training.record import MetricsFile
from fashionbert.training.step import PreTrainingStep, StepOutput, Vectors
from fashionbert.training.validation import draw_validation_lists, validate
from fashionbert.training.weighing import weigh

METRICS = "metrics.jsonl"


class Trainer:
    """One run: model, data and how far it is."""

    def __init__(
        self,
        settings: Settings,
        module: PreTrainingStep,
        processor: FashionBertProcessor,
        training: Examples,
        validation: Examples,
        gallery: Gallery,
        folder: Path,
        display: Display,
        *,
        cpu: bool = False,
    ) -> None:
        """Take everything ready-made; :func:`fashionbert.training.run.train` makes it.

        Args:
            settings: of the run.
            module: model and tasks.
            processor: tokenizer and extractor, for validation.
            training: training split, a row for each picture.
            validation: validation split, a row for each product, in the gallery's order.
            gallery: validation split, as the protocols know it.
            folder: the run folder.
            display: shows how far the run is.
            cpu: train on the CPU even where there is a GPU.
        """
        self.accelerator = Accelerator(
            cpu=cpu or not torch.cuda.is_available(),
            mixed_precision="no",  # accelerate would keep a first run's precision for all later ones of the process
            log_with=list(settings.training.trackers) or None,
            project_dir=folder / "training",
            # Which heads take part differs from step to step: none of the pair tasks while contrastive is alone.
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
        self.settings, self.processor, self.folder, self.display = settings, processor, folder, display
        self.training, self.validation = training, validation
        self.lists = draw_validation_lists(gallery, settings.training.validation_queries)
        optimizer = build_optimizer(module, settings.training, pretrained=settings.model.backbone is not None)
        self.progress = Progress()
        self.queue = VectorQueue.empty(settings.model.contrastive_size, self.accelerator.device)
        device, process = self.accelerator.device, self.accelerator.process_index
        resumed = load_checkpoint(folder / "training", module, optimizer, device, process)
        if resumed is not None:
            self.progress, self.queue = resumed
        self.module = module
        if module.teacher is not None:
            module.teacher.to(device)
        self.wrapped, self.optimizer = self.accelerator.prepare(module, optimizer)
        sampler = NegativeSampler(training.groups, training.subcategories, training.texts.lengths)
        self.drawer = PairDrawer(settings, training, processor.tokenizer, sampler)
        self._plan: list[NDArray[np.int64]] = []
        self._planned_epoch = -1
        self._batches_a_step = settings.training.accumulation * self.accelerator.num_processes
        self.steps_an_epoch = max(1, len(self._epoch(0)) // self._batches_a_step)
        self.steps = max(1, round(settings.training.epochs * self.steps_an_epoch))
        self.alone_steps = round(settings.training.contrastive_epochs * self.steps_an_epoch)
        self.warmup_steps = warmup_steps(settings.training, self.steps)

    def run(self) -> Progress:
        """Train to the end, or until ``patience`` validations in a row were no better.

        Returns:
            Where the run ended.

        Raises:
            NonFiniteLossError: a loss is NaN or infinite; the weights are those of the step before.
        """
        main = self.accelerator.is_main_process
        metrics = MetricsFile(self.folder / "training" / METRICS, self.progress.step) if main else None
        self._start_trackers()
        if self.warmup_steps >= self.steps > 1:
            self.display.warn(
                f"all {self.steps} steps are warm-up ({self.warmup_steps} steps), so the learning rate ends at "
                f"{self.steps / self.warmup_steps:.1%} of training.learning_rate at most: lower training.warmup_steps"
            )
        saved_at, memory = time.monotonic(), GrowthLimit()
        validation_steps = max(1, round(self.settings.training.validate_every * self.steps_an_epoch))
        try:
            with self.display.training(self.steps, self.progress.step):
                while not self.progress.finished:
                    started = time.monotonic()
                    figures = self._step(self.progress.step)
                    self.progress.step += 1
                    figures["seconds"] = time.monotonic() - started
                    self._write(metrics, figures)
                    memory.check()
                    last = self.progress.step >= self.steps
                    if last or self.progress.step % validation_steps == 0:
                        self._write(metrics, self._validate(last=last))
                        if main:
                            draw_curves(self.folder / "training" / METRICS, self.folder / "training" / "curves.png")
                    due = time.monotonic() - saved_at > 60 * self.settings.training.checkpoint_minutes
                    if self._agreed(due) or self.progress.finished:
                        self._save()
                        saved_at = time.monotonic()
        finally:
            if metrics is not None:
                metrics.close()
            self.accelerator.end_training()
        return self.progress

    def _agreed(self, due: bool) -> bool:
        """Whether the main process finds a checkpoint due: all save together, or a process would wait for ever."""
        return bool(broadcast_object_list([due])[0])

    def _save(self) -> None:
        queues = gather_object([self.queue.to(torch.device("cpu"))])
        if self.accelerator.is_main_process:
            save_checkpoint(self.folder / "training", self.module, self.optimizer, queues, self.progress)

    def _epoch(self, epoch: int) -> list[NDArray[np.int64]]:
        """Plan the batches of all processes in an epoch, in which they take turns; the epoch at hand is kept."""
        if epoch == self._planned_epoch:
            return self._plan
        training, processes = self.settings.training, self.accelerator.num_processes
        batches = epoch_batches(
            self.training.texts.lengths,
            training.batch_size,
            np.random.default_rng([training.seed, epoch]),
            subcategories=self.training.subcategories,
            cluster_size=training.cluster_size,
        )
        whole = len(batches) // processes * processes
        if whole == 0:
            raise SettingsError(
                f"training.batch_size = {training.batch_size} gives {len(batches)} batches an epoch for {processes} "
                "processes: lower it, or start fewer processes"
            )
        self._plan, self._planned_epoch = batches[:whole], epoch
        return self._plan

    def _step(self, step: int) -> dict[str, float]:
        """Take one optimizer step over ``accumulation`` batches."""
        training = self.settings.training
        set_rate(self.optimizer, rate_factor(step, self.steps, self.warmup_steps))
        if step == self.alone_steps:
            fill_bank(self._scorer(), self.training)
        epoch, place = divmod(step, self.steps_an_epoch)
        first = place * self._batches_a_step
        together = self._epoch(epoch)[first : first + self._batches_a_step]
        batches = together[self.accelerator.process_index :: self.accelerator.num_processes]
        self.wrapped.train()
        gathered: dict[str, list[float]] = {}
        for number, rows in enumerate(batches):
            for name, value in self._backward(step, number, rows, share=1.0 / len(batches)).items():
                gathered.setdefault(name, []).append(value)
        norm = float(self.accelerator.clip_grad_norm_(self.module.parameters(), training.clip_norm) or 0.0)
        self._refuse_non_finite({"gradient norm": norm}, step)
        self.optimizer.step()
        self.optimizer.zero_grad()
        figures = {name: float(np.mean(values)) for name, values in gathered.items()}
        figures["products"] = sum(map(len, together))
        return {**figures, "gradient_norm": norm, "learning_rate": self.optimizer.param_groups[0]["lr"]}

    def _backward(self, step: int, number: int, rows: NDArray[np.int64], share: float) -> dict[str, float]:
        """Run one batch forward and backward; its gradients are added to those that are there."""
        generator = step_generator(self.settings.training.seed, step, number, self.accelerator.process_index)
        torch.manual_seed(int(generator.integers(2**63)))  # dropout draws from torch's global generator
        device, objectives = self.accelerator.device, self.settings.objectives
        row_ids, groups = (torch.from_numpy(each).to(device) for each in (rows, self.training.groups[rows]))
        queue = self.queue.without(row_ids)
        negatives = queue if self.settings.contrastive.queue_negatives else None
        with_pairs = step >= self.alone_steps
        sides = self.drawer.sides(rows, hidden=with_pairs, generator=generator)

        def draw_pairs(vectors: Vectors | None) -> DrawnPairs | None:
            if not with_pairs:
                return None
            return self.drawer.pairs(rows, vectors, queue, self._hardness(step), generator).to(device)

        with self._arithmetic(), self._form(generator):
            moved = (None if side is None else side.to(device) for side in sides)
            output: StepOutput = self.wrapped(*moved, groups, negatives, draw_pairs)
            if output.imitation is not None:
                output.figures["loss.imitation"] = float(output.imitation.detach())
            losses = {f"loss {task}": float(loss.detach()) for task, loss in output.losses.items()}
            self._refuse_non_finite(losses | output.figures, step)
            total, weights = weigh(
                output.losses,
                output.encoder_outputs,
                objectives.weights,
                fixed=objectives.fixed_weights,
                log_variances=output.log_variances,
            )
        if output.imitation is not None:
            imitated = self.settings.distillation.share
            total = (1 - imitated) * total + imitated * output.imitation
        self.accelerator.backward(total * share)
        if output.vectors is not None:
            texts, pictures = output.vectors[0].pooled, output.vectors[1].pooled
            self.queue = self.queue.pushed(self.settings.contrastive.queue, row_ids, groups, texts, pictures)
        figures = {"loss": float(total.detach()), **output.figures}
        figures |= {f"loss.{task}": float(loss.detach()) for task, loss in output.losses.items()}
        figures |= {f"weight.{task}": weight for task, weight in weights.items()}
        return figures

    @contextmanager
    def _form(self, generator: np.random.Generator) -> Iterator[None]:
        """Read every other batch, by chance, in the split form, where the model learns one beside the whole form."""
        encoder, fast = self.module.model.fashionbert, self.settings.model.fast_split_layers
        with encoder.split_at(fast) if fast and generator.random() < 0.5 else nullcontext():
            yield

    def _hardness(self, step: int) -> float:
        """Share of the full sharpness of mined negatives: rises from 0 over the first part of the pair stage."""
        rise = self.settings.negatives.warmup_share * (self.steps - self.alone_steps)
        return 1.0 if rise == 0 else min(1.0, max(0.0, (step - self.alone_steps) / rise))

    @contextmanager
    def _arithmetic(self) -> Iterator[None]:
        """On a CPU, bf16 training is a third faster with the plain attention kernel (docs/log.md, 2026-11-23)."""
        device, precision = self.accelerator.device.type, self.settings.training.precision
        in_bf16 = resolved(precision, device) == "bf16"
        plain = sdpa_kernel(SDPBackend.MATH) if in_bf16 and device == "cpu" else nullcontext()
        with autocast(precision, device), plain:
            yield

    def _refuse_non_finite(self, values: dict[str, float], step: int) -> None:
        broken = [f"{name} = {value}" for name, value in values.items() if not math.isfinite(value)]
        if broken:
            raise NonFiniteLossError(
                f"step {step}: {', '.join(broken)}; the weights are those of the step before. "
                "Train into another --out with a lower training.learning_rate or with training.precision=fp32; "
                "the best model so far stays in the run folder"
            )

    def _scorer(self) -> Scorer:
        return Scorer(
            self.module.model,
            self.processor,
            device=self.accelerator.device,
            precision=self.settings.training.precision,
            batch_size=self.settings.evaluation.batch_size,
        )

    def _validate(self, *, last: bool) -> dict[str, float]:
        """Measure, keep the model if it is the best so far, and say whether the run is over."""
        scorer = self._scorer()
        with_pairs = "alignment" in self.settings.objectives.tasks and self.progress.step > self.alone_steps
        if with_pairs:
            fill_bank(scorer, self.training)
        with self.display.validating() as advance:
            figures = validate(scorer, self.validation, self.lists, with_pairs=with_pairs, advance=advance)
        # Devices may differ in the last digit, and all processes must agree on what follows from it.
        (figures,) = broadcast_object_list([figures])
        if with_pairs and not self.progress.pairs_begun:
            # The vectors' R@1 so far is another figure than the pair model's: the best one is sought anew.
            self.progress.pairs_begun, self.progress.best, self.progress.since_best = True, -1.0, 0
        improved = figures["recall_at_1"] > self.progress.best
        self.progress.best = max(self.progress.best, figures["recall_at_1"])
        self.progress.since_best = 0 if improved else self.progress.since_best + 1
        if improved and self.accelerator.is_main_process:
            save_weights(self.module.model, self.folder, {**figures, "step": self.progress.step})
        patience = self.settings.training.patience
        # A model without its pair stage is not finished, however long its vectors have not got better.
        begun = with_pairs or "alignment" not in self.settings.objectives.tasks
        self.progress.finished = last or (begun and patience is not None and self.progress.since_best >= patience)
        self.display.validated(figures, improved=improved)
        return {f"validation.{name}": value for name, value in figures.items()}

    def _write(self, metrics: MetricsFile | None, figures: dict[str, float]) -> None:
        if metrics is None:
            return
        step = self.progress.step
        metrics.write({"step": step, "epoch": round(step / self.steps_an_epoch, 4), **figures})
        self.accelerator.log(figures, step=step)
        self.display.step(step, figures)

    def _start_trackers(self) -> None:
        if self.settings.training.trackers:
            self.accelerator.init_trackers("fashionbert")
