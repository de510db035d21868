"""Reports as tables on a terminal; the whole report is in its folder."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

_RECALLS = ("recall_at_1", "recall_at_5", "recall_at_10")
_DIRECTIONS = {"text_to_image": "text → image", "image_to_text": "image → text"}


def report_tables(report: Mapping[str, Any]) -> Iterator[Table]:
    """Make a table of recalls for each protocol, and one of matching, in percent with 95 % intervals.

    Args:
        report: content of report.json.

    Yields:
        Tables that fit 80 columns.
    """
    for name, block in report["protocols"].items():
        table = Table(title=f"{name}, %", title_justify="left")
        table.add_column("direction")
        table.add_column("system")
        for recall in _RECALLS:
            table.add_column(recall.replace("recall_at_", "R@"), justify="right")
        for direction, words in _DIRECTIONS.items():
            systems = {block["system"]: block[direction]}
            systems |= {system: figures[direction] for system, figures in block["systems"].items()}
            for system, figures in systems.items():
                table.add_row(words, system, *(_share(figures, recall) for recall in _RECALLS))
            table.add_row(words, "chance", *(f"{100 * block[direction]['chance'][recall]:.1f}" for recall in _RECALLS))
        yield table
    yield _matching_table(report["matching"], "matching, as many wrong pairs as right ones")


def pair_tables(report: Mapping[str, Any]) -> Iterator[Table]:
    """Make the tables of a report on the authors' files: one direction, all rows.

    Args:
        report: content of report.json.

    Yields:
        Tables that fit 80 columns.
    """
    direction = report["direction"]
    figures = report[direction]
    table = Table(title=f"{figures['queries']:,} queries, by {report['score']}, %", title_justify="left")
    table.add_column("direction")
    for recall in _RECALLS:
        table.add_column(recall.replace("recall_at_", "R@"), justify="right")
    table.add_row(_DIRECTIONS[direction], *(_share(figures, recall) for recall in _RECALLS))
    table.add_row("chance", *(f"{100 * figures['chance'][recall]:.1f}" for recall in _RECALLS))
    yield table
    yield _matching_table(report["matching"], f"matching, {report['matching']['pairs']:,} rows")


def scoring_fault_table() -> Table:
    """Make the table of the released scorer's figures: printed, derived from right ranks, and corrected."""
    from fashionbert.evaluation.released_scorer import CUTS, HITS, PRINTED, correct, scored_their_way

    table = Table(title="The released scorer, 1,000 queries x 101 candidates", title_justify="left")
    for name in ("direction", "figures", *(f"R@{cut}" for cut in CUTS), "queries"):
        table.add_column(name, justify="left" if name in ("direction", "figures") else "right")
    for direction, printed in PRINTED.items():
        derived, counted = scored_their_way(direction)
        corrected = correct(printed)
        words = _DIRECTIONS[direction]
        table.add_row(words, "right ranks", *map(str, HITS[direction]), "1000")
        table.add_row(words, "scored their way", *(f"{share:.3f}" for share in derived), str(counted))
        table.add_row(words, "printed", *(f"{share:.3f}" for share in printed), "")
        table.add_row(words, "corrected, %", *(f"{100 * share:.1f}" for share in corrected.recall), "1000")
        table.add_section()
    return table


def parity_table(differences: Mapping[str, float]) -> Table:
    """Make the table of how far our outputs are from the authors'."""
    table = Table(title="Ours against the authors' code", title_justify="left")
    table.add_column("output")
    table.add_column("largest difference", justify="right")
    for name, difference in differences.items():
        table.add_row(name, f"{difference:.1e}")
    return table


def _matching_table(matching: Mapping[str, Any], title: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in ("accuracy, %", "ROC AUC, %", "calibration error"):
        table.add_column(name, justify="right")
    error = matching.get("calibration_error")
    table.add_row(_share(matching, "accuracy"), _share(matching, "auc"), "" if error is None else f"{error:.3f}")
    return table


def _share(figures: Mapping[str, Any], name: str) -> str:
    if figures.get(name) is None:
        return ""
    low, high = figures[f"{name}_interval"]
    return f"{100 * figures[name]:.1f} ({100 * low:.0f}-{100 * high:.0f})"
