"""Side by side on this machine: fashionbert, what else does the same work, and the machine's own limit."""

from fashionbert.bench.contender import Contender
from fashionbert.bench.features import draw_pictures, feature_contenders
from fashionbert.bench.machine import gemm_rates
from fashionbert.bench.scoring import JOINT, ScoringShape, joint_operations, scoring_contenders
from fashionbert.bench.training import EQUAL, PAPER, TrainingShape, training_contenders, training_operations
from fashionbert.bench.turns import Measured, measure_in_turns

__all__ = [
    "EQUAL",
    "JOINT",
    "PAPER",
    "Contender",
    "Measured",
    "ScoringShape",
    "TrainingShape",
    "draw_pictures",
    "feature_contenders",
    "gemm_rates",
    "joint_operations",
    "measure_in_turns",
    "scoring_contenders",
    "training_contenders",
    "training_operations",
]
