"""Scores for pairs and vectors for single sides, from a run folder."""

from fashionbert.scoring.probability import match_probability
from fashionbert.scoring.processor import FashionBertProcessor
from fashionbert.scoring.ranking import Ranked
from fashionbert.scoring.run_folder import load_model, read_figures, read_settings, save_weights
from fashionbert.scoring.scorer import Scorer

__all__ = [
    "FashionBertProcessor",
    "Ranked",
    "Scorer",
    "load_model",
    "match_probability",
    "read_figures",
    "read_settings",
    "save_weights",
]
