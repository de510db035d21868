"""Pictures as users hold them -> upright RGB; the one place where hostile or broken input is refused.

Catalogues hold scans in CMYK, logos with alpha, phone photos lying on their side, half-downloaded files and, now and
then, a decompression bomb. Whatever passes here is a plain RGB picture of a bearable size, and whatever does not is a
:class:`~fashionbert.errors.PictureError` whose ``reason`` can be counted.
"""

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from fashionbert.errors import PictureError
from fashionbert.types import ImageInput

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""Formats that are read, in the order tried. None of them runs a program, as EPS does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    """Sizes beyond which a picture is refused; they are checked on the header, before a pixel is decoded.

    The commands keep to the defaults; a program may hand others to :func:`decode_picture`.

    Attributes:
        max_bytes: largest file.
        max_pixels: largest width x height.
        max_side: longest side in pixels.
        min_side: shortest side in pixels; the default refuses one-pixel tracking dots.
    """

    max_bytes: int = 50_000_000
    max_pixels: int = 64_000_000
    max_side: int = 20_000
    min_side: int = 2


DEFAULT_LIMITS = PictureLimits()


def decode_picture(
    source: ImageInput, limits: PictureLimits = DEFAULT_LIMITS, *, name: str | None = None
) -> Image.Image:
    """Decode a picture to upright RGB.

    Transparency is laid on white, the EXIF orientation is applied, the first frame of an animation is taken, 16-bit
    grey is scaled to 8 bits. Colour profiles are not applied. A picture handed over in memory is never changed.

    Args:
        source: path, encoded bytes, PIL picture, or uint8 pixels [height, width, 3].
        limits: what to refuse.
        name: what error messages call the picture; None makes up one from ``source``.

    Returns:
        A picture of mode RGB.

    Raises:
        PictureError: with one of the reasons ``missing``, ``unreadable``, ``empty``, ``not-a-picture``,
            ``truncated``, ``damaged``, ``too-large`` (bytes), ``too-many-pixels``, ``too-long`` (a side),
            ``too-small``, ``unsupported-mode``, ``wrong-type``.
    """
    name = name or _name_of(source)
    if isinstance(source, Image.Image):
        return _decoded(source, limits, name)
    if isinstance(source, np.ndarray):
        return _decoded(_from_pixels(source, name), limits, name)
    if isinstance(source, bytes):
        data = source
    elif isinstance(source, str | os.PathLike):
        data = _read(Path(source), limits, name)
    else:
        raise PictureError(
            "wrong-type",
            f"{name}: a {type(source).__name__} is no picture; give a path, encoded bytes, a PIL picture or "
            "uint8 pixels [height, width, 3]",
        )
    if not data:
        raise PictureError("empty", f"{name}: the file has 0 bytes; fetch it again")
    if len(data) > limits.max_bytes:
        raise _too_large(len(data), limits, name)
    with _identified(data, name) as picture:
        return _decoded(picture, limits, name)


def _name_of(source: ImageInput) -> str:
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    if isinstance(source, bytes):
        return f"picture of {len(source):,} bytes"
    return f"{type(source).__name__} picture"


def _read(path: Path, limits: PictureLimits, name: str) -> bytes:
    try:
        if not path.exists():
            raise PictureError("missing", f"{name}: there is no such file; check the path and the image folder")
        if not path.is_file():
            raise PictureError("unreadable", f"{name}: this is no regular file; give the path of a picture")
        size = path.stat().st_size
        if size > limits.max_bytes:
            raise _too_large(size, limits, name)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise PictureError("unreadable", f"{name}: cannot be read ({error}); check the path and its rights") from error


def _too_large(size: int, limits: PictureLimits, name: str) -> PictureError:
    return PictureError(
        "too-large",
        f"{name}: the file has {size:,} bytes, more than {limits.max_bytes:,}; shrink it",
    )


def _identified(data: bytes, name: str) -> Image.Image:
    """Open by Pillow's registry: ``Image.open`` would warn of bombs by way of the process's warning filters."""
    Image.init()
    prefix = data[:16]
    for kind in FORMATS:
        factory, accept = Image.OPEN.get(kind, (None, None))  # a build of Pillow may lack a format
        if factory is None or accept is None or accept(prefix) is not True:
            continue
        try:
            return factory(io.BytesIO(data), "")
        except MemoryError:
            raise
        except Exception as error:  # a plugin may raise anything on hostile bytes
            raise _decoding_failed(error, name) from error
    raise PictureError(
        "not-a-picture",
        f"{name}: its first bytes {prefix!r} are of no known format; give one of {', '.join(FORMATS)}",
    )


def _from_pixels(pixels: np.ndarray, name: str) -> Image.Image:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise PictureError(
            "wrong-type",
            f"{name}: pixels are {pixels.dtype} of shape {list(pixels.shape)}; give uint8 of shape [height, width, 3]",
        )
    if pixels.size == 0:
        raise PictureError("empty", f"{name}: pixels of shape {list(pixels.shape)} hold nothing; give a picture")
    return Image.fromarray(np.ascontiguousarray(pixels))


def _decoded(picture: Image.Image, limits: PictureLimits, name: str) -> Image.Image:
    _check_size(picture.size, limits, name)
    try:
        picture.load()
    except MemoryError:
        raise
    except Exception as error:  # a plugin may raise anything on hostile bytes
        raise _decoding_failed(error, name) from error
    upright = _upright(picture)
    try:
        return _to_rgb(upright)
    except ValueError as error:
        raise PictureError(
            "unsupported-mode",
            f"{name}: pixels of mode {picture.mode} cannot be shown as RGB ({error}); save it as RGB",
        ) from error


def _check_size(size: tuple[int, int], limits: PictureLimits, name: str) -> None:
    width, height = size
    if max(size) > limits.max_side:
        raise PictureError(
            "too-long",
            f"{name}: {width} x {height}, a side is longer than {limits.max_side}; shrink it",
        )
    if width * height > limits.max_pixels:
        raise PictureError(
            "too-many-pixels",
            f"{name}: {width} x {height} = {width * height:,} pixels, more than {limits.max_pixels:,}; shrink it",
        )
    if min(size) < limits.min_side:
        raise PictureError(
            "too-small",
            f"{name}: {width} x {height}, a side is shorter than {limits.min_side}; give a larger picture",
        )


def _decoding_failed(error: Exception, name: str) -> PictureError:
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return PictureError("too-many-pixels", f"{name}: {error}; shrink it")
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return PictureError("truncated", f"{name}: the file ends too early ({error}); fetch it again")
    return PictureError("damaged", f"{name}: cannot be decoded ({error}); fetch it again or save it anew")


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # broken EXIF says nothing about the pixels, which are good
        return picture.copy()


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        return _from_depth(np.asarray(picture), 65535)
    if picture.mode == "F":
        return _from_depth(np.asarray(picture), 1.0)
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _from_depth(values_HW: np.ndarray, white: float) -> Image.Image:
    low, high = values_HW.min(), values_HW.max()
    if not (low >= 0 and high <= white):
        raise ValueError(f"values from {low} to {high} are not within 0 and {white:g}")
    grey_HW = np.rint(values_HW.astype(np.float32) * (255 / white)).astype(np.uint8)
    return Image.fromarray(grey_HW).convert("RGB")
