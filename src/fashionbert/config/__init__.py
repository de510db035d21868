"""Every setting of the project: frozen classes, presets, YAML in and out.

A run is described by one :class:`Settings`. It starts from a preset (``presets/*.yaml``), may be changed by a
YAML file, and last by ``part.name=value`` words from the command line. All faults are reported at once.

This package imports neither torch nor transformers, so that ``fashionbert --help`` stays quick.
"""

from fashionbert.config.loading import changed, load_settings, read_preset, settings_from_yaml, settings_to_yaml
from fashionbert.config.settings import (
    PRESETS,
    CatalogueSettings,
    ClickSettings,
    ContrastiveSettings,
    EvaluationSettings,
    ImageSettings,
    ModelSettings,
    NegativeSettings,
    ObjectiveSettings,
    Part,
    Settings,
    Task,
    TrainingSettings,
)

__all__ = [
    "PRESETS",
    "CatalogueSettings",
    "ClickSettings",
    "ContrastiveSettings",
    "EvaluationSettings",
    "ImageSettings",
    "ModelSettings",
    "NegativeSettings",
    "ObjectiveSettings",
    "Part",
    "Settings",
    "Task",
    "TrainingSettings",
    "changed",
    "load_settings",
    "read_preset",
    "settings_from_yaml",
    "settings_to_yaml",
]
