"""Scenes: what a garment is photographed in front of, and how it is held there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from fashionbert.catalogue.synthetic.attributes import Rgb
from fashionbert.catalogue.synthetic.fabric import mix
from fashionbert.catalogue.synthetic.shapes import Shape, Stroke, bend, both

View = Literal["studio", "hanger", "flat-lay", "detail"]

_STUDIOS: tuple[Rgb, ...] = ((250, 250, 250), (238, 239, 241), (244, 238, 230), (232, 237, 242))
_WALLS: tuple[Rgb, ...] = ((226, 219, 207), (208, 217, 212), (221, 212, 212))
_FLOORS: tuple[Rgb, ...] = ((196, 164, 124), (214, 190, 158), (172, 142, 112))
_TILES: tuple[Rgb, ...] = ((224, 225, 224), (206, 210, 214), (232, 226, 216))
_WHITE: Rgb = (255, 255, 255)
_BLACK: Rgb = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Shadow:
    """How a garment's shadow falls: shift and blur in pixels, strength from 0 to 1."""

    shift: tuple[int, int]
    blur: float
    strength: float


SHADOWS: dict[View, Shadow] = {
    "studio": Shadow((3, 5), 6.0, 0.30),
    "hanger": Shadow((7, 7), 4.0, 0.34),
    "flat-lay": Shadow((2, 3), 2.5, 0.46),
    "detail": Shadow((3, 5), 6.0, 0.30),
}


def backdrop(view: View, size: tuple[int, int], rng: Random) -> NDArray[np.float32]:
    """Give the empty scene as float32 [height, width, 3], 0 to 255."""
    paint, tones = _SCENES[view][rng.randrange(len(_SCENES[view]))]
    return paint(rng.choice(tones), size, rng.randrange(4))


def holder(view: View, category: str) -> list[Shape]:
    """Draw what holds the garment: a wooden hanger, or one with clips."""
    if view != "hanger":
        return []
    if category == "Bottoms":
        hook = bend((0, 14), (16, -14), (-6, -22))
        return [
            Stroke(hook, "metal", 4.0),
            Stroke([(-46, 16), (46, 16)], "metal", 5.0),
            *both(Stroke([(38, 12), (38, 42)], "metal", 8.0)),
        ]
    hook = [(0.0, 56.0), *bend((0, 40), (-2, 20), (8, 16)), *bend((8, 16), (18, 6), (2, 0))]
    return [Stroke(hook, "metal", 3.6), *both(Stroke(bend((0, 54), (20, 58), (54, 78)), "wood", 9.0))]


@lru_cache(maxsize=64)
def _studio(tone: Rgb, size: tuple[int, int], variant: int) -> NDArray[np.float32]:
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = np.hypot(x / width - 0.5 + 0.08 * (variant - 1.5), y / height - 0.42)
    light = 1.02 - 0.16 * distance**1.5
    return np.minimum(light[..., None] * np.array(tone, np.float32), 255.0)


@lru_cache(maxsize=64)
def _wall(tone: Rgb, size: tuple[int, int], variant: int) -> NDArray[np.float32]:
    width, height = size
    picture = Image.new("RGB", size, tone)
    draw = ImageDraw.Draw(picture)
    if variant % 2:
        for x in range(0, width, 14):
            draw.line((x, 0, x, height), fill=mix(tone, _BLACK, 0.05), width=1)
    floor = round(height * 0.91)
    draw.rectangle((0, floor, width, height), fill=mix(tone, (120, 90, 60), 0.45))
    draw.rectangle((0, floor - 5, width, floor), fill=mix(tone, _WHITE, 0.5))
    light = np.linspace(1.04 - 0.02 * variant, 0.92, width, dtype=np.float32)
    return np.minimum(np.asarray(picture, np.float32) * light[None, :, None], 255.0)


@lru_cache(maxsize=64)
def _planks(tone: Rgb, size: tuple[int, int], variant: int) -> NDArray[np.float32]:
    width, height = size
    rng = Random(variant)
    picture = Image.new("RGB", size, tone)
    draw = ImageDraw.Draw(picture)
    for left in range(-rng.randrange(20), width, 28):
        board = mix(tone, rng.choice((_BLACK, _WHITE)), rng.uniform(0, 0.09))
        draw.rectangle((left, 0, left + 27, height), fill=board)
        for _ in range(7):
            x = left + rng.randrange(3, 25)
            draw.line((x, 0, x + rng.randrange(-3, 4), height), fill=mix(board, _BLACK, 0.05))
        end = rng.randrange(height)
        draw.line((left, end, left + 27, end), fill=mix(tone, _BLACK, 0.35))
        draw.line((left, 0, left, height), fill=mix(tone, _BLACK, 0.35))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(0.5)), np.float32)


@lru_cache(maxsize=64)
def _tiles(tone: Rgb, size: tuple[int, int], variant: int) -> NDArray[np.float32]:
    width, height = size
    rng = Random(variant)
    picture = Image.new("RGB", size, tone)
    draw = ImageDraw.Draw(picture)
    side = 56
    for top in range(-rng.randrange(side), height, side):
        for left in range(-rng.randrange(side), width, side):
            draw.rectangle((left, top, left + side, top + side), fill=mix(tone, _BLACK, rng.uniform(0, 0.05)))
            draw.rectangle((left, top, left + side, top + side), outline=mix(tone, _BLACK, 0.16))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(0.6)), np.float32)


_Paint = Callable[[Rgb, tuple[int, int], int], NDArray[np.float32]]
_SCENES: dict[View, tuple[tuple[_Paint, tuple[Rgb, ...]], ...]] = {
    "studio": ((_studio, _STUDIOS),),
    "hanger": ((_wall, _WALLS),),
    "flat-lay": ((_planks, _FLOORS), (_tiles, _TILES)),
    "detail": ((_studio, _STUDIOS),),
}
