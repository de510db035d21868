"""Measure features, scoring and task weights on this machine: ``python -m benchmarks.measure``."""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from benchmarks import RESULTS
from fashionbert.arithmetic import autocast, has_bf16, resolved
from fashionbert.bench.results import write_result
from fashionbert.catalogue.synthetic import write_world
from fashionbert.config import ImageSettings, ObjectiveSettings
from fashionbert.data import NOT_HIDDEN, MaskedPictures, MaskedTexts
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.network import build_patch_network
from fashionbert.memory import keep_freed_memory
from fashionbert.model import FashionBertConfig, FashionBertForMatching, FashionBertForPreTraining, Meeting, Side
from fashionbert.training.step import DrawnPairs, PreTrainingStep
from fashionbert.training.weighing import Scheme, weigh
from fashionbert.types import Precision

TOKENS, PATCHES, FEATURES, CANDIDATES = 48, 64, 1280, 100
MEETING_TEXTS, MEETING_PICTURES = 64, 512
MEETING_PAIRS = {0: 512, 4: 2048, 5: 32_768}
"""Pairs that are scored, by the number of lower layers in which the sides are apart."""
NOT_SHOWN = "CPU only; untrained networks; no disk or network in the scoring figures; one process"


def main() -> None:
    """Measure everything and write a result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    keep_freed_memory()
    seconds = {
        **feature_times(arguments.repetitions),
        **model_times(arguments.repetitions),
        **meeting_times(arguments.repetitions),
    }
    rates = _rates(seconds)
    print(json.dumps(rates, indent=2))
    figures = {"meeting_precision": resolved("auto", "cpu"), "seconds": seconds, "rates": rates}
    write_result(arguments.out, "", "python -m benchmarks.measure", NOT_SHOWN, figures)


def feature_times(repetitions: int, pictures: int = 16) -> dict[str, list[float]]:
    """Seconds for 16 drawn pictures in each mode, decoding included."""
    networks = {
        "features.pixels": ImageSettings(network="pixels", mode="crop", cell_size=8),
        "features.grid": ImageSettings(weights="random", mode="grid"),
        "features.crop": ImageSettings(weights="random", mode="crop"),
    }
    extractors = {name: PatchExtractor(one, build_patch_network(one)) for name, one in networks.items()}
    with tempfile.TemporaryDirectory() as folder:
        world = write_world(Path(folder), groups=pictures, seed=0)
        files = sorted(world.rglob("*.jpg"))[:pictures]
        return _alternating({name: lambda one=one: one.extract(files) for name, one in extractors.items()}, repetitions)


def model_times(repetitions: int) -> dict[str, list[float]]:
    """Seconds for 100 pairs in each arithmetic that the CPU has, and for a training step under each weighing."""
    model = FashionBertForPreTraining(_config())
    texts, pictures = _sides(CANDIDATES)
    own = torch.arange(CANDIDATES)
    pairs = DrawnPairs(None, None, own, own, (own < CANDIDATES // 2).long())
    features = pictures.features.float()

    def score(precision: Precision) -> None:
        model.eval()
        with torch.inference_mode(), autocast(precision, "cpu"):
            model(texts.input_ids, texts.attention_mask, features)

    def step(scheme: Scheme) -> None:
        module = PreTrainingStep(model, ObjectiveSettings(weights=scheme)).train()
        output = module(texts, pictures, own, None, lambda _: pairs)
        total, _ = weigh(output.losses, output.encoder_outputs, scheme, fixed={}, log_variances={})
        total.backward()
        model.zero_grad()

    return _alternating(
        {
            "scoring.fp32": lambda: score("fp32"),
            **({"scoring.bf16": lambda: score("bf16")} if has_bf16("cpu") else {}),
            "weights.equal": lambda: step("equal"),
            "weights.paper": lambda: step("paper"),
        },
        repetitions,
    )


def meeting_times(repetitions: int) -> dict[str, list[float]]:
    """Seconds for pairs of 64 texts and 512 pictures that were read before, by where the sides are joined.

    In bf16 if the CPU has it.
    """

    def task(split_layers: int) -> Callable[[], None]:
        model = FashionBertForMatching(_config(split_layers=split_layers)).eval()
        texts, pictures = (
            Side(torch.randn(count, places, 384), torch.ones(count, places, dtype=torch.bool))
            for count, places in ((MEETING_TEXTS, TOKENS), (MEETING_PICTURES, PATCHES))
        )

        def score() -> None:
            with torch.inference_mode(), autocast("auto", "cpu"):
                meeting = Meeting(model.fashionbert, texts, pictures)
                for pairs in torch.arange(MEETING_PAIRS[split_layers]).split(256):
                    model.match(meeting, pairs // MEETING_PICTURES, pairs % MEETING_PICTURES)

        return score

    return _alternating({f"meeting.split_{layers}": task(layers) for layers in MEETING_PAIRS}, repetitions)


def _config(**changes: int) -> FashionBertConfig:
    """MiniLM's shape."""
    return FashionBertConfig(
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        patch_feature_size=FEATURES,
        attention_probs_dropout_prob=0.0,
        **changes,
    )


def _sides(count: int) -> tuple[MaskedTexts, MaskedPictures]:
    rng = torch.Generator().manual_seed(0)
    ids = torch.randint(1000, 30000, (count, TOKENS), generator=rng)
    labels = torch.full((count, TOKENS), NOT_HIDDEN)
    labels[:, 1:8] = ids[:, 1:8]
    masked = torch.zeros(count, PATCHES, dtype=torch.bool)
    masked[:, :6] = True
    features = torch.rand(count, PATCHES, FEATURES, generator=rng).half()
    texts = MaskedTexts(ids, torch.ones(count, TOKENS, dtype=torch.bool), labels)
    return texts, MaskedPictures(features, torch.arange(PATCHES).expand(count, -1), masked)


def _alternating(tasks: Mapping[str, Callable[[], object]], repetitions: int) -> dict[str, list[float]]:
    """Time tasks in turns, after one turn that warms up, so that all see the same hour of the machine."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for repetition in range(repetitions + 1):
        for name, task in tasks.items():
            started = time.perf_counter()
            task()
            if repetition:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def _rates(seconds: Mapping[str, list[float]], pictures: int = 16) -> dict[str, float]:
    median = {name: statistics.median(times) for name, times in seconds.items()}
    rates = {f"{name} pictures/s": pictures / median[name] for name in median if name.startswith("features")}
    rates |= {f"{name} pairs/s": CANDIDATES / median[name] for name in median if name.startswith("scoring")}
    rates |= {f"meeting.split_{n} pairs/s": count / median[f"meeting.split_{n}"] for n, count in MEETING_PAIRS.items()}
    rates["a step under weights.paper / under weights.equal"] = median["weights.paper"] / median["weights.equal"]
    return {name: float(np.round(value, 3)) for name, value in rates.items()}


if __name__ == "__main__":
    main()
