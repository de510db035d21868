"""Geometry of garments: panels, strokes and discs in a frame of 300 x 400 units, x from the middle, y downward."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

FRAME = (300.0, 400.0)
"""Width and height of the frame; x runs from -150 to 150, y from 0 (top) to 400."""

Point: TypeAlias = tuple[float, float]
Paint = Literal["fabric", "solid", "trim", "inside", "seam", "print", "button", "metal", "cord", "leather", "wood"]
"""What a shape is made of; the renderer knows the colour for an article."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A filled piece with a seam around it.

    Attributes:
        points: the outline.
        paint: what it is made of.
        angle: degrees by which its fabric is turned, counter-clockwise as seen.
    """

    points: Sequence[Point]
    paint: Paint = "fabric"
    angle: float = 0.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line: a seam, a zip, a cord."""

    points: Sequence[Point]
    paint: Paint = "seam"
    width: float = 1.2


@dataclass(frozen=True, slots=True)
class Disc:
    """A button or a dot."""

    centre: Point
    radius: float
    paint: Paint = "button"


Shape: TypeAlias = Panel | Stroke | Disc


def bend(start: Point, control: Point, end: Point, steps: int = 8) -> list[Point]:
    """Sample a quadratic Bezier curve, both ends included."""
    curve: list[Point] = []
    for step in range(steps + 1):
        t = step / steps
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
        curve.append((a * start[0] + b * control[0] + c * end[0], a * start[1] + b * control[1] + c * end[1]))
    return curve


def flipped(points: Sequence[Point]) -> list[Point]:
    """Mirror points left to right, keeping their order."""
    return [(-x, y) for x, y in points]


def mirrored(right: Sequence[Point]) -> list[Point]:
    """Close an outline of which only the right half is given, from top to bottom."""
    return [*right, *reversed(flipped(right))]


def box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    """Give the corners of a rectangle."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def both(shape: Shape) -> list[Shape]:
    """Give a shape and its mirror image."""
    if isinstance(shape, Disc):
        return [shape, Disc((-shape.centre[0], shape.centre[1]), shape.radius, shape.paint)]
    if isinstance(shape, Panel):
        return [shape, Panel(flipped(shape.points), shape.paint, -shape.angle)]
    return [shape, Stroke(flipped(shape.points), shape.paint, shape.width)]
