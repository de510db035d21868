"""``fashionbert distill``: a smaller model that imitates a trained one."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fashionbert.cli.options import Assignments, Device, Features


def distill(
    teacher: Annotated[Path, typer.Argument(help="Run folder of the trained model.")],
    catalogue: Annotated[str, typer.Option("--catalogue", help="Catalogue: a folder, a table, or a data set's name.")],
    out: Annotated[Path, typer.Option("--out", help="Run folder; the same command goes on where it stopped.")],
    layers: Annotated[int, typer.Option(min=1, help="Layers of the new model.")] = 2,
    assignments: Assignments = None,
    features: Features = None,
    device: Device = "auto",
) -> None:
    """Train a smaller model that imitates a trained one.

    It begins with the teacher's weights and evenly spread layers of it, and takes its settings, of which --set changes
    some: model.backbone for a student of another width, training.epochs, distillation.share. It keeps words
    and patches apart in as many layers as its teacher, or in all but the last where it has no more; --set
    model.split_layers says otherwise.
    """
    from fashionbert.cli.train import run_training
    from fashionbert.config import ModelSettings, changed
    from fashionbert.images.extractor import PatchExtractor
    from fashionbert.scoring import read_settings

    its = read_settings(teacher)
    usual = ModelSettings()
    student = {
        "distillation.teacher": str(teacher.resolve()),
        "model.backbone": str(teacher.resolve()),
        "model.width": usual.width,  # of models without a backbone; here it is the backbone's
        "model.heads": usual.heads,
        "model.layers": layers,
        "model.split_layers": min(its.model.split_layers, layers - 1),
        "model.fast_split_layers": 0,
    }
    # As JSON, which is YAML too: a folder named 2024 is no number, and one with a # in it is read to its end.
    words = [f"{name}={json.dumps(value)}" for name, value in student.items()]
    settings = changed(its, [*words, *(assignments or ())])
    run_training(settings, catalogue, out, features, device, lambda place: PatchExtractor.load(teacher, place))
