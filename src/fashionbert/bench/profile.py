"""Where the time of a piece of work goes, by kinds of operators."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from torch.profiler import ProfilerActivity, profile

from fashionbert.bench.contender import Work

OPTIMIZER, REST = "optimizer", "rest"
KINDS = {
    "products of matrices": r"(add|b|baddb)?mm|dot",
    "attention": r".*scaled_dot_product.*",
    "GELU and LayerNorm": r".*(gelu|layer_norm).*",
    "losses": r".*softmax.*|nll_loss.*|kl_div.*|logsumexp|exp|log|xlogy",
    "norms of gradients": r".*norm",
    "residuals, sums of gradients": r"add|sum",
    "copies": r".*(copy|cat|index|fill|zero|gather|scatter|embedding|clone).*",
}
"""What names of operators match by kind; the first one counts."""


def profile_work(work: Work, repetitions: int = 3) -> dict[str, float]:
    """Do a piece of work under torch's profiler, after doing it once without.

    Args:
        work: to look into, on the CPU.
        repetitions: times that it is done.

    Returns:
        Milliseconds of one time by kind of operator, the largest first; what an optimizer does counts as such. The
        profiler itself takes some of them.
    """
    work()
    with profile(activities=[ProfilerActivity.CPU]) as found:
        for _ in range(repetitions):
            work()
    spent: dict[str, float] = defaultdict(float)
    for event in found.events() or ():
        spent[kind_of(event)] += event.self_cpu_time_total / 1e3 / repetitions
    return dict(sorted(spent.items(), key=lambda each: each[1], reverse=True))


def kind_of(event: Any) -> str:
    """Say which kind of operator an event of torch's profiler is of, the optimizer's where one has called it."""
    if any(each.name.startswith("Optimizer.step") for each in _with_parents(event)):
        return OPTIMIZER
    name = event.name.removeprefix("aten::").strip("_")
    return next((kind for kind, names in KINDS.items() if re.fullmatch(names, name)), REST)


def _with_parents(event: Any) -> Iterable[Any]:
    while event is not None:
        yield event
        event = event.cpu_parent
