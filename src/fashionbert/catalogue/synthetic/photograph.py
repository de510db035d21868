"""Photographs: a garment, lit, and set into a scene."""

from functools import lru_cache
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from fashionbert.catalogue.synthetic.attributes import Article
from fashionbert.catalogue.synthetic.garments import shapes_of
from fashionbert.catalogue.synthetic.scenes import SHADOWS, Shadow, View, backdrop, holder
from fashionbert.catalogue.synthetic.sewing import SIZE, Placement, sew

_FRAMING = {
    "T-shirt": (168.0, 1.06),
    "Shirt": (178.0, 1.06),
    "Sweater": (178.0, 1.06),
    "Hoodie": (166.0, 1.06),
    "Dress": (208.0, 1.0),
    "Jumpsuit": (208.0, 1.0),
    "Trousers": (208.0, 1.02),
    "Shorts": (148.0, 1.5),
    "Skirt": (208.0, 1.04),
    "Coat": (200.0, 0.98),
    "Jacket": (150.0, 1.06),
    "Bag": (212.0, 1.06),
}
"""Kind -> the height that stands in the middle of the picture, and its enlargement."""


def photograph(article: Article, view: View, rng: Random) -> Image.Image:
    """Take a picture of an article.

    Args:
        article: what to draw.
        view: scene and distance.
        rng: position, light, folds and backdrop.

    Returns:
        An RGB picture of :data:`SIZE`.
    """
    placement = _placement(article, view, rng)
    shapes = [*holder(view, article.kind.category), *shapes_of(article)]
    cloth, mask = sew(article, shapes, placement, rng.uniform(0.92, 1.08))
    light = _folds(mask, rng) * rng.uniform(0.96, 1.04)
    scene = backdrop(view, SIZE, rng) * _shade(mask, SHADOWS[view])[..., None]
    cover = np.asarray(mask, np.float32)[..., None] / 255
    pixels = scene + cover * (np.asarray(cloth, np.float32) * light[..., None] - scene)
    tint = np.array([1 + rng.uniform(-0.015, 0.015), 1.0, 1 + rng.uniform(-0.015, 0.015)], np.float32)
    return Image.fromarray(np.clip(pixels * tint + 0.5, 0, 255).astype(np.uint8))


def _placement(article: Article, view: View, rng: Random) -> Placement:
    pivot, scale = _FRAMING[article.kind.name]
    angle = rng.uniform(-6, 6) if view == "flat-lay" else rng.uniform(-1, 1)
    shift = (rng.uniform(-3, 3), rng.uniform(-3, 3))
    scale *= rng.uniform(0.95, 1.02)
    if view == "detail":
        closer = 10 if article.kind.category == "Accessories" else -30
        pivot, scale = pivot + closer, scale * 1.25
    return Placement(pivot, scale, angle, shift)


def _folds(mask: Image.Image, rng: Random) -> NDArray[np.float32]:
    """Light on the cloth: darker toward its edges, a few soft folds, a little weave."""
    small = mask.reduce(2)
    rounded = _blurred(small, 4) / 255
    folds = Image.new("L", small.size, 128)
    draw = ImageDraw.Draw(folds)
    for _ in range(rng.randrange(4, 8)):
        x, y = rng.uniform(0.25, 0.75) * small.width, rng.uniform(0.2, 0.8) * small.height
        run, drop = rng.uniform(-9, 9), rng.uniform(12, 34)
        draw.line((x, y, x + run, y + drop), fill=rng.choice((60, 80, 190, 206)), width=3)
    soft = _blurred(folds, 2.5) / 128 - 1
    light = (0.70 + 0.32 * rounded) * (1 + 0.32 * soft) * _grain(rng.randrange(8))
    return light.astype(np.float32)


@lru_cache(maxsize=8)
def _grain(number: int) -> NDArray[np.float32]:
    noise = np.random.default_rng(number).normal(1.0, 0.012, (SIZE[1], SIZE[0]))
    return noise.astype(np.float32)


def _shade(mask: Image.Image, shadow: Shadow) -> NDArray[np.float32]:
    """Light that the garment leaves on the scene behind it."""
    moved = Image.new("L", mask.size, 0)
    moved.paste(mask, shadow.shift)
    light = 1 - shadow.strength * _blurred(moved.reduce(2), shadow.blur / 2) / 255
    return light.astype(np.float32)


def _blurred(half: Image.Image, radius: float) -> NDArray[np.float32]:
    """Blur a picture of half size, where it is cheap, and bring it to full size."""
    soft = half.filter(ImageFilter.GaussianBlur(radius)).resize(SIZE, Image.Resampling.BILINEAR)
    return np.asarray(soft, np.float32)
