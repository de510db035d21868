"""Build the published shapes at full size and measure them: ``python -m benchmarks.shapes --catalogue SHOP``.

For each of the presets ``paper`` and ``released``, and for ``paper`` with InceptionV3: the patch network and BERT-base
with random weights, patch features of real pictures in both modes, one training step of the whole loop, scoring; then
what all of it takes on Fashion-Gen. Every part has a process of its own, so that peaks of memory are its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertModel

from benchmarks import RESULTS
from benchmarks.memory import hollow_store, peak_gibibytes
from fashionbert.bench.results import write_result
from fashionbert.catalogue import open_catalogue
from fashionbert.catalogue.synthetic.captions import write_caption
from fashionbert.catalogue.synthetic.combinations import group_articles
from fashionbert.config import Settings, changed, load_settings
from fashionbert.files import write_json, write_text
from fashionbert.images.network import PatchNetwork
from fashionbert.memory import keep_freed_memory
from fashionbert.model import FashionBertForPreTraining
from fashionbert.text import load_tokenizer
from fashionbert.training import Display, build_extractor, train
from fashionbert.training.setup import build_model

SHAPES: dict[str, tuple[str, list[str]]] = {
    "paper": ("paper", []),
    "released": ("released", []),
    "inception_v3": ("paper", ["images.network=inception_v3", "images.cell_size=299"]),
}
"""Name -> preset and what is changed in it; 299 pixels are InceptionV3's own size."""
GRID_SIDES = {"inception_v3": 299}
"""Pixels of the whole picture in ``grid`` mode that give a map of 8 x 8; the others need 256."""
NETWORK_PARAMETERS = {"resnext101_32x8d": 86_742_336, "resnet50": 23_508_032, "inception_v3": 21_785_568}
"""Without classifier."""
MODEL_PARAMETERS = 113_304_380
"""BERT-base with pooler 109,482,240, patch side 1,625,088, heads of words 622,650, pairs 1,538, patches 1,572,864."""
FEATURES, PATCHES, VOCABULARY = 2048, 64, 30_522
PICTURES, TRAINING_PAIRS = 293_008, 260_480
"""Fashion-Gen: pictures of both splits, and pairs of the training split (paper, section 3.1)."""
AT_ONCE = 8
"""Products whose activations fit into memory; a step adds up batches of so many."""
PARTS = ("crop", "grid", "training")
NOT_SHOWN = "quality: all weights are random; a GPU; a second step, which needs no more memory"


def main() -> None:
    """Measure every part in a process of its own and write a result file; or measure one part and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalogue", required=True, help="catalogue whose pictures are read")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--part", nargs=2, metavar=("SHAPE", "PART"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        shape, part = arguments.part
        keep_freed_memory()
        print(json.dumps(measure_part(shape, part, arguments.catalogue)))
        return
    shapes = {name: {part: _in_own_process(name, part, arguments.catalogue) for part in PARTS} for name in SHAPES}
    figures = {"shapes": shapes, "fashion_gen": {name: fashion_gen_cost(name, shape) for name, shape in shapes.items()}}
    write_result(arguments.out, "shapes", "python -m benchmarks.shapes --catalogue SHOP", NOT_SHOWN, figures)


def measure_part(shape: str, part: str, catalogue: str) -> dict[str, Any]:
    """Measure one part of one shape in this process."""
    measured = measure_training(shape) if part == "training" else measure_features(shape, part, catalogue)
    return {**measured, "peak_gibibytes": peak_gibibytes()}


def settings_of(shape: str, *words: str) -> Settings:
    """Preset and changes of a shape, with a random patch network."""
    preset, changes = SHAPES[shape]
    return changed(load_settings(preset), [*changes, "images.weights=random", *words])


def measure_features(shape: str, mode: str, catalogue: str) -> dict[str, Any]:
    """Extract the features of some pictures; the first ones warm up."""
    side = GRID_SIDES.get(shape, 256)
    sizes = [f"images.height={side}", f"images.width={side}"] if mode == "grid" else []
    extractor = build_extractor(settings_of(shape, f"images.mode={mode}", *sizes).images)
    network = extractor.network
    parameters = sum(weights.numel() for weights in network.parameters())
    assert parameters == NETWORK_PARAMETERS[network.name], parameters
    count = {"crop": 3, "grid": 24}[mode]
    products = open_catalogue(catalogue)
    pictures = [products[place].pictures[0].read() for place in range(count + 1)]
    prepared = [extractor.prepare(picture) for picture in pictures]
    settle_batch_norms(network, prepared[:1])
    with FlopCounterMode(display=False) as counter:
        extractor.forward(prepared[:1])
    started = time.perf_counter()
    features = extractor.extract(pictures[1:])
    seconds = time.perf_counter() - started
    assert features.shape == (count, PATCHES, FEATURES), features.shape
    return {
        "network_parameters": parameters,
        "shape_a_picture": list(features.shape[1:]),
        "pictures": count,
        "seconds_a_picture": seconds / count,
        "gigaflop_a_picture": counter.get_total_flops() / 1e9,
    }


def settle_batch_norms(network: PatchNetwork, prepared: Sequence[NDArray[np.uint8]]) -> None:
    """Let the BatchNorms of a random network see a picture; InceptionV3's features would not fit in float16 without."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    with torch.inference_mode():
        network(torch.from_numpy(np.stack(prepared)))
    for norm in norms:
        norm.eval()


def measure_training(shape: str) -> dict[str, Any]:
    """Take one step of the whole loop with texts of full length, then score some pairs of full length."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        settings = settings_of(shape, f"model.backbone={root / 'bert'}")
        products = settings.training.batch_size
        words = [f"training.batch_size={AT_ONCE}", f"training.accumulation={products // AT_ONCE}"]
        settings = changed(settings, [*words, "training.epochs=1", "training.validation_queries=2"])
        write_long_texts(root / "shop", products, settings.model.max_text_tokens)
        write_backbone(root / "bert")
        extractor = build_extractor(changed(settings, ["images.mode=grid"]).images)
        catalogue = open_catalogue(str(root / "shop"), settings.catalogue)
        store = hollow_store(root / "store", catalogue, extractor)
        progress = train(settings, catalogue, store, extractor, root / "run", Display(), cpu=True)
        assert progress.step == 1, progress
        step = json.loads((root / "run/training/metrics.jsonl").read_text("utf-8").splitlines()[0])
        tokenizer = load_tokenizer(str(root / "bert"))
        assert len(tokenizer) == VOCABULARY
        shape_of = {"vocabulary": VOCABULARY, "feature_size": FEATURES, "patches": PATCHES}
        model = build_model(settings.model, **shape_of, seed=0)
    assert model.num_parameters() == MODEL_PARAMETERS, model.num_parameters()
    per_positive = settings.negatives.per_positive
    return {
        "model_parameters": model.num_parameters(),
        "tokens": [settings.model.max_text_tokens, PATCHES],
        "pairs_a_step": products * (1 + per_positive),
        "seconds_a_step": step["seconds"],
        **measure_scoring(model, settings.model.max_text_tokens),
    }


def measure_scoring(model: FashionBertForPreTraining, tokens: int, pairs: int = 16) -> dict[str, float]:
    """Score pairs of full length in fp32, after one that warms up and is counted."""
    ids = torch.randint(1000, VOCABULARY, (pairs, tokens), generator=torch.Generator().manual_seed(0))
    features = torch.zeros(pairs, PATCHES, FEATURES)
    model.eval()
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counter:
            model(ids[:1], None, features[:1])
        started = time.perf_counter()
        outputs = model(ids, None, features)
        seconds = time.perf_counter() - started
    assert outputs.alignment_logits is not None
    assert outputs.alignment_logits.shape == (pairs, 2)
    return {"seconds_a_scored_pair": seconds / pairs, "gigaflop_a_pair": counter.get_total_flops() / 1e9}


def write_long_texts(folder: Path, products: int, tokens: int) -> None:
    """Write a catalogue of drawn captions, each repeated until it fills all tokens; nobody opens its pictures."""
    lines = ["product_id,image,text,subcategory,split"]
    for number in range(products + 4):
        caption = write_caption(group_articles(0, number)[0], Random(number)).text.replace(",", "")
        text = " ".join([caption] * (1 + tokens // len(caption.split())))
        lines.append(f"{number},unread.jpg,{text},all,{'train' if number < products else 'validation'}")
    write_text(folder / "products.csv", "\n".join(lines))
    (folder / "unread.jpg").touch()


def write_backbone(folder: Path) -> None:
    """Write a BERT-base with random weights and as many WordPieces, letters and unused ones, as its vocabulary has."""
    BertModel(BertConfig()).save_pretrained(folder)
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1) if not chr(code).isupper()]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    pieces += [f"[unused{number}]" for number in range(VOCABULARY - len(pieces))]
    write_text(folder / "vocab.txt", "\n".join(pieces) + "\n")
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": True})


def fashion_gen_cost(shape: str, measured: dict[str, Any]) -> dict[str, float]:
    """Work out what the published recipe takes on this machine, for the real files.

    Args:
        shape: name of the shape, for its epochs.
        measured: what :func:`measure_part` gave for each part.

    Returns:
        Hours of features (each mode), training and scoring 2 x 1,000 lists of 101, and gigabytes of the store.
    """
    settings, training = settings_of(shape), measured["training"]
    steps = settings.training.epochs * TRAINING_PAIRS / settings.training.batch_size
    return {
        "hours_features_crop": PICTURES * measured["crop"]["seconds_a_picture"] / 3600,
        "hours_features_grid": PICTURES * measured["grid"]["seconds_a_picture"] / 3600,
        "gigabytes_store": PICTURES * PATCHES * FEATURES * 2 / 1e9,
        "epochs": settings.training.epochs,
        "steps": steps,
        "hours_training": steps * training["seconds_a_step"] / 3600,
        "hours_scoring": 2 * 1000 * 101 * training["seconds_a_scored_pair"] / 3600,
        "petaflop_features_crop": PICTURES * measured["crop"]["gigaflop_a_picture"] / 1e6,
        "petaflop_training": 3 * steps * training["pairs_a_step"] * training["gigaflop_a_pair"] / 1e6,
    }


def _in_own_process(shape: str, part: str, catalogue: str) -> dict[str, Any]:
    print(f"{shape}: {part} ...", file=sys.stderr)
    command = [sys.executable, "-m", "benchmarks.shapes", "--catalogue", catalogue, "--part", shape, part]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
