"""TREC run and qrels files, so that trec_eval, ir-measures and others can check our figures.

trec_eval breaks ties by document name, which may favour the truth. A run written here has distinct scores, made
from the ranks of this project: what ties with the truth, or has no score, stands before it. A truth without a
score is left out of the run, so that it counts as missed there too. On these files Success@k is our recall at k
and RR is our reciprocal rank.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from fashionbert.evaluation.gallery import Gallery
from fashionbert.evaluation.protocols import ABSENT, CandidateLists
from fashionbert.evaluation.ranking import pessimistic_order
from fashionbert.files import write_text


def write_trec(
    folder: Path, gallery: Gallery, lists: CandidateLists, scores_QC: NDArray[np.float64], system: str
) -> tuple[Path, Path]:
    """Write ``<protocol>.<direction>.seed<seed>.qrels`` and the run of one system beside it.

    Ids are percent-encoded where they hold anything but letters, digits and ``_.-~``.

    Args:
        folder: made if it is not there.
        gallery: the split that the lists belong to.
        lists: one draw.
        scores_QC: the system's scores of the lists.
        system: its name.

    Returns:
        Paths of run and qrels.
    """
    stem = f"{lists.protocol}.{lists.direction}.seed{lists.seed}"
    run, qrels = folder / f"{stem}.{_word(system)}.run", folder / f"{stem}.qrels"
    names = [_word(product_id) for product_id in gallery.product_ids]
    write_text(qrels, "".join(f"{names[query]} 0 {names[query]} 1\n" for query in lists.queries))
    write_text(run, "".join(_run_lines(names, lists, scores_QC, _word(system))))
    return run, qrels


def _run_lines(names: list[str], lists: CandidateLists, scores_QC: NDArray[np.float64], system: str) -> Iterator[str]:
    for query, candidates_C, scores_C in zip(lists.queries, lists.candidates, scores_QC, strict=True):
        present_C = candidates_C != ABSENT
        candidates_C, scores_C = candidates_C[present_C], scores_C[present_C]
        truth_C = candidates_C == query
        order = pessimistic_order(scores_C, truth_C)
        order = order[~(truth_C & np.isnan(scores_C))[order]]
        for place, candidate in enumerate(candidates_C[order]):
            yield f"{names[query]} Q0 {names[candidate]} {place + 1} {len(order) - place} {system}\n"


def _word(name: str) -> str:
    return quote(name, safe="")
