"""Upper parts of garments: the torso, its sleeves, its hem."""

from dataclasses import dataclass

from fashionbert.catalogue.synthetic.necks import NECK, TOP, front_edge
from fashionbert.catalogue.synthetic.shapes import Panel, Point, Shape, Stroke, bend, both, mirrored

_SLEEVE_LENGTHS = {"short": 62.0, "three-quarter": 118.0, "long": 182.0}
_DOWN: Point = (0.36, 0.933)
_ACROSS: Point = (0.933, -0.36)
_FABRIC_TURN = 21.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Half widths and heights of a torso, in units of the frame."""

    shoulder: float = 58.0
    chest: float = 52.0
    waist: float = 50.0
    waist_y: float = 185.0
    hem: float = 54.0
    hem_y: float = 255.0
    sleeve_width: float = 46.0
    cuff_width: float = 32.0


def torso(body: Body, neckline: str, sleeveless: bool, hem: str) -> list[Shape]:
    """Draw the front of a garment from the neckline to the hem."""
    shoulder = body.shoulder - 10 if sleeveless else body.shoulder
    end = body.hem_y - (22 if hem == "curved" else 0)
    side: list[Point] = [
        (NECK, TOP),
        *bend((shoulder, TOP + 12), (shoulder - (12 if sleeveless else 2), 104), (body.chest, 132)),
        *bend((body.chest, 132), (body.waist, body.waist_y - 24), (body.waist, body.waist_y)),
        *bend((body.waist, body.waist_y), (body.waist + 2, (body.waist_y + end) / 2), (body.hem, end)),
    ]
    neck = list(reversed(front_edge(neckline)))
    outline = [*neck, *side, *_bottom(body, hem), *[(-x, y) for x, y in reversed(side)]]
    return [Panel(outline), *_hem(body, hem)]


def sleeves(body: Body, length: str) -> list[Shape]:
    """Draw both sleeves, cuffs included; none for ``sleeveless``."""
    if length not in _SLEEVE_LENGTHS:
        return []
    reach = _SLEEVE_LENGTHS[length]
    tip = (body.shoulder - 3, TOP + 11)
    width = body.sleeve_width + (body.cuff_width - body.sleeve_width) * reach / 182
    outer = (tip[0] + _DOWN[0] * reach + 9, tip[1] + _DOWN[1] * reach)
    inner = (outer[0] - _ACROSS[0] * width, outer[1] - _ACROSS[1] * width)
    right = Panel([*bend(tip, (tip[0] + 20, tip[1] + 12), outer), inner, (body.chest - 8, 138)], "fabric", _FABRIC_TURN)
    deep = 8.0
    cuff = [outer, inner, _moved(inner, deep), _moved(outer, deep)]
    return [*both(right), *both(Panel(cuff, "trim"))]


def armholes(body: Body) -> list[Shape]:
    """Draw the seams between torso and sleeves."""
    return both(Stroke(bend((body.shoulder, TOP + 12), (body.shoulder - 2, 104), (body.chest, 132))))


def belt(half_width: float, y: float) -> list[Shape]:
    """Draw a leather belt with its buckle."""
    strap = Panel(mirrored([(0, y - 5), (half_width, y - 6), (half_width, y + 6), (0, y + 7)]), "leather")
    buckle = [(-9.0, y - 6), (9.0, y - 6), (9.0, y + 8), (-9.0, y + 8), (-9.0, y - 6)]
    return [strap, Stroke(buckle, "metal", 3.0)]


def _moved(point: Point, by: float) -> Point:
    return (point[0] + _DOWN[0] * by, point[1] + _DOWN[1] * by)


def _bottom(body: Body, hem: str) -> list[Point]:
    x, y = body.hem, body.hem_y
    if hem == "curved":
        right = bend((x, y - 22), (x - 6, y + 8), (x - 26, y + 12))
        return [*right, *[(-px, py) for px, py in reversed(right)]]
    return bend((x, y), (0, y + 8), (-x, y))


def _hem(body: Body, hem: str) -> list[Shape]:
    x, y = body.hem, body.hem_y
    if hem == "ribbed":
        band = Panel(
            [
                *bend((x + 1, y - 12), (0, y - 5), (-x - 1, y - 12)),
                (-x + 5, y + 8),
                *bend((-x + 5, y + 8), (0, y + 14), (x - 5, y + 8)),
            ],
            "trim",
        )
        ribs = [Stroke([(i * x / 8, y - 8), (i * x / 8.6, y + 9)]) for i in range(-7, 8)]
        return [band, *ribs]
    if hem == "curved":
        return []
    return [Stroke(bend((x - 1, y - 7), (0, y + 1), (-x + 1, y - 7)), "trim", 4.0)]
