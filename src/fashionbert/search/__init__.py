"""Find products by words or pictures: an index of a catalogue, recall by vectors, re-ranking by the pair model."""

from fashionbert.search.build import BuildState
from fashionbert.search.calibrate import calibrate
from fashionbert.search.calibration import Calibration
from fashionbert.search.engine import SearchEngine
from fashionbert.search.explain import Explanation, WordReason
from fashionbert.search.indexing import IndexOptions, index_catalogue
from fashionbert.search.pictures import IndexedPicture
from fashionbert.search.query import Answer, Hit, Query
from fashionbert.search.shelf import Facet

__all__ = [
    "Answer",
    "BuildState",
    "Calibration",
    "Explanation",
    "Facet",
    "Hit",
    "IndexOptions",
    "IndexedPicture",
    "Query",
    "SearchEngine",
    "WordReason",
    "calibrate",
    "index_catalogue",
]
