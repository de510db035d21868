"""Necklines, collars and hoods: where a garment ends at the top."""

from fashionbert.catalogue.synthetic.shapes import Panel, Point, Shape, Stroke, bend, both, mirrored

TOP = 60.0
"""y of the neck point, where neckline and shoulder meet."""

NECK = 26.0
"""Half of the neck's width."""

NECK_BOTTOM = {
    "round": 82.0,
    "v-neck": 116.0,
    "square": 98.0,
    "high": 66.0,
    "pointed collar": 84.0,
    "band collar": 72.0,
    "lapels": 158.0,
    "hood": 78.0,
}
"""y of the lowest point of each neckline, where buttons and zips begin."""


def front_edge(neckline: str) -> list[Point]:
    """Trace the front neckline from the right neck point to the left one."""
    bottom = NECK_BOTTOM[neckline]
    if neckline in ("v-neck", "lapels", "pointed collar"):
        return [(NECK, TOP), (0.0, bottom), (-NECK, TOP)]
    if neckline == "square":
        return mirrored([(NECK + 4, TOP), (NECK + 4, bottom)])
    return bend((NECK, TOP), (0.0, 2 * bottom - TOP), (-NECK, TOP), steps=12)


def behind(neckline: str) -> list[Shape]:
    """Draw what lies behind the front: the inside of the back, and the hood."""
    shapes: list[Shape] = []
    if neckline == "hood":
        right = [*bend((0, 8), (56, 10), (54, 44)), *bend((54, 44), (52, 66), (36, 74))]
        opening = [*bend((0, 24), (34, 28), (34, 50)), *bend((34, 50), (32, 66), (20, 76))]
        shapes += [Panel(mirrored(right)), Panel(mirrored(opening), "inside")]
    back = bend((-NECK - 4, TOP), (0.0, TOP + 2), (NECK + 4, TOP))
    return [*shapes, Panel([*back, *front_edge(neckline)], "inside")]


def collar(neckline: str) -> list[Shape]:
    """Draw what lies upon the front: neckband, collar, lapels or the rim of the hood."""
    edge = front_edge(neckline)
    if neckline == "high":
        neck = mirrored([*bend((0, 36), (14, 37), (24, 34)), *bend((24, 34), (23, 50), (30, 63)), (0, 72)])
        fold = Stroke(bend((-25, 46), (0, 51), (25, 46)))
        return [Panel(neck, "trim"), fold]
    if neckline == "pointed collar":
        stand = Panel([*bend((-22, 48), (0, 52), (22, 48)), (NECK, TOP), (-NECK, TOP)], "inside")
        return [stand, *both(Panel([(1, 86), (20, 46), (32, 60), (34, 72), (22, 104)], "trim"))]
    if neckline == "band collar":
        outer = bend((-NECK - 3, TOP - 6), (0, 96), (NECK + 3, TOP - 6))
        inner = bend((NECK - 3, TOP - 8), (0, 74), (-NECK + 3, TOP - 8))
        return [Panel([*outer, *inner], "trim")]
    if neckline == "lapels":
        lapel = [(0, 162), (16, 100), (22, 46), (34, 58), (46, 92), (30, 98), (42, 106)]
        return [*both(Panel(lapel, "trim")), *both(Stroke([(22, 62), (30, 98)]))]
    if neckline == "hood":
        return [Stroke(edge, "trim", 5.0), *both(Stroke([(13, 76), (15, 98), (14, 122)], "cord", 3.0))]
    return [Stroke(edge, "trim", 6.0), Stroke(edge, "seam", 1.0)]
