"""Side by side on this machine: fashionbert, what else does the same work, and the machine's own limit.

The names below are imported when they are first used: the process of a contender shall load what that contender needs,
and nothing of the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fashionbert.bench.contender import Contender
    from fashionbert.bench.features import draw_pictures, feature_contenders
    from fashionbert.bench.indexing import index_contenders
    from fashionbert.bench.machine import gemm_rates
    from fashionbert.bench.scoring import JOINT, ScoringShape, joint_operations, scoring_contenders
    from fashionbert.bench.searching import search_contenders
    from fashionbert.bench.starting import Fresh, start_contenders
    from fashionbert.bench.training import (
        EQUAL,
        PAPER,
        TrainingShape,
        profile_step,
        training_contenders,
        training_operations,
    )
    from fashionbert.bench.turns import Measured, measure_in_turns

_HOMES = {
    "EQUAL": "training",
    "JOINT": "scoring",
    "PAPER": "training",
    "Contender": "contender",
    "Fresh": "starting",
    "Measured": "turns",
    "ScoringShape": "scoring",
    "TrainingShape": "training",
    "draw_pictures": "features",
    "feature_contenders": "features",
    "gemm_rates": "machine",
    "index_contenders": "indexing",
    "joint_operations": "scoring",
    "measure_in_turns": "turns",
    "profile_step": "training",
    "scoring_contenders": "scoring",
    "search_contenders": "searching",
    "start_contenders": "starting",
    "training_contenders": "training",
    "training_operations": "training",
}

__all__ = [
    "EQUAL",
    "JOINT",
    "PAPER",
    "Contender",
    "Fresh",
    "Measured",
    "ScoringShape",
    "TrainingShape",
    "draw_pictures",
    "feature_contenders",
    "gemm_rates",
    "index_contenders",
    "joint_operations",
    "measure_in_turns",
    "profile_step",
    "scoring_contenders",
    "search_contenders",
    "start_contenders",
    "training_contenders",
    "training_operations",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fashionbert.bench' has no attribute {name!r}")
    return getattr(import_module(f"fashionbert.bench.{_HOMES[name]}"), name)
