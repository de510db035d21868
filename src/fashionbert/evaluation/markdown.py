"""The report as Markdown that a person reads from the top."""

from collections.abc import Mapping
from typing import Any

from fashionbert.evaluation.curves import TITLES
from fashionbert.evaluation.figures import CUTS
from fashionbert.evaluation.protocols import DIRECTIONS

WORDS = {
    "random-101": "the right one and 100 products drawn from all other groups (the paper's protocol)",
    "subcategory-101": "the right one and 100 products of other groups in the same subcategory "
    "(the released code's protocol)",
    "full": "the whole split; right is every product of the query's group",
    "exact": "the whole split; right is the product itself alone, its group counts as wrong",
}


def warnings_of(report: Mapping[str, Any]) -> list[str]:
    """Say what makes the figures doubtful: queries that were missed, pairs that got no score."""
    found = []
    for protocol, block in report["protocols"].items():
        for system, figures in {block["system"]: block, **block["systems"]}.items():
            for direction in DIRECTIONS:
                share, missed = figures[direction]["recall_at_all"], figures[direction]["missed"]
                if share < 1.0:
                    found.append(
                        f"{protocol}, {TITLES[direction]}, {system}: R@all is {share:.2%}, not 100 %: {missed} queries "
                        "got no score for their right answer. They count as missed. Scores were lost or mixed up "
                        "on the way (the released FashionBERT scorer had such a fault), or the model gives NaN."
                    )
            unscored = (figures["matching"] or {}).get("unscored", 0)
            if unscored:
                name = block["matching_system"] if figures is block else system
                found.append(f"{protocol}, matching, {name}: {unscored} pairs got no score and count as wrong.")
    return found


def markdown(report: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    """Write report.md.

    Args:
        report: the content of report.json.
        pictures: file name of each picture by its caption.

    Returns:
        The text of the file.
    """
    lines = ["# Evaluation", ""]
    for warning in report["warnings"]:
        lines += ["> [!WARNING]", f"> **{warning}**", ""]
    lines += [f"{name}: `{report[name]}`  " for name in ("commit", "data_hash") if report.get(name)]
    lines.append(f"{report['gallery']['products']} products in {report['gallery']['groups']} groups.")
    lines += _left_out(report)
    lines += ["", "Shares in percent, with 95 % bootstrap intervals over queries. Ties count against the model."]
    for protocol, block in report["protocols"].items():
        lines += ["", f"## {protocol}", "", f"Candidates: {WORDS[protocol]}.", *_protocol(protocol, block)]
    for caption, name in pictures.items():
        lines += ["", f"## {caption}", "", f"![{caption}]({name})"]
    return "\n".join(lines) + "\n"


def _left_out(report: Mapping[str, Any]) -> list[str]:
    """Say what is not in the gallery, where the caller of the report told it."""
    lines = []
    if "left_out" in report:
        lines.append(f"Products of the split left out for want of a usable picture: {report['left_out']}.")
    if "set_aside" in report:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in report["set_aside"].items())
        lines.append(f"Rows of the whole catalogue set aside, or pictures of them: {reasons or 'none'}.")
    return lines


def _protocol(protocol: str, block: Mapping[str, Any]) -> list[str]:
    lines = []
    for notion in ("full", "exact") if protocol == "full" else (protocol,):
        if notion == "exact":
            lines += ["", f"**exact**: {WORDS['exact']}."]
        lines += ["", *_recall_table(block, notion)]
    lines += ["", *_matching_table(block), "", *_notes(protocol, block)]
    return lines


def _recall_table(block: Mapping[str, Any], notion: str) -> list[str]:
    heads = ["direction", "system", *(f"R@{cut}" for cut in CUTS), "MRR", "mean rank", "R@all"]
    rows = []
    for direction in DIRECTIONS:
        for system, figures in {block["system"]: block, **block["systems"]}.items():
            found = (figures["exact"] if notion == "exact" else figures)[direction]
            cells = [_share(found, f"recall_at_{cut}") for cut in CUTS]
            rows.append(
                [
                    TITLES[direction],
                    system,
                    *cells,
                    _share(found, "mrr"),
                    _plain(found, "mean_rank"),
                    f"{100 * found['recall_at_all']:.4g}",
                ]
            )
        found = (block["exact"] if notion == "exact" else block)[direction]
        chance = [f"{100 * found['chance'][f'recall_at_{cut}']:.1f}" for cut in CUTS]
        rows.append([TITLES[direction], "*chance*", *chance, "", "", ""])
    return _table(heads, rows)


def _matching_table(block: Mapping[str, Any]) -> list[str]:
    name_of_main = block["matching_system"]
    systems = {name_of_main: block, **{name: each for name, each in block["systems"].items() if name != name_of_main}}
    rows = []
    for system, figures in systems.items():
        found = figures["matching"]
        if found is None:
            continue
        error = found["calibration_error"]
        rows.append(
            [
                system,
                f"{found['pairs']:,}",
                _share(found, "accuracy"),
                _share(found, "auc"),
                _share(found, "average_precision"),
                "" if error is None else f"{error:.3f}",
            ]
        )
    return _table(["matching", "pairs", "accuracy", "ROC AUC", "average precision", "calibration error"], rows)


def _notes(protocol: str, block: Mapping[str, Any]) -> list[str]:
    notes = []
    for system, by_direction in block["difference"].items():
        for direction, gain in by_direction.items():
            low, high = (100 * end for end in gain["recall_at_1_interval"])
            verdict = "beyond chance" if low > 0 or high < 0 else "within chance"
            notes.append(
                f"- {TITLES[direction]}: {block['system']} minus {system}, R@1 {100 * gain['recall_at_1']:+.1f} points "
                f"({low:+.1f} to {high:+.1f}, paired), {verdict}."
            )
    if protocol == "full":
        return notes
    seeds = ", ".join(str(draw["seed"]) for draw in block["draws"])
    notes.append(f"- Draws of seeds {seeds}; {block['text_to_image']['rows']:,} lists each way.")
    for direction, filled in block["filled"].items():
        parts = [
            f"{filled[f'candidates_{where}']:,} of {filled['candidates']:,} candidates, in "
            f"{filled[f'queries_{where}']:,} of {filled['queries']:,} lists, {words}"
            for where, words in {
                "category": "came from the wider category",
                "anywhere": "came from anywhere",
                "missing": "are missing: the split has too few products of other groups",
            }.items()
            if filled[f"candidates_{where}"]
        ]
        notes.append(f"- {TITLES[direction]}: {'; '.join(parts) or 'every list is filled as the protocol asks'}.")
    return notes


def _share(figures: Mapping[str, Any], name: str) -> str:
    if figures[name] is None:
        return ""
    low, high = figures[f"{name}_interval"]
    return f"**{100 * figures[name]:.1f}** ({100 * low:.1f}–{100 * high:.1f})"


def _plain(figures: Mapping[str, Any], name: str) -> str:
    low, high = figures[f"{name}_interval"]
    return f"{figures[name]:.1f} ({low:.1f}–{high:.1f})"


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    ruler = ["---", "---", *["---:"] * (len(heads) - 2)]
    return [f"| {' | '.join(cells)} |" for cells in (heads, ruler, *rows)]
