"""Measure search on a hundred thousand drawn products: ``python -m benchmarks.search --model RUN --work FOLDER``.

Draws a shop, indexes it, serves the index on this machine, and asks it as one, four and sixteen callers do. What is in
the work folder is used again: the shop, and the index when only searching is to be measured.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import RESULTS
from benchmarks.callers import Asked, ask_at_rate, ask_together, free_port, wait_until_ready
from fashionbert.bench.results import write_result
from fashionbert.catalogue.synthetic import write_world

NOT_SHOWN = (
    "how good the hits are; a network between caller and service: the callers run on the same cores; the cost of a "
    "larger model than this one"
)
CALLERS = (1, 4, 16)
RERANK = (0, 50)
QUERIES = 500
BARE_REPETITIONS = 300
OVERLOAD_SECONDS = 20.0
PRODUCTS_A_GROUP = 1.05


def main() -> None:
    """Measure everything and write a result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="run folder with vectors")
    parser.add_argument("--work", type=Path, required=True, help="folder for the shop and the index")
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=QUERIES, help="searches of each number of callers")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    world, index = arguments.work / "world", arguments.work / "index"
    if not (world / "world.json").exists():
        write_world(world, groups=round(arguments.products / PRODUCTS_A_GROUP), seed=1, validation_share=0.01)
    build = build_index(world, arguments.model, index)
    texts = queries_of(world)
    bare = bare_ratio(index, texts)
    with served(index) as (port, process):
        ask_together(port, texts[:100], callers=4, rerank=50)  # warms up
        searches = [
            {"callers": callers, "rerank": rerank, **ask_together(port, texts[: arguments.queries], callers, rerank)}
            for rerank in RERANK
            for callers in CALLERS
        ]
        overload = [
            overloaded(port, texts, next(each for each in reversed(searches) if each["rerank"] == rerank))
            for rerank in RERANK
        ]
        memory = gibibytes(process.pid)
    figures: dict[str, Any] = {
        "model": model_facts(arguments.model),
        "build": build,
        "recall_alone": bare,
        "searches": searches,
        "overload": overload,
        "service_peak_gib": memory,
    }
    print(json.dumps(figures, indent=2))
    words = f"--products {arguments.products} --queries {arguments.queries}"
    command = f"python -m benchmarks.search --model RUN --work FOLDER {words}"
    write_result(arguments.out, "search", command, NOT_SHOWN, figures)


def build_index(world: Path, model: Path, index: Path) -> dict[str, Any]:
    """Index the shop by the command, one picture a product; what is there already is not made again, nor timed."""
    facts = index / "build.json"
    if not facts.exists():
        command = ["index", world, "--model", model, "--out", index, "--pictures", 1, "--device", "cpu"]
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "fashionbert", *map(str, command)], check=True)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        products = sum(json.loads((world / "world.json").read_text())["splits"][split]["products"] for split in SPLITS)
        size = sum(path.stat().st_size for path in index.rglob("*") if path.is_file())
        measured = {
            "products": products,
            "seconds": round(seconds, 1),
            "products_a_second": round(products / seconds, 1),
            "peak_gib": round(peak, 2),
            "bytes": size,
            "bytes_a_product": round(size / products),
        }
        facts.write_text(json.dumps(measured))
    return json.loads(facts.read_text())


SPLITS = ("train", "validation")


def queries_of(world: Path) -> list[str]:
    """Titles of the validation split: what a shopper might type, all different."""
    with (world / "validation.csv").open(encoding="utf-8", newline="") as table:
        return list(dict.fromkeys(row["title"] for row in csv.DictReader(table)))


def bare_ratio(index: Path, texts: list[str]) -> dict[str, float]:
    """Recall alone in one process, beside the bare text encoder and the matrix product, in turns; medians in ms."""
    import numpy as np

    from fashionbert.search import Query, SearchEngine

    engine = SearchEngine.open(index)
    taken: dict[str, list[float]] = {"recall_without_words_ms": [], "recall_ms": [], "bare_ms": []}
    for text in (texts * (1 + BARE_REPETITIONS // len(texts)))[:BARE_REPETITIONS]:
        tasks = {
            "recall_without_words_ms": lambda text=text: engine.search(Query(text=text, rerank=0, words=False)),
            "recall_ms": lambda text=text: engine.search(Query(text=text, rerank=0)),
            "bare_ms": lambda text=text: engine.shelf.similarities(engine.encoder.encode_texts([text])),
        }
        for name, task in tasks.items():
            started = time.perf_counter()
            task()
            taken[name].append(1000 * (time.perf_counter() - started))
    medians = {name: round(float(np.median(values)), 3) for name, values in taken.items()}
    ratios = {
        f"{name.removesuffix('_ms')}_to_bare": round(medians[name] / medians["bare_ms"], 2)
        for name in ("recall_ms", "recall_without_words_ms")
    }
    return {**medians, **ratios}


@contextmanager
def served(index: Path) -> Any:
    """Serve an index on a free port of this machine; gives the port and the process."""
    port = free_port()
    command = ["serve", index, "--port", port, "--device", "cpu"]
    process = subprocess.Popen([sys.executable, "-m", "fashionbert", *map(str, command)], env=dict(os.environ))
    try:
        wait_until_ready(port)
        yield port, process
    finally:
        process.terminate()
        process.wait()


def overloaded(port: int, texts: list[str], carried: dict[str, Any]) -> dict[str, Any]:
    """Ask at twice the rate that sixteen callers got, whatever comes back."""
    rate = 2 * carried["searches_a_second"]
    found: Asked = ask_at_rate(port, texts, rate=rate, seconds=OVERLOAD_SECONDS, rerank=carried["rerank"])
    return {"rerank": carried["rerank"], "asked_a_second": round(rate, 1), **found}


def gibibytes(pid: int) -> float:
    """Highest resident memory of a process so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    kibibytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return round(kibibytes / 2**20, 2)


def model_facts(run: Path) -> dict[str, Any]:
    """The shape of the model, which the figures hang on."""
    config = json.loads((run / "config.json").read_text())
    names = ("num_hidden_layers", "split_layers", "hidden_size", "contrastive_size", "late_interaction_size", "patches")
    return {name: config.get(name) for name in names}


if __name__ == "__main__":
    main()
