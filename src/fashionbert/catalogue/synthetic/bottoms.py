"""Lower parts of garments: trousers, shorts, skirts, and the legs of a jumpsuit."""

from fashionbert.catalogue.synthetic.attributes import Article
from fashionbert.catalogue.synthetic.bodies import belt
from fashionbert.catalogue.synthetic.fittings import closure
from fashionbert.catalogue.synthetic.shapes import Disc, Panel, Point, Shape, Stroke, bend, both, box, mirrored

_WAIST_Y = 44.0
_LEG_ENDS = {"short": 158.0, "mid-thigh": 202.0, "knee": 250.0, "cropped": 318.0, "full": 384.0}
_RISE = 88.0
_SKIRT_ENDS = {"mini": 206.0, "midi": 292.0, "maxi": 376.0}
_SKIRT_HEMS = {"straight": 56.0, "flared": 104.0, "pleated": 86.0}


def legs(cut: str, waist: float, waist_y: float, end: float, rise: float = _RISE) -> list[Shape]:
    """Draw both legs, from a waist of half width ``waist`` to y ``end``; they part ``rise`` below ``waist_y``."""
    crotch = waist_y + rise
    hip = (waist + 16, waist_y + 56)
    drop = (end - crotch) / 250
    outer = {"slim": 62 - 14 * drop, "straight": 62.0, "wide": 72 + 30 * drop, "flared": 60 + 30 * drop}[cut]
    inner = {"slim": 14.0, "straight": 12.0, "wide": 11.0, "flared": 9.0}[cut]
    knee = (50.0 if cut == "flared" else (hip[0] + outer) / 2, (crotch + end) / 2 + 10)
    right: list[Point] = [
        (waist, waist_y),
        *bend((waist, waist_y), (hip[0], waist_y + 20), hip),
        *bend(hip, knee, (outer, end)),
        (inner, end + 3),
        (1.0, crotch),
    ]
    fly = Stroke(bend((10, waist_y + 10), (11, crotch - 34), (0, crotch - 22)))
    return [Panel(mirrored(right)), Stroke([(0, waist_y + 8), (0, crotch)]), fly]


def trousers(article: Article) -> list[Shape]:
    """Draw trousers or shorts."""
    end, cut = _LEG_ENDS[article["length"]], article["cut"]
    shapes = legs(cut, 44, _WAIST_Y, end)
    if article["pockets"] == "side pockets":
        shapes += both(Stroke([(24, _WAIST_Y + 10), (54, _WAIST_Y + 50)], "trim", 8.0))
        shapes += both(Stroke([(24, _WAIST_Y + 10), (54, _WAIST_Y + 50)], "seam", 3.2))
    if article["pockets"] == "cargo pockets":
        top = min(end - 62, 190)
        shapes += both(Panel(box(30, top, 66, top + 42), "solid"))
        shapes += both(Panel(box(28, top - 4, 68, top + 10), "solid"))
    if article["hem"] == "turned-up":
        outline = next(shape for shape in shapes if isinstance(shape, Panel)).points
        low = [x for x, y in outline if y >= end - 1 and x > 0]
        inner, outer = min(low) - 2, max(low) + 3
        shapes += both(Panel(box(inner, end - 15, outer, end + 4), "trim"))
        shapes += both(Stroke([(inner, end - 15), (outer, end - 15)], "seam", 2.4))
    return [*shapes, *waistband(article["waist"], 44)]


def skirt(article: Article) -> list[Shape]:
    """Draw a skirt."""
    end, hem = _SKIRT_ENDS[article["length"]], _SKIRT_HEMS[article["cut"]]
    hem = 60 + (hem - 60) * (0.55 + 0.45 * (end - 206) / 170)
    side = [*bend((44, _WAIST_Y), (60, _WAIST_Y + 24), (60 + (hem - 60) * 0.3, _WAIST_Y + 64)), (hem, end)]
    shapes: list[Shape] = [
        Panel([*side, *bend((hem, end), (0, end + 14), (-hem, end)), *reversed([(-x, y) for x, y in side])])
    ]
    if article["cut"] == "pleated":
        tops_and_ends = [(fold * 7.6, fold * hem / 5.8) for fold in range(-5, 6)]
        shapes += [Stroke([(x, _WAIST_Y + 12), (low, end + 5)], "seam", 2.2) for x, low in tops_and_ends]
    if article["hem"] == "ruffled":
        shapes.append(Panel(_ruffle(hem, end), "solid"))
        shapes += [Stroke([(x * hem / 7, end + 2), (x * (hem + 8) / 7, end + 18)]) for x in range(-6, 7)]
    if article["pockets"] == "patch pockets":
        shapes += both(Panel(box(15, _WAIST_Y + 52, 49, _WAIST_Y + 92), "solid"))
        shapes += both(Stroke([(15, _WAIST_Y + 60), (49, _WAIST_Y + 60)]))
    shapes += closure(article["closure"], _WAIST_Y + 16, end if article["closure"] == "buttons" else _WAIST_Y + 110)
    return [*shapes, *waistband(article["waist"], 44)]


def waistband(kind: str, half_width: float) -> list[Shape]:
    """Draw the waistband and what holds it."""
    top, bottom = _WAIST_Y - 10, _WAIST_Y + 8
    band = Panel(mirrored([(0, top + 2), (half_width - 1, top), (half_width + 2, bottom), (0, bottom + 3)]), "trim")
    if kind == "belt":
        loops = both(Panel(box(24, top - 1, 28, bottom + 2), "fabric"))
        return [band, *belt(half_width + 2, _WAIST_Y - 1), *loops]
    if kind == "drawstring":
        cords = both(Stroke([(3, _WAIST_Y), (12, _WAIST_Y + 26), (9, _WAIST_Y + 58)], "cord", 3.6))
        return [band, *_gathers(half_width, 6), *cords, *both(Disc((9, _WAIST_Y + 58), 3.6, "cord"))]
    if kind == "elastic":
        return [band, *_gathers(half_width, 14)]
    return [band, Disc((0, _WAIST_Y), 5.0)]


def _gathers(half_width: float, count: int) -> list[Shape]:
    return [
        Stroke([(x * half_width / count, _WAIST_Y - 8), (x * half_width / count, _WAIST_Y + 9)], "seam", 1.8)
        for x in range(1 - count, count)
    ]


def _ruffle(hem: float, end: float) -> list[Point]:
    waves = 9
    lower: list[Point] = []
    for wave in range(waves):
        left, right = (hem + 9) * (1 - 2 * wave / waves), (hem + 9) * (1 - 2 * (wave + 1) / waves)
        lower += bend((left, end + 18), ((left + right) / 2, end + 30), (right, end + 18), steps=4)
    return [*bend((-hem, end - 6), (0, end + 8), (hem, end - 6)), *lower]
