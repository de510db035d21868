"""Bags: the body, its handles, its opening, its pocket."""

from fashionbert.catalogue.synthetic.attributes import Article
from fashionbert.catalogue.synthetic.fittings import motif
from fashionbert.catalogue.synthetic.shapes import Disc, Panel, Point, Shape, Stroke, bend, both, box, mirrored

_SIZES = {"small": (72.0, 112.0), "large": (108.0, 168.0)}
_BOTTOM = 345.0


def bag(article: Article) -> list[Shape]:
    """Draw a bag."""
    half, height = _SIZES[article["length"]]
    top, bottom = _BOTTOM - height, _BOTTOM
    shapes = _handles(article["handles"], half, top)
    if article["closure"] == "open top":
        rim: list[Point] = [
            *bend((-half, top), (0, top - 26), (half, top)),
            *bend((half, top), (0, top + 14), (-half, top)),
        ]
        shapes.append(Panel(rim, "inside"))
    outline = mirrored(_side(article["cut"], half, top, bottom))
    shapes.append(Panel(outline))
    if article["pockets"] == "front pocket":
        width = half * 0.6
        shapes += [Panel(box(-width, bottom - height * 0.46, width, bottom - 12), "solid")]
        shapes += [Stroke([(-width, bottom - height * 0.38), (width, bottom - height * 0.38)], "trim", 5.0)]
    shapes += _closure(article["closure"], half, top, height)
    if article["motif"]:
        shapes += motif(article["motif"], (0, top + height * 0.66), height * 0.22)
    return [*shapes, *_front_handles(article["handles"], half, top)]


def _side(cut: str, half: float, top: float, bottom: float) -> list[Point]:
    if cut == "rounded":
        middle = bottom - (bottom - top) * 0.55
        return [(half, top), (half, middle), *bend((half, middle), (half, bottom), (half * 0.35, bottom)), (0, bottom)]
    foot = half * 0.62 if cut == "tapered" else half
    return [(half, top), (foot, bottom - 6), (foot - 6, bottom), (0, bottom)]


def _handles(kind: str, half: float, top: float) -> list[Shape]:
    if kind == "long strap":
        return [
            Stroke(bend((-half + 4, top + 12), (0, -190 + top * 0.55), (half - 4, top + 12), steps=24), "trim", 6.0)
        ]
    if kind == "single handle":
        return [Stroke(bend((-half * 0.42, top + 4), (0, top - 108), (half * 0.42, top + 4), steps=20), "trim", 11.0)]
    return [Stroke(bend((-half * 0.5, top + 6), (0, top - 150), (half * 0.5, top + 6), steps=20), "inside", 7.0)]


def _front_handles(kind: str, half: float, top: float) -> list[Shape]:
    if kind == "two handles":
        arc = bend((-half * 0.62, top + 34), (0, top - 124), (half * 0.62, top + 34), steps=20)
        return [
            Stroke(arc, "trim", 8.0),
            *both(Panel(box(half * 0.62 - 7, top + 24, half * 0.62 + 7, top + 46), "trim")),
        ]
    return []


def _closure(kind: str, half: float, top: float, height: float) -> list[Shape]:
    if kind == "zip":
        teeth = [Stroke([(x, top + 11), (x, top + 17)], "seam", 1.4) for x in range(int(-half) + 12, int(half) - 10, 7)]
        zipper = Stroke([(-half + 8, top + 14), (half - 8, top + 14)], "metal", 7.0)
        return [zipper, *teeth, Panel(box(half - 30, top + 12, half - 24, top + 30), "metal")]
    if kind == "flap":
        low = top + height * 0.42
        flap = mirrored(
            [
                (half + 3, top - 4),
                (half + 1, low - 20),
                *bend((half + 1, low - 20), (half * 0.7, low + 6), (0, low + 8)),
            ]
        )
        return [Panel(flap, "trim"), Disc((0, low - 8), 7.5, "metal")]
    return [Stroke(bend((-half, top), (0, top + 14), (half, top)), "trim", 5.0)]
