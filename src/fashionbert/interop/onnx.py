"""A trained pair model becomes a folder that ONNX Runtime scores with.

Letters: B pairs, T text tokens, P patches, F feature size.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from fashionbert.errors import ExportError, RunError
from fashionbert.files import replacing_folder
from fashionbert.interop.onnx_folder import GRAPH, INT8_GRAPH, refuse_other_content, write_record
from fashionbert.interop.onnx_graph import quantise, write_graph
from fashionbert.interop.onnx_parity import Difference, difference, model_margins, random_pairs, session_margins
from fashionbert.interop.onnx_session import PairSession
from fashionbert.scoring import FashionBertProcessor, load_model, model_fingerprint
from fashionbert.scoring.run_folder import COMPANIONS, UNTAUGHT, pairs_were_learnt

TOLERANCE = 1e-4
"""Margins of the float32 graph may be so far from the model's."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote.

    Attributes:
        folder: where.
        parity: margins of the float32 graph beside the model's.
        int8: margins of the graph with 8-bit weights beside the model's; None where it was not asked for.
    """

    folder: Path
    parity: Difference
    int8: Difference | None


def export_onnx(run: Path, out: Path, *, int8: bool = False) -> Exported:
    """Write the pair score of a model as ONNX, and compare it with the model on random pairs.

    The graph takes ``input_ids`` and ``attention_mask`` [B, T], int64, and ``patch_features`` [B, P, F], float32, and
    gives ``margin`` [B], float32: the logit of a match less that of none. B and T may be any, T up to the model's
    longest text; P and F are the model's.

    Args:
        run: run folder, or any folder that holds a whole model with its processor.
        out: folder of the result, new, empty, or of an earlier export, which is replaced.
        int8: write a graph with 8-bit weights beside it.

    Returns:
        The folder, and how far its margins are from the model's.

    Raises:
        RunError: the run folder is missing, half written or edited, or its model has not learnt to score pairs.
        ExportError: the graph's margins are more than 0.0001 from the model's, or ``out`` holds something else.
        FolderInUseError: another process exports there.
        MissingExtraError: a package of the extra ``onnx`` is not installed.
    """
    refuse_other_content(out)
    model = load_model(run).eval()
    processor = FashionBertProcessor.from_pretrained(run)
    processor.refuse_other_model(run, model.config)
    if not pairs_were_learnt(run):
        raise RunError(f"{UNTAUGHT}. Go on with the run, then export it")
    pairs = random_pairs(model, processor.tokenizer)
    expected_N = model_margins(model, pairs)
    with replacing_folder(out) as folder:
        write_graph(model, folder / GRAPH)
        session = PairSession(folder / GRAPH)
        if session.fixed:
            raise ExportError(f"the graph's sizes are fixed: {', '.join(session.fixed)}; try another version of torch")
        parity = difference(session_margins(session, pairs), expected_N)
        if not parity.largest <= TOLERANCE:
            raise ExportError(
                f"margins of the graph are up to {parity.largest:.2g} from the model's, {TOLERANCE:g} are allowed: "
                "try other versions of torch, onnxscript and onnxruntime"
            )
        eight_bits = None
        if int8:
            quantise(folder / GRAPH, folder / INT8_GRAPH)
            eight_bits = difference(session_margins(PairSession(folder / INT8_GRAPH), pairs), expected_N)
        for name in COMPANIONS:
            if (run / name).exists():
                shutil.copyfile(run / name, folder / name)
        write_record(folder, model_fingerprint(run), parity, eight_bits)
    return Exported(out, parity, eight_bits)
