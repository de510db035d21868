"""The synthetic world: a small shop drawn with Pillow, of which every attribute is known exactly.

It exists so that the whole way from a catalogue to a measured model runs anywhere, without data or pre-trained
weights, and so that tests can ask whether a model saw what it should have seen. Words: :mod:`words`,
:mod:`captions`. Pictures: :mod:`shapes` and the pattern book :mod:`garments`, :mod:`fabric`, :mod:`scenes`,
:mod:`photograph`.
"""

from fashionbert.catalogue.synthetic.writing import WORLD_VERSION, write_world

__all__ = ["WORLD_VERSION", "write_world"]
