"""Small pictures for cards, kept in the index so that a page needs no catalogue."""

import io

from PIL import Image

FORMAT = "WEBP"
MEDIA_TYPE = "image/webp"
_QUALITY = 80


def make_thumbnail(picture: Image.Image, side: int) -> bytes:
    """Shrink a picture to fit a square, its shape kept.

    Args:
        picture: upright RGB; stays as it is. A smaller one is not enlarged.
        side: longest side in pixels.

    Returns:
        An encoded picture.
    """
    small = picture.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, FORMAT, quality=_QUALITY)
    return buffer.getvalue()


def thumbnail_size(encoded: bytes) -> tuple[int, int]:
    """Width and height of a picture that :func:`make_thumbnail` made."""
    with Image.open(io.BytesIO(encoded)) as picture:
        return picture.size
