"""Write the page of what the published shapes take at full size: ``python docs/full_size.py``.

It is made of the newest result of ``python -m benchmarks.shapes``.
"""

import json
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
PAGE = DOCS / "reference" / "full-size.md"
RESULTS = DOCS.parent / "benchmarks" / "results"
_GENERATED = "<!-- written by docs/full_size.py from benchmarks/results: measure anew, then run it -->"
_TITLES = {"paper": "paper", "released": "released", "inception_v3": "paper, InceptionV3"}


def newest_result() -> dict[str, Any]:
    """Read the newest result file of ``benchmarks.shapes``."""
    return json.loads(max(RESULTS.glob("*-shapes-*.json")).read_text("utf-8"))


def page(result: dict[str, Any]) -> str:
    """Lay the figures out: what was measured, and what Fashion-Gen takes at these rates."""
    hardware = result["hardware"]
    lines = ["# The published shapes at full size", "", _GENERATED, ""]
    lines += [
        f"Measured on {result['date']} at commit {result['commit']} on {hardware['cores']} CPU cores "
        f"({hardware['machine']}, torch {result['versions']['torch']}) by `python -m benchmarks.shapes`: random "
        "weights, real pictures, texts of full length, float32, one process for each part. It does not show "
        f"{result['does_not_show']}.",
    ]
    lines += ["", "## Measured", "", *_table(result["shapes"], _MEASURED)]
    lines += ["", "## Fashion-Gen at these rates", ""]
    lines += [
        "Computed, not run: 293,008 pictures, 260,480 training pairs, the epochs of the preset, 2 x 1,000 lists of 101 "
        "candidates. The last rows are the arithmetic itself, for other machines: divide by the rate that yours "
        "sustains (a PFLOP at 100 TFLOP/s takes 10 seconds).",
    ]
    lines += ["", *_table(result["fashion_gen"], _COMPUTED)]
    return "\n".join(lines) + "\n"


_MEASURED = (
    ("parameters of the patch network", "crop.network_parameters", "{:,}"),
    ("parameters of the model", "training.model_parameters", "{:,}"),
    ("words + patches of a pair", "training.tokens", "{0[0]} + {0[1]}"),
    ("features, `crop`, s a picture", "crop.seconds_a_picture", "{:.2f}"),
    ("features, `crop`, GFLOP a picture", "crop.gigaflop_a_picture", "{:,.0f}"),
    ("features, `crop`, peak GiB", "crop.peak_gibibytes", "{:.1f}"),
    ("features, `grid`, s a picture", "grid.seconds_a_picture", "{:.2f}"),
    ("features, `grid`, GFLOP a picture", "grid.gigaflop_a_picture", "{:,.0f}"),
    ("features, `grid`, peak GiB", "grid.peak_gibibytes", "{:.1f}"),
    ("training, pairs a step", "training.pairs_a_step", "{}"),
    ("training, s a step", "training.seconds_a_step", "{:.0f}"),
    ("training, peak GiB", "training.peak_gibibytes", "{:.1f}"),
    ("scoring, s a pair", "training.seconds_a_scored_pair", "{:.3f}"),
    ("scoring, GFLOP a pair", "training.gigaflop_a_pair", "{:.0f}"),
)
_COMPUTED = (
    ("feature store, GB", "gigabytes_store", "{:.0f}"),
    ("features, `crop`, hours", "hours_features_crop", "{:,.0f}"),
    ("features, `grid`, hours", "hours_features_grid", "{:,.0f}"),
    ("epochs", "epochs", "{:g}"),
    ("steps", "steps", "{:,.0f}"),
    ("training, hours", "hours_training", "{:,.0f}"),
    ("scoring, hours", "hours_scoring", "{:,.1f}"),
    ("features, `crop`, PFLOP", "petaflop_features_crop", "{:,.0f}"),
    ("training, PFLOP", "petaflop_training", "{:,.0f}"),
)


def _table(shapes: dict[str, Any], rows: tuple[tuple[str, str, str], ...]) -> list[str]:
    lines = [f"| | {' | '.join(_TITLES[name] for name in shapes)} |", f"| --- |{' ---: |' * len(shapes)}"]
    for words, path, form in rows:
        lines.append(f"| {words} | {' | '.join(form.format(_at(shape, path)) for shape in shapes.values())} |")
    return lines


def _at(values: Any, path: str) -> Any:
    for name in path.split("."):
        values = values[name]
    return values


if __name__ == "__main__":
    PAGE.write_text(page(newest_result()), "utf-8")
