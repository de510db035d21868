"""Training: from a catalogue with its features to a run folder."""

from fashionbert.training.display import Display
from fashionbert.training.run import build_extractor, join_processes, refuse_another_run, train

__all__ = ["Display", "build_extractor", "join_processes", "refuse_another_run", "train"]
