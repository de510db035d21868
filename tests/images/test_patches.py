import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fashionbert.config import ImageSettings
from fashionbert.images.patches import cell_edges, cut_cells, fit_picture, prepare_picture, stack_cells


def noise(height: int, width: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def test_stretch_has_the_size_asked_for_and_is_pillows_resize() -> None:
    picture = noise(30, 50)
    fitted = fit_picture(picture, height=16, width=24)
    assert fitted.size == (24, 16)
    assert fitted.tobytes() == picture.resize((24, 16), Image.Resampling.BICUBIC).tobytes()


@pytest.mark.parametrize(
    ("size", "box"),  # width, height of a black picture -> where it lies on a 40 x 20 (width x height) white one
    [((10, 10), (10, 0, 30, 20)), ((80, 20), (0, 5, 40, 15)), ((40, 20), (0, 0, 40, 20)), ((4000, 2), (0, 9, 40, 10))],
)
def test_pad_keeps_the_aspect_ratio_on_white(size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    fitted = np.asarray(fit_picture(Image.new("RGB", size), height=20, width=40, fit="pad"))
    expected = np.full((20, 40, 3), 255, np.uint8)
    left, upper, right, lower = box
    expected[upper:lower, left:right] = 0
    np.testing.assert_array_equal(fitted, expected)


def test_cells_are_row_major() -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    for row in range(2):
        for column in range(2):
            pixels[2 * row : 2 * row + 2, 3 * column : 3 * column + 3] = 10 * row + column
    cells = cut_cells(Image.fromarray(pixels), grid=2)
    assert [cell.size for cell in cells] == [(3, 2)] * 4
    assert [cell.getpixel((0, 0)) for cell in cells] == [(value,) * 3 for value in (0, 1, 10, 11)]


@given(grid=st.integers(1, 20), extra=st.integers(0, 300))
def test_cell_edges_cover_every_pixel_once(grid: int, extra: int) -> None:
    length = grid + extra
    edges = cell_edges(length, grid)
    sizes = np.diff(edges)
    assert (edges[0], edges[-1], len(edges)) == (0, length, grid + 1)
    assert sizes.min() >= 1
    assert sizes.max() - sizes.min() <= (length % grid > 0)


def test_the_cells_of_an_uneven_picture_hold_all_its_pixels() -> None:
    picture = noise(11, 13)
    cells = cut_cells(picture, grid=4)
    rows = [np.concatenate([np.asarray(cell) for cell in cells[4 * row : 4 * row + 4]], axis=1) for row in range(4)]
    np.testing.assert_array_equal(np.concatenate(rows), np.asarray(picture))


def test_a_cell_is_resized_without_seeing_its_neighbours() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, 4:] = 255
    cells = stack_cells(cut_cells(Image.fromarray(pixels), grid=2), size=16)
    assert cells.shape == (4, 16, 16, 3)
    assert [set(cell.flat) for cell in cells] == [{0}, {255}, {0}, {255}]


def test_prepared_shapes() -> None:
    picture = noise(50, 40)
    whole = prepare_picture(picture, ImageSettings(height=64, width=48), "bicubic")
    cells = prepare_picture(picture, ImageSettings(mode="crop", grid=2, height=64, width=48, cell_size=10), "bilinear")
    assert (whole.shape, whole.dtype) == ((64, 48, 3), np.uint8)
    assert (cells.shape, cells.dtype) == ((4, 10, 10, 3), np.uint8)


def test_mirrored_patches_are_the_patches_of_the_mirror_image() -> None:
    settings = ImageSettings(network="pixels", mode="crop", grid=4, height=32, width=16, cell_size=5)
    picture = noise(32, 16)
    plain = prepare_picture(picture, settings, "bicubic").reshape(4, 4, 5, 5, 3)
    mirrored = prepare_picture(picture, settings, "bicubic", mirrored=True).reshape(4, 4, 5, 5, 3)
    np.testing.assert_allclose(mirrored, plain[:, ::-1, :, ::-1], atol=1)
