"""A picture -> a fixed size -> a grid of cells, as pure functions.

Letters: P cells (grid * grid, row-major), h, w height and width of the whole, s side of a cell.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fashionbert.config import ImageSettings

RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
"""Interpolations by timm's name; others that timm knows fall back to bicubic."""


def fit_picture(
    picture: Image.Image,
    height: int,
    width: int,
    fit: str = "stretch",
    resample: Image.Resampling = Image.Resampling.BICUBIC,
) -> Image.Image:
    """Resize an RGB picture to height x width: ``stretch`` fills it, ``pad`` keeps the aspect ratio, on white."""
    if fit == "stretch":
        return picture.resize((width, height), resample)
    scale = min(width / picture.width, height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    whole = Image.new("RGB", (width, height), "white")
    whole.paste(picture.resize(size, resample), ((width - size[0]) // 2, (height - size[1]) // 2))
    return whole


def patch_frame(width: int, height: int, settings: ImageSettings) -> tuple[float, float, float, float]:
    """Say where the grid of patches lies on a picture.

    Args:
        width: of the picture; only the shape of it counts.
        height: of the picture.
        settings: of what cuts it.

    Returns:
        Left, top, width and height of the grid in shares of the picture's width and height: the whole picture where it
        is stretched, more than it where it is padded.
    """
    if settings.fit == "stretch":
        return 0.0, 0.0, 1.0, 1.0
    scale = min(settings.width / width, settings.height / height)
    wide, high = settings.width / (width * scale), settings.height / (height * scale)
    return (1.0 - wide) / 2, (1.0 - high) / 2, wide, high


def cell_edges(length: int, grid: int) -> list[int]:
    """Say where the cells of one side begin and end: ``grid + 1`` pixel numbers from 0 to ``length``.

    Every pixel is in exactly one cell. Cells are equal if ``length`` is a multiple of ``grid``; else they differ by
    at most one pixel.
    """
    return [length * step // grid for step in range(grid + 1)]


def cut_cells(picture: Image.Image, grid: int) -> list[Image.Image]:
    """Cut a picture into its P = grid * grid cells, row-major: cell ``row * grid + column``."""
    rows, columns = cell_edges(picture.height, grid), cell_edges(picture.width, grid)
    return [
        picture.crop((columns[column], rows[row], columns[column + 1], rows[row + 1]))
        for row in range(grid)
        for column in range(grid)
    ]


def stack_cells(
    cells: Sequence[Image.Image], size: int, resample: Image.Resampling = Image.Resampling.BICUBIC
) -> NDArray[np.uint8]:
    """Resize each cell by itself to ``size`` x ``size``: uint8 [P, s, s, 3].

    Cells are cut before they are resized, as in section 3.1 of the paper, so that no cell sees its neighbours.
    """
    return np.stack([np.asarray(cell.resize((size, size), resample)) for cell in cells])


def prepare_picture(
    picture: Image.Image, settings: ImageSettings, interpolation: str, *, mirrored: bool = False
) -> NDArray[np.uint8]:
    """Make the network's input of an RGB picture, without torch, so that threads can do it.

    Args:
        picture: RGB, of any size.
        settings: mode, grid and sizes.
        interpolation: timm's name of the interpolation that the network was trained with.
        mirrored: take the mirror image, patches and all.

    Returns:
        uint8 [h, w, 3] in ``grid`` mode, [P, s, s, 3] in ``crop`` mode.
    """
    resample = RESAMPLING.get(interpolation, Image.Resampling.BICUBIC)
    whole = fit_picture(picture, settings.height, settings.width, settings.fit, resample)
    if mirrored:
        whole = ImageOps.mirror(whole)
    if settings.mode == "grid":
        return np.asarray(whole)
    return stack_cells(cut_cells(whole, settings.grid), settings.cell_size, resample)
