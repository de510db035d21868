"""The page of published figures and its pictures come from docs/published.yaml."""

from types import ModuleType

import pytest

from .conftest import DOCS, load_script


@pytest.fixture(scope="module")
def published() -> ModuleType:
    return load_script("published")


def test_the_page_is_what_the_figures_say(published: ModuleType) -> None:
    assert published.PAGE.read_text("utf-8") == published.page(published.read_published()), (
        "run: python docs/published.py"
    )


def test_every_figure_is_on_the_page_and_in_the_picture(published: ModuleType) -> None:
    found = published.read_published()
    rows = [line for line in published.page(found).splitlines() if line.startswith("| ")]
    (axes,) = published.draw_published(found).axes
    drawn = {point for line in axes.lines if line.get_marker() in ("o", "s") for point in map(tuple, line.get_xydata())}
    for place, figure in enumerate(found["figures"]):
        for direction in published.DIRECTIONS:
            assert all(share > 0 for share in figure[direction])
            assert figure[direction] == sorted(figure[direction]), figure["model"]
            assert (figure[direction][0], place) in drawn
        assert sum(row.startswith(f"| {figure['model']} |") for row in rows) == 1


def test_the_picture_of_the_fault_has_both_readings(published: ModuleType) -> None:
    left, right = published.draw_scoring_fault().axes
    heights = [[round(bar.get_height(), 1) for bar in axes.patches] for axes in (left, right)]
    assert heights == [
        [24.3, 46.3, 51.6, 54.8, 44.4, 84.5, 94.2, 100.0],
        [28.9, 48.0, 52.1, 56.0, 51.7, 85.7, 93.1, 100.0],
    ]


def test_ties_decide_only_where_scores_are_rounded(published: ModuleType) -> None:
    coarse, fine = published.tied_recall(1), published.tied_recall(15)
    assert coarse[0] > 0.9 > 0.1 > coarse[1]
    assert fine[0] == fine[1]


@pytest.mark.parametrize("name", ["published", "scoring-fault", "ties"])
def test_the_pictures_are_in_the_page(name: str) -> None:
    assert f"](pictures/{name}.png)" in (DOCS / "evaluation.md").read_text("utf-8")
    assert (DOCS / "pictures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
