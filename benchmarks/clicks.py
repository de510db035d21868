"""The paper's Table 4 on a click log: ``python -m benchmarks.clicks --help``.

Fine-tunes each variant by the command, reads its accuracy and AUC, and times one row at a time: one query, one product
whose patch features are there already, as when a single pair is asked for. What is in the work folder is used again.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from benchmarks import RESULTS
from fashionbert.bench.results import write_result
from fashionbert.catalogue import open_catalogue
from fashionbert.catalogue.clicks import read_clicks
from fashionbert.data.clicks import build_click_rows
from fashionbert.images.store import FeatureStore
from fashionbert.scoring.clicks import ClickReader, load_click_model

NOT_SHOWN = (
    "shoppers: the log is simulated, and a model that knew all products' attributes would reach its ceiling; the cost "
    "of patch features, which are made once a product; several pairs at a time"
)
TIMED_ROWS, WARM_UP = 300, 20


@dataclass(frozen=True)
class Variant:
    """A line of the table."""

    name: str
    layers: int
    image: str
    variable_length: bool = False


VARIANTS = (
    Variant("6L-BERT", 6, "none"),
    Variant("6L-BERT+IMG", 6, "beside"),
    Variant("6L-FashionBERT", 6, "inside"),
    Variant("2L-BERT", 2, "none"),
    Variant("2L-BERT+IMG", 2, "beside"),
    Variant("2L-FashionBERT", 2, "inside"),
    Variant("2L-FashionBERT (VSL)", 2, "inside", variable_length=True),
)


def main() -> None:
    """Train and time every variant, and write a result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--catalogue", required=True)
    parser.add_argument("--model", type=Path, required=True, help="run folder of the pre-trained FashionBERT")
    parser.add_argument("--backbone", required=True, help="BERT that the variants without FashionBERT start from")
    parser.add_argument("--features", type=Path, required=True, help="feature store of the catalogue, by that run")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--set", dest="settings", action="append", default=[], help="a setting of all variants")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    for variant in VARIANTS:
        if not (_folder(arguments.work, variant) / "clicks.json").exists():
            subprocess.run(_command(variant, arguments), check=True)
    table = [_measured(variant, arguments) for variant in VARIANTS]
    print(json.dumps(table, indent=2))
    options = "--log LOG --catalogue SHOP --model RUN --backbone BERT --features STORE --work FOLDER"
    write_result(
        arguments.out,
        "clicks",
        f"python -m benchmarks.clicks {options}",
        NOT_SHOWN,
        {"settings": arguments.settings, "table": table},
    )


def _folder(work: Path, variant: Variant) -> Path:
    return work / variant.name.replace(" ", "")


def _command(variant: Variant, arguments: argparse.Namespace) -> list[str]:
    out = _folder(arguments.work, variant)
    words = ["clicks", "train", arguments.log, "--catalogue", arguments.catalogue, "--out", out]
    from_run = variant.image == "inside"
    words += ["--model", arguments.model] if from_run else ["--set", f"model.backbone={arguments.backbone}"]
    words += [] if variant.image == "none" else ["--features", arguments.features]
    words += ["--config", _picture_settings(arguments)] if variant.image == "beside" else []
    settings = {
        "model.layers": variant.layers,
        "clicks.image": variant.image,
        "clicks.variable_length": str(variant.variable_length).lower(),
    }
    words += [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    words += [word for setting in arguments.settings for word in ("--set", setting)]
    return [sys.executable, "-m", "fashionbert", *map(str, words)]


def _picture_settings(arguments: argparse.Namespace) -> Path:
    """Settings of the run's pictures, for models that are not made of the run but read the same features."""
    settings = yaml.safe_load((arguments.model / "settings.yaml").read_text("utf-8"))
    path = arguments.work / "images.yaml"
    path.write_text(yaml.safe_dump({"images": settings["images"]}), encoding="utf-8")
    return path


def _measured(variant: Variant, arguments: argparse.Namespace) -> dict[str, Any]:
    folder = _folder(arguments.work, variant)
    report = json.loads((folder / "clicks.json").read_text("utf-8"))
    model, tokenizer, _, settings = load_click_model(folder)
    store = None if variant.image == "none" else FeatureStore.open(arguments.features)
    catalogue = open_catalogue(arguments.catalogue, settings.catalogue)
    rows = build_click_rows(read_clicks(arguments.log), catalogue, store, tokenizer, settings.clicks)
    reader, taken = ClickReader(settings, tokenizer), []
    places = np.random.default_rng(0).choice(len(rows), TIMED_ROWS + WARM_UP)
    for place in places.tolist():
        started = time.perf_counter()
        with torch.inference_mode():
            reader.logits(model, rows, np.asarray([place])).softmax(dim=1)
        taken.append(1000 * (time.perf_counter() - started))
    kept = ("accuracy", "accuracy_interval", "auc", "auc_interval", "pairs")
    middle, high = np.percentile(taken[WARM_UP:], [50, 95])
    return {"name": variant.name, **{name: report[name] for name in kept}, "p50_ms": middle, "p95_ms": high}


if __name__ == "__main__":
    main()
