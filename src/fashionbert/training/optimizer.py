"""The paper's Adam with warm-up and linear decay (section 1.7), as pure functions of the settings and the step."""

from torch import nn
from torch.optim import AdamW, Optimizer

from fashionbert.config import TrainingSettings

PRETRAINED_PREFIX = "model.fashionbert.bert."


def build_optimizer(module: nn.Module, settings: TrainingSettings, *, pretrained: bool) -> AdamW:
    """Build Adam with decoupled weight decay; biases, LayerNorms and single numbers do not decay.

    Args:
        module: its parameters are learnt; those of the BERT have names that start with :data:`PRETRAINED_PREFIX`.
        settings: learning rate and the rest.
        pretrained: whether the BERT comes from a backbone; if so, the other layers learn at ``new_layer_factor`` times
            its rate.

    Returns:
        The optimizer. A group's ``peak`` is its largest learning rate; its ``lr`` is 0 until :func:`set_rate`.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        new = pretrained and not name.startswith(PRETRAINED_PREFIX)
        groups.setdefault((new, parameter.ndim > 1), []).append(parameter)
    return AdamW(
        [
            {
                "params": parameters,
                "weight_decay": settings.weight_decay if decays else 0.0,
                "lr": 0.0,
                "peak": settings.learning_rate * (settings.new_layer_factor if new else 1.0),
            }
            for (new, decays), parameters in sorted(groups.items(), key=lambda item: item[0])
        ],
        betas=(settings.beta1, settings.beta2),
        eps=settings.epsilon,
        fused=True,
    )


def rate_factor(step: int, steps: int, warmup: int) -> float:
    """Say how much of the peak learning rate a step takes: a rise over ``warmup`` steps, then a line towards 0.

    Args:
        step: the step about to be taken, from 0.
        steps: steps of the whole run.
        warmup: steps of the rise.

    Returns:
        Share of the peak, in [0, 1].
    """
    if step < warmup:
        return (step + 1) / warmup
    return max(0.0, (steps - step) / max(1, steps - warmup))


def warmup_steps(settings: TrainingSettings, steps: int) -> int:
    """Steps of the rise, as asked for in steps or as a share of the run."""
    return settings.warmup_steps if settings.warmup_steps is not None else round(settings.warmup_share * steps)


def set_rate(optimizer: Optimizer, factor: float) -> None:
    """Give each group its share of its own peak rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor
