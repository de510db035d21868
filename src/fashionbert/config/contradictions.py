"""Settings that are well-formed one by one and do not go together, or of which one would silently do nothing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fashionbert.config.settings import Settings


class Contradiction(NamedTuple):
    """What does not go together."""

    message: str
    names: tuple[str, ...]
    """``part.name`` of each setting that has a share in it."""


def contradictions(settings: "Settings") -> list[Contradiction]:
    """Find what settings of different parts contradict; they need not have been checked as a whole."""
    rules = (_of_tasks, _of_vectors, _of_negatives, _of_epochs, _of_weights, _of_sizes)
    return [found for rule in rules for found in rule(settings)]


def _found(message: str, *names: str) -> Contradiction:
    return Contradiction(message, names)


def _of_tasks(settings: "Settings") -> Iterator[Contradiction]:
    tasks = settings.objectives.tasks
    if not {"alignment", "contrastive"} & set(tasks):
        yield _found(
            "objectives.tasks lacks both 'alignment' and 'contrastive', by whose R@1 the best model is chosen",
            "objectives.tasks",
        )
    if len(set(tasks)) != len(tasks):
        yield _found(f"objectives.tasks names a task twice: {list(tasks)}", "objectives.tasks")


def _of_vectors(settings: "Settings") -> Iterator[Contradiction]:
    """The contrastive task needs the vector head and alone teaches it; whatever reads vectors needs both."""
    model, contrastive = settings.model, "contrastive" in settings.objectives.tasks
    if contrastive and model.contrastive_size == 0:
        yield _found(
            "objectives.tasks has 'contrastive' but model.contrastive_size is 0: set it to 256, say",
            *("objectives.tasks", "model.contrastive_size"),
        )
    for needy, off in (("side_agreement", "false"), ("late_interaction_size", "0"), ("bank_size", "0")):
        name = f"model.{needy}"
        if not getattr(model, needy):
            continue
        if model.contrastive_size == 0:
            yield _found(
                f"{name} needs the vector head: set model.contrastive_size to 256, say",
                *(name, "model.contrastive_size"),
            )
        if not contrastive:
            yield _found(
                f"{name} stands on vectors that nothing teaches: add 'contrastive' to objectives.tasks, "
                f"or set {name} to {off}",
                *(name, "objectives.tasks"),
            )
    if settings.contrastive.titled_share and not contrastive:
        yield _found(
            "contrastive.titled_share is of vectors that nothing teaches: add 'contrastive' to objectives.tasks",
            *("contrastive.titled_share", "objectives.tasks"),
        )
    if model.bank_size and not model.side_agreement:
        yield _found(
            "model.bank_size corrects the side agreement: set model.side_agreement to true",
            *("model.bank_size", "model.side_agreement"),
        )


def _of_negatives(settings: "Settings") -> Iterator[Contradiction]:
    contrastive, mined = "contrastive" in settings.objectives.tasks, settings.negatives.source == "mined"
    if mined and not contrastive:
        yield _found(
            "negatives.source is 'mined' but objectives.tasks lacks 'contrastive', which does the mining",
            *("negatives.source", "objectives.tasks"),
        )
    queue, readers = settings.contrastive.queue, settings.contrastive.queue_negatives
    if queue and not (contrastive and (mined or readers)):
        yield _found(
            f"contrastive.queue {queue} keeps vectors that nothing reads: set negatives.source to mined or "
            "contrastive.queue_negatives to true, with 'contrastive' in objectives.tasks, or contrastive.queue to 0",
            *("contrastive.queue", "contrastive.queue_negatives", "negatives.source", "objectives.tasks"),
        )
    if readers and not queue:
        yield _found(
            "contrastive.queue_negatives has no vectors to read: set contrastive.queue to 1024, say",
            *("contrastive.queue_negatives", "contrastive.queue"),
        )


def _of_epochs(settings: "Settings") -> Iterator[Contradiction]:
    training, tasks = settings.training, settings.objectives.tasks
    contrastive = "contrastive" in tasks
    if training.contrastive_epochs > 0 and not contrastive:
        yield _found(
            "training.contrastive_epochs is set but objectives.tasks lacks 'contrastive'",
            *("training.contrastive_epochs", "objectives.tasks"),
        )
    if training.contrastive_epochs > training.epochs:
        yield _found(
            f"training.contrastive_epochs {training.contrastive_epochs} is above training.epochs {training.epochs}",
            *("training.contrastive_epochs", "training.epochs"),
        )
    elif training.contrastive_epochs == training.epochs and len(tasks) > 1 and contrastive:
        yield _found(
            f"training.contrastive_epochs {training.contrastive_epochs} leaves no epoch for the other "
            "objectives.tasks: raise training.epochs, or set objectives.tasks=[contrastive]",
            *("training.contrastive_epochs", "training.epochs", "objectives.tasks"),
        )


def _of_weights(settings: "Settings") -> Iterator[Contradiction]:
    objectives = settings.objectives
    if (objectives.weights == "fixed") != bool(objectives.fixed_weights):
        yield _found(
            "objectives.weights='fixed' and objectives.fixed_weights need each other",
            *("objectives.weights", "objectives.fixed_weights"),
        )
    elif objectives.fixed_weights and set(objectives.fixed_weights) != set(objectives.tasks):
        yield _found(
            f"objectives.fixed_weights must name exactly the tasks {list(objectives.tasks)}",
            *("objectives.fixed_weights", "objectives.tasks"),
        )


def _of_sizes(settings: "Settings") -> Iterator[Contradiction]:
    model = settings.model
    layers = model.layers or (4 if model.backbone is None else None)
    if layers is not None and model.split_layers >= layers:
        yield _found(
            f"model.split_layers {model.split_layers} leaves none of {layers} layers to join sides",
            *("model.split_layers", "model.layers", "model.backbone"),
        )
    fast, least = model.fast_split_layers, model.split_layers
    if fast and (fast <= least or (layers is not None and fast >= layers)):
        yield _found(
            f"model.fast_split_layers {fast} is to be above model.split_layers {least} and leave a layer to join sides",
            *("model.fast_split_layers", "model.split_layers", "model.layers", "model.backbone"),
        )
    if model.backbone is None and model.width % model.heads:
        yield _found(
            f"model.width {model.width} is not a multiple of model.heads {model.heads}",
            *("model.width", "model.heads", "model.backbone"),
        )
    for name in ("width", "heads") if model.backbone is not None else ():
        value, default = getattr(model, name), type(model).model_fields[name].default
        if value != default:
            yield _found(
                f"model.{name} {value} is not that of model.backbone, which has its own: leave it out",
                *(f"model.{name}", "model.backbone"),
            )
