"""Sewing: shapes cut from fabric and put together, as pixels of cloth and the outline that they cover."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians, sin

from PIL import Image, ImageDraw

from fashionbert.catalogue.synthetic.attributes import COLOURS, Article, Rgb
from fashionbert.catalogue.synthetic.fabric import mix, weave
from fashionbert.catalogue.synthetic.shapes import FRAME, Disc, Paint, Panel, Point, Shape, Stroke

SIZE = (168, 224)
"""Width and height of a photograph in pixels."""

_FINE = 2
_TURNING = frozenset({"striped", "vertically striped", "checked", "zigzag"})
_WHITE: Rgb = (255, 255, 255)
_BLACK: Rgb = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Placement:
    """Frame units to fine pixels: turned and scaled about a pivot on the middle line, then moved."""

    pivot: float
    scale: float
    angle: float
    shift: Point

    @property
    def unit(self) -> float:
        """Fine pixels of one unit of the frame."""
        return _FINE * SIZE[0] / FRAME[0] * self.scale

    def pixels(self, points: Sequence[Point]) -> list[Point]:
        """Map points of the frame to fine pixels."""
        right, down = self.unit * cos(radians(self.angle)), self.unit * sin(radians(self.angle))
        left, top = _FINE * (SIZE[0] / 2 + self.shift[0]), _FINE * (SIZE[1] / 2 + self.shift[1])
        return [
            (left + right * x + down * (y - self.pivot), top - down * x + right * (y - self.pivot)) for x, y in points
        ]


def sew(
    article: Article, shapes: Sequence[Shape], placement: Placement, coarseness: float
) -> tuple[Image.Image, Image.Image]:
    """Put shapes together, from back to front.

    Args:
        article: says what colours and fabric the shapes have.
        shapes: holder and garment.
        placement: where they lie in the picture.
        coarseness: factor on the size of the pattern.

    Returns:
        The cloth (RGB) and the share of each pixel that it covers (L, 0 to 255), both of :data:`SIZE`.
    """
    work = _Work(article, shapes, placement, coarseness)
    for shape in shapes:
        if isinstance(shape, Panel):
            work.panel(shape)
        elif isinstance(shape, Stroke):
            work.stroke(shape)
        else:
            work.disc(shape)
    return work.cloth.reduce(_FINE), work.mask.reduce(_FINE)


class _Work:
    """A garment in the making, drawn finer than it is shown so that its edges come out smooth."""

    def __init__(self, article: Article, shapes: Sequence[Shape], placement: Placement, coarseness: float) -> None:
        size = (SIZE[0] * _FINE, SIZE[1] * _FINE)
        self.placement = placement
        self.paints = _paints(article)
        self.cloth, self.mask = Image.new("RGB", size, self.paints["fabric"]), Image.new("L", size, 0)
        self.on_cloth, self.on_mask = ImageDraw.Draw(self.cloth), ImageDraw.Draw(self.mask)
        panels = [shape for shape in shapes if isinstance(shape, Panel) and shape.paint == "fabric"]
        heights = [y for panel in panels for _, y in panel.points]
        ((_, middle),) = placement.pixels([(0, (min(heights) + max(heights)) / 2)])
        colours = (self.paints["fabric"], self.paints["print"])
        bolt = weave(article["pattern"], *colours, size, placement.unit * coarseness, middle)
        turns = {panel.angle + placement.angle if article["pattern"] in _TURNING else 0.0 for panel in panels}
        self.bolts = {turn: bolt.rotate(turn, fillcolor=self.paints["fabric"]) if turn else bolt for turn in turns}

    def panel(self, panel: Panel) -> None:
        points = self.placement.pixels(panel.points)
        self.on_mask.polygon(points, fill=255)
        if panel.paint == "fabric":
            self._cut(self.bolts.get(panel.angle + self.placement.angle) or self.bolts[0.0], points)
        else:
            self.on_cloth.polygon(points, fill=self.paints[panel.paint])
        if panel.paint != "print":
            self.on_cloth.line([*points, points[0]], fill=self.paints["seam"], width=_FINE)

    def stroke(self, stroke: Stroke) -> None:
        points = self.placement.pixels(stroke.points)
        width = max(1, round(stroke.width * self.placement.unit))
        self.on_cloth.line(points, fill=self.paints[stroke.paint], width=width, joint="curve")
        if stroke.paint != "seam":
            self.on_mask.line(points, fill=255, width=width, joint="curve")

    def disc(self, disc: Disc) -> None:
        (centre,) = self.placement.pixels([disc.centre])
        self.on_cloth.circle(centre, disc.radius * self.placement.unit, fill=self.paints[disc.paint])
        self.on_mask.circle(centre, disc.radius * self.placement.unit, fill=255)

    def _cut(self, bolt: Image.Image, points: Sequence[Point]) -> None:
        left, top = max(0, int(min(x for x, _ in points))), max(0, int(min(y for _, y in points)))
        right, bottom = int(max(x for x, _ in points)) + 2, int(max(y for _, y in points)) + 2
        frame = (left, top, min(right, bolt.width), min(bottom, bolt.height))
        stencil = Image.new("1", (frame[2] - left, frame[3] - top), 0)
        ImageDraw.Draw(stencil).polygon([(x - left, y - top) for x, y in points], fill=1)
        self.cloth.paste(bolt.crop(frame), (left, top), stencil)


def _paints(article: Article) -> Mapping[Paint, Rgb]:
    colour = COLOURS[article["colour"]]
    second = COLOURS.get(article["second_colour"], colour)
    dark = sum(colour) < 330
    trim = second if article["pattern"] == "contrast trim" else mix(colour, _WHITE if dark else _BLACK, 0.10)
    return {
        "fabric": colour,
        "print": second,
        "trim": trim,
        "solid": trim if article["pattern"] == "contrast trim" else mix(colour, _WHITE if dark else _BLACK, 0.13),
        "inside": mix(colour, _BLACK, 0.45),
        "seam": mix(colour, _WHITE if sum(colour) < 150 else _BLACK, 0.30),
        "button": (238, 232, 220) if dark else (70, 52, 44),
        "metal": (200, 196, 186) if dark else (126, 124, 122),
        "cord": (244, 242, 236) if dark else (60, 60, 66),
        "leather": (70, 44, 30) if article["colour"] != "brown" else (30, 28, 28),
        "wood": (188, 142, 96),
    }
