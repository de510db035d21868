"""Training: from a catalogue with its features to a run folder."""

from fashionbert.training.display import Display
from fashionbert.training.preflight import refuse_early
from fashionbert.training.run import build_extractor, join_processes, train

__all__ = ["Display", "build_extractor", "join_processes", "refuse_early", "train"]
