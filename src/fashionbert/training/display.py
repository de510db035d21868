"""What a person sees while a run goes on: bars on a terminal, a plain line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINE_SECONDS = 30.0
_SHORT = {
    "masked_words": "words",
    "masked_patches": "patches",
    "alignment": "align",
    "contrastive": "contrast",
    "clicks": "clicks",
}


class Display:
    """Shows steps, losses, task weights, pairs a second and time left."""

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        """Choose where to show.

        Args:
            console: rich console; None: standard error.
            quiet: show nothing, for example on all but the first process.
        """
        self._console = Console(stderr=True, quiet=quiet) if console is None else console
        self._bars = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bars.add_task("train", total=None, figures="")
        self._steps = 0
        self._line_at = 0.0

    @contextmanager
    def training(self, steps: int, done: int) -> Iterator[None]:
        """Show the bar inside the block.

        Args:
            steps: of the whole run.
            done: taken before.
        """
        self._steps = steps
        self._bars.update(self._task, total=steps, completed=done)
        if done:
            self._console.print(f"going on after step {done} of {steps}")
        with self._bars:
            yield

    def warn(self, text: str) -> None:
        """Show a line about what may not be meant."""
        self._console.print(f"warning: {text}", soft_wrap=True)

    def step(self, step: int, figures: Mapping[str, float]) -> None:
        """Show a step's figures.

        Args:
            step: number of steps taken.
            figures: as written to the metrics file.
        """
        if "seconds" not in figures:
            return
        text = _describe(figures)
        self._bars.update(self._task, completed=step, figures=text)
        if not self._console.is_terminal and time.monotonic() - self._line_at > _LINE_SECONDS:
            self._line_at = time.monotonic()
            self._console.print(f"step {step}/{self._steps}  {text}", soft_wrap=True)

    @contextmanager
    def validating(self) -> Iterator[Callable[[int], None]]:
        """Show a validation inside the block; the function given takes the number of pairs just scored."""
        task = self._bars.add_task("validate", total=None, figures="")
        try:
            yield lambda pairs: self._bars.update(task, advance=pairs)
        finally:
            self._bars.remove_task(task)

    def validated(self, figures: Mapping[str, float], *, improved: bool) -> None:
        """Show a validation's outcome."""
        parts = [f"{name} {value:.1%}" for name, value in figures.items()]
        self._console.print(f"validation: {', '.join(parts)}{'  (kept)' if improved else ''}", soft_wrap=True)


def _describe(figures: Mapping[str, float]) -> str:
    losses = [
        f"{_SHORT[name]} {figures[f'loss.{name}']:.3f}{_weight(figures, name)}"
        for name in _SHORT
        if f"loss.{name}" in figures
    ]
    return f"{'  '.join(losses)}  {figures['products'] / figures['seconds']:.0f} pairs/s"


def _weight(figures: Mapping[str, float], name: str) -> str:
    """A task that is alone in a run has no weight."""
    weight = figures.get(f"weight.{name}")
    return "" if weight is None else f" (w {weight:.2f})"
