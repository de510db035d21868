"""Scores for pairs and vectors for single sides, from a run folder."""

from fashionbert.scoring.kept import KeptPictures, Prepared
from fashionbert.scoring.probability import match_probability
from fashionbert.scoring.processor import FashionBertProcessor
from fashionbert.scoring.ranking import Ranked
from fashionbert.scoring.run_folder import load_model, model_fingerprint, read_figures, read_settings, save_weights
from fashionbert.scoring.scorer import Scorer

__all__ = [
    "FashionBertProcessor",
    "KeptPictures",
    "Prepared",
    "Ranked",
    "Scorer",
    "load_model",
    "match_probability",
    "model_fingerprint",
    "read_figures",
    "read_settings",
    "save_weights",
]
