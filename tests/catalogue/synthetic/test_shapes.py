import pytest

from fashionbert.catalogue.synthetic.shapes import Disc, Panel, Shape, Stroke, bend, both, box, mirrored


def test_bend_is_a_quadratic_bezier() -> None:
    assert bend((0, 0), (1, 2), (2, 0), steps=4) == [(0, 0), (0.5, 0.75), (1, 1), (1.5, 0.75), (2, 0)]


def test_mirrored_closes_the_left_half() -> None:
    assert mirrored([(1, 0), (3, 4)]) == [(1, 0), (3, 4), (-3, 4), (-1, 0)]


@pytest.mark.parametrize(
    ("shape", "image"),
    [
        (Panel(box(1, 2, 3, 4), "trim", 20), Panel([(-1, 2), (-3, 2), (-3, 4), (-1, 4)], "trim", -20)),
        (Stroke([(1, 2)], "metal", 3), Stroke([(-1, 2)], "metal", 3)),
        (Disc((1, 2), 4, "cord"), Disc((-1, 2), 4, "cord")),
    ],
)
def test_both_adds_the_mirror_image(shape: Shape, image: Shape) -> None:
    assert both(shape) == [shape, image]
