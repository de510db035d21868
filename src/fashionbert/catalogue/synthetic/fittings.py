"""Closures, pockets and prints: what is sewn onto a garment."""

from math import cos, pi, sin

from fashionbert.catalogue.synthetic.shapes import Disc, Panel, Point, Shape, Stroke, bend, both, box, flipped


def closure(kind: str, top: float, bottom: float) -> list[Shape]:
    """Draw how a garment opens, down the middle from y ``top`` to y ``bottom``."""
    if kind == "half placket":
        bottom = top + 54
        return [Panel(box(-7, top - 2, 7, bottom), "solid"), *_buttons(0, top + 8, bottom - 4, 18)]
    if kind == "buttons":
        return [*both(Stroke([(7, top - 4), (7, bottom)])), *_buttons(0, top + 6, bottom - 6, 24)]
    if kind == "double-breasted":
        overlap = Stroke([(0, top - 2), (26, top + 16), (26, bottom)])
        return [overlap, *_buttons(-15, top + 22, bottom - 12, 30), *_buttons(15, top + 22, bottom - 12, 30)]
    if kind == "zip":
        teeth = [Stroke([(-3, y), (3, y)], "seam", 1.4) for y in range(int(top) + 3, int(bottom), 7)]
        return [Stroke([(0, top), (0, bottom)], "metal", 6.0), *teeth, Panel(box(-4, top + 6, 4, top + 18), "metal")]
    return []


def pockets(kind: str, half_width: float, waist_y: float, bottom: float) -> list[Shape]:
    """Draw the pockets of a torso that is ``half_width`` wide and ends at y ``bottom``."""
    if kind in ("chest pocket", "two chest pockets"):
        pocket = [(14.0, 116.0), (42.0, 116.0), (42.0, 144.0), (28.0, 151.0), (14.0, 144.0)]
        one: list[Shape] = [Panel(pocket, "solid"), Stroke([(14, 123), (42, 123)])]
        two: list[Shape] = [Panel(flipped(pocket), "solid"), Stroke([(-14, 123), (-42, 123)])]
        return one if kind == "chest pocket" else [*one, *two]
    top = min(waist_y + 16, bottom - 58)
    inner, outer = 13.0, min(half_width - 5, 48.0)
    if kind == "patch pockets":
        return [
            *both(Panel(box(inner, top, outer, top + 38), "solid")),
            *both(Stroke([(inner, top + 7), (outer, top + 7)])),
        ]
    if kind == "flap pockets":
        flap = [(inner, top), (outer, top - 4), (outer, top + 11), ((inner + outer) / 2, top + 17), (inner, top + 14)]
        return [*both(Panel(flap, "solid")), *both(Disc(((inner + outer) / 2, top + 9), 3.4))]
    if kind == "kangaroo pocket":
        top = bottom - 66
        shape: list[Point] = [(22, top), (42, top + 32), (42, top + 50), (-42, top + 50), (-42, top + 32), (-22, top)]
        return [Panel(shape, "solid")]
    return []


def motif(kind: str, centre: Point, size: float) -> list[Shape]:
    """Draw a print of radius ``size``."""
    x, y = centre
    if kind == "heart":
        half = [*bend((0, -0.45), (0.25, -1.0), (0.65, -0.9)), *bend((0.65, -0.9), (1.5, -0.5), (0, 1.0))]
        return [Panel([(x + size * px, y + size * py) for px, py in [*half, *reversed(flipped(half))]], "print")]
    if kind == "moon":
        outer = [(0.3 + cos(a), sin(a)) for a in _angles(60, 300, 20)]
        inner = [(0.62 + 0.82 * cos(a), 0.82 * sin(a)) for a in _angles(282, 78, 16)]
        return [Panel([(x + size * px, y + size * py) for px, py in (*outer, *inner)], "print")]
    if kind == "flower":
        petals = [
            Disc((x + 0.6 * size * cos(a), y + 0.6 * size * sin(a)), 0.42 * size, "print") for a in _angles(-90, 198, 5)
        ]
        return [*petals, Disc(centre, 0.28 * size, "fabric")]
    radii = {"star": (10, 0.42), "sun": (24, 0.66), "diamond": (4, 0.72)}
    corners, inner_radius = radii[kind]
    points: list[Point] = []
    for corner in range(corners):
        angle = -pi / 2 + 2 * pi * corner / corners
        radius = size * (inner_radius if corner % 2 else 1.0)
        points.append((x + radius * cos(angle), y + radius * sin(angle)))
    return [Panel(points, "print")]


def _angles(start: float, end: float, count: int) -> list[float]:
    return [(start + (end - start) * step / (count - 1)) * pi / 180 for step in range(count)]


def _buttons(x: float, top: float, bottom: float, apart: float) -> list[Shape]:
    count = max(1, int((bottom - top) / apart) + 1)
    return [Disc((x, top + apart * number), 4.0) for number in range(count)]
