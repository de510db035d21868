"""Fabric: a colour and its pattern, as a bolt large enough to cut any panel from."""

from collections.abc import Callable, Mapping
from math import cos, pi, sin

from PIL import Image, ImageDraw

from fashionbert.catalogue.synthetic.attributes import Rgb

_Weave = Callable[[ImageDraw.ImageDraw, int, int, Rgb, Rgb, float], None]


def weave(pattern: str, colour: Rgb, second: Rgb, size: tuple[int, int], scale: float, middle: float) -> Image.Image:
    """Fill a picture with fabric.

    Args:
        pattern: name of the pattern; one without a drawing (plain, a print) is the colour alone.
        colour: ground.
        second: colour of the pattern.
        size: width and height in pixels.
        scale: pixels of one unit of the garment's frame.
        middle: y in pixels at which a colour-block fabric changes its colour.

    Returns:
        An RGB picture of ``size``.
    """
    bolt = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(bolt)
    if pattern == "colour-block":
        draw.rectangle((0, middle, *size), fill=second)
    elif pattern in _WEAVES:
        _WEAVES[pattern](draw, *size, colour, second, scale)
    return bolt


def mix(first: Rgb, other: Rgb, share: float) -> Rgb:
    """Blend two colours; ``share`` is that of the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, other, strict=True))
    return red, green, blue


def _striped(draw: ImageDraw.ImageDraw, width: int, height: int, _: Rgb, second: Rgb, scale: float) -> None:
    for y in _places(height, 24 * scale):
        draw.rectangle((0, y, width, y + 10 * scale), fill=second)


def _vertical(draw: ImageDraw.ImageDraw, width: int, height: int, _: Rgb, second: Rgb, scale: float) -> None:
    for x in _places(width, 22 * scale):
        draw.rectangle((x, 0, x + 8 * scale, height), fill=second)


def _checked(draw: ImageDraw.ImageDraw, width: int, height: int, colour: Rgb, second: Rgb, scale: float) -> None:
    half, step, band = mix(colour, second, 0.5), 32 * scale, 16 * scale
    for y in _places(height, step):
        draw.rectangle((0, y, width, y + band), fill=half)
    for x in _places(width, step):
        draw.rectangle((x, 0, x + band, height), fill=half)
        for y in _places(height, step):
            draw.rectangle((x, y, x + band, y + band), fill=second)


def _dotted(draw: ImageDraw.ImageDraw, width: int, height: int, _: Rgb, second: Rgb, scale: float) -> None:
    step, radius = 22 * scale, 5.6 * scale
    for row, y in enumerate(_places(height, step * 0.8)):
        for x in _places(width + step, step):
            draw.circle((x - (row % 2) * step / 2, y), radius, fill=second)


def _floral(draw: ImageDraw.ImageDraw, width: int, height: int, colour: Rgb, second: Rgb, scale: float) -> None:
    step, leaf = 40 * scale, mix(colour, second, 0.45)
    for row, y in enumerate(_places(height + step, step * 0.8)):
        for column, x in enumerate(_places(width + step, step)):
            centre_x = x - (row % 2) * step / 2
            draw.circle((centre_x + step * 0.46, y - step * 0.3), 4 * scale, fill=leaf)
            turn = (row * 5 + column * 3) % 7
            for petal in range(5):
                angle = turn + 2 * pi * petal / 5
                at = (centre_x + 7.4 * scale * cos(angle), y + 7.4 * scale * sin(angle))
                draw.circle(at, 5.4 * scale, fill=second)
            draw.circle((centre_x, y), 3.8 * scale, fill=colour)


def _zigzag(draw: ImageDraw.ImageDraw, width: int, height: int, _: Rgb, second: Rgb, scale: float) -> None:
    step = 13 * scale
    for y in _places(height + 2 * step, 27 * scale):
        points = [(column * step, y - (column % 2) * step) for column in range(int(width / step) + 2)]
        draw.line(points, fill=second, width=round(8 * scale), joint="curve")


def _places(length: float, step: float) -> list[float]:
    return [number * step for number in range(int(length / step) + 1)]


_WEAVES: Mapping[str, _Weave] = {
    "striped": _striped,
    "vertically striped": _vertical,
    "checked": _checked,
    "dotted": _dotted,
    "floral": _floral,
    "zigzag": _zigzag,
}
