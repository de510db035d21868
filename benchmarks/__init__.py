"""Measurements of speed; see README.md beside this file."""

from pathlib import Path

RESULTS = Path(__file__).parent / "results"
