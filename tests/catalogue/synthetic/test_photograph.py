from itertools import pairwise
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from fashionbert.catalogue.synthetic.attributes import COLOURS, KINDS, MOTIFS, PATTERNS, Article, Kind
from fashionbert.catalogue.synthetic.photograph import SIZE, photograph
from fashionbert.catalogue.synthetic.scenes import View


def article_of(kind: Kind, **changes: str) -> Article:
    plain = {"colour": "red", "pattern": "plain", "second_colour": "", "motif": ""}
    return Article(
        kind=kind, attributes=plain | {name: values[0] for name, values in kind.attributes.items()} | changes
    )


def pixels(article: Article, view: View = "studio", seed: int = 0) -> NDArray[np.float64]:
    return np.asarray(photograph(article, view, Random(seed)), np.float64)


def changed(first: NDArray[np.float64], second: NDArray[np.float64], by: float = 24) -> float:
    """Share of the picture that differs clearly."""
    return (np.abs(first - second).max(axis=-1) > by).mean()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_plain_garment_has_its_colour(kind: Kind) -> None:
    reference = pixels(article_of(kind, colour="green"))
    other = pixels(article_of(kind, colour="pink"))
    for name, rgb in COLOURS.items():
        seen = pixels(article_of(kind, colour=name))
        garment = np.abs(reference - other).max(axis=-1) > 60
        assert garment.mean() > 0.08
        middle = np.median(seen[garment], axis=0)
        nearest = min(COLOURS, key=lambda colour: np.square(middle - COLOURS[colour]).sum())
        assert nearest == name, middle
        assert np.abs(middle - rgb).max() < 30


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_value_of_every_attribute_can_be_seen(kind: Kind) -> None:
    for name, values in kind.attributes.items():
        pictures = [pixels(article_of(kind, **{name: value})) for value in values]
        for first in range(len(values)):
            for second in range(first):
                share = changed(pictures[first], pictures[second])
                assert share > 0.002, (name, values[first], values[second], share)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_patterns_and_prints_can_be_seen(kind: Kind) -> None:
    looks = [
        {"pattern": "plain"},
        *({"pattern": name, "second_colour": "white"} for name in ("contrast trim", *PATTERNS)),
    ]
    if kind.motifs:
        looks += [{"pattern": "print", "second_colour": "white", "motif": motif} for motif in MOTIFS]
    pictures = [pixels(article_of(kind, **look)) for look in looks]
    for number, picture in enumerate(pictures):
        for earlier in pictures[:number]:
            assert changed(picture, earlier) > 0.004


def test_a_pattern_shows_both_colours() -> None:
    seen = pixels(article_of(KINDS[4], pattern="striped", colour="navy", second_colour="yellow"))
    for colour in ("navy", "yellow"):
        near = np.abs(seen - COLOURS[colour]).max(axis=-1) < 45
        assert near.mean() > 0.04


@pytest.mark.parametrize("view", ["studio", "hanger", "flat-lay", "detail"])
def test_a_view_is_a_picture_of_its_own_and_repeats(view: View) -> None:
    article = article_of(KINDS[0])
    picture = photograph(article, view, Random(5))
    assert picture.size == SIZE
    assert picture.mode == "RGB"
    assert np.array_equal(np.asarray(picture), pixels(article, view, 5))
    assert changed(pixels(article, view, 5), pixels(article, view, 6)) > 0.01


def test_views_differ() -> None:
    views = [pixels(article_of(KINDS[0]), view) for view in ("studio", "hanger", "flat-lay", "detail")]
    assert all(changed(first, second, by=8) > 0.2 for first, second in pairwise(views))
