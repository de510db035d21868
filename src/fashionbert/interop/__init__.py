"""Other people's checkpoints and files, and models for other people's programs."""

from fashionbert.interop.easytransfer import Imported, export_checkpoint, import_checkpoint
from fashionbert.interop.fashiongen_file import write_fashiongen
from fashionbert.interop.onnx import Exported, export_onnx
from fashionbert.interop.onnx_folder import is_exported
from fashionbert.interop.onnx_parity import Difference
from fashionbert.interop.onnx_scorer import OnnxScorer
from fashionbert.interop.pair_evaluation import evaluate_files
from fashionbert.interop.pair_files import EVALUATION_SCHEMA, TRAINING_SCHEMA, parse_row, parse_schema, read_lines
from fashionbert.interop.pair_report import pair_report, write_pair_report
from fashionbert.interop.pair_scores import read_scores, score_files
from fashionbert.interop.parity import differences, read_case

__all__ = [
    "EVALUATION_SCHEMA",
    "TRAINING_SCHEMA",
    "Difference",
    "Exported",
    "Imported",
    "OnnxScorer",
    "differences",
    "evaluate_files",
    "export_checkpoint",
    "export_onnx",
    "import_checkpoint",
    "is_exported",
    "pair_report",
    "parse_row",
    "parse_schema",
    "read_case",
    "read_lines",
    "read_scores",
    "score_files",
    "write_fashiongen",
    "write_pair_report",
]
