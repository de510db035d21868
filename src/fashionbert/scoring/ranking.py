"""What a ranking asks for: one side against many of the other."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from fashionbert.types import ImageInput


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate and how well it matches.

    Attributes:
        index: its place in the list of candidates.
        score: match probability in [0, 1].
    """

    index: int
    score: float


def pairs_to_rank(
    query: str | ImageInput, candidates: Sequence[str | ImageInput]
) -> tuple[list[str], list[ImageInput]]:
    """Sort query and candidates into texts and pictures; the rules are those of ``Scorer.rank``.

    Args:
        query: a text, or a picture.
        candidates: pictures for a text, texts for a picture.

    Returns:
        Texts and pictures, one of each for every candidate.

    Raises:
        TypeError: it is unclear or impossible which side is the text.
    """
    listed = list(candidates)
    strings = [isinstance(candidate, str) for candidate in listed]
    if any(strings) and not all(strings):
        raise TypeError("candidates mix texts and pictures: pass paths of pictures as pathlib.Path")
    if isinstance(query, str) and not _is_picture_of(query, listed, strings):
        return [query] * len(listed), listed
    if listed and not any(strings):
        raise TypeError("query and candidates are both pictures: the pair model needs a text on one side")
    return [str(candidate) for candidate in listed], [query] * len(listed)


def _is_picture_of(query: str, candidates: Sequence[str | ImageInput], strings: Sequence[bool]) -> bool:
    """Whether a string that asks is the name of a picture, which it may be where all that answer are texts."""
    return all(strings) and _is_file(query) and not any(_is_file(str(candidate)) for candidate in candidates)


def _is_file(name: str) -> bool:
    return os.path.isfile(name)  # noqa: PTH113 (Path.is_file raises where a text is too long for a name)


def refuse_no_texts(texts: Sequence[str]) -> None:
    """Raise TypeError where texts are none, naming the first; NaN and None are what tables hold for a missing one."""
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"text {number} is {text!r}, a {type(text).__name__}: give a str, '' for no words")
