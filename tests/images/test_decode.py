import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from fashionbert.errors import PictureError
from fashionbert.images.decode import PictureLimits, decode_picture

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def red_left_of_blue(mode: str = "RGB") -> Image.Image:
    picture = Image.new("RGB", (32, 16), BLUE)
    picture.paste(RED, (0, 0, 16, 16))
    return picture.convert(mode)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_by_hand(width: int, height: int, depth: int = 8, colour: int = 2, rows: bytes = b"") -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")


def assert_red_left_of_blue(picture: Image.Image, tolerance: int = 0) -> None:
    assert picture.mode == "RGB"
    assert picture.size == (32, 16)
    pixels = np.asarray(picture)
    np.testing.assert_allclose(pixels[8, 4], RED, atol=tolerance)
    np.testing.assert_allclose(pixels[8, 27], BLUE, atol=tolerance)


def refused(source: object, limits: PictureLimits | None = None, name: str | None = None) -> PictureError:
    with pytest.raises(PictureError) as caught:
        decode_picture(source, limits or PictureLimits(), name=name)  # pyright: ignore[reportArgumentType]
    return caught.value


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_lossless_formats_are_decoded_to_the_pixel(kind: str) -> None:
    assert_red_left_of_blue(decode_picture(encoded(red_left_of_blue(), kind)))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_lossy_formats_are_decoded(kind: str) -> None:
    assert_red_left_of_blue(decode_picture(encoded(red_left_of_blue(), kind, quality=95)), tolerance=12)


def test_path_bytes_picture_and_pixels_give_the_same(tmp_path: Path) -> None:
    picture = red_left_of_blue()
    file = tmp_path / "a.png"
    picture.save(file)
    for source in (file, str(file), file.read_bytes(), picture, np.asarray(picture), np.asarray(picture)[:, :, ::1]):
        assert_red_left_of_blue(decode_picture(source))


def test_a_png_written_by_hand() -> None:
    rows = b"\x00" + bytes([1, 2, 3, 4, 5, 6]) + b"\x00" + bytes([7, 8, 9, 10, 11, 12])
    picture = decode_picture(png_by_hand(2, 2, 8, 2, rows))
    assert np.asarray(picture).tolist() == [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]


def test_cmyk_jpeg() -> None:
    assert_red_left_of_blue(decode_picture(encoded(red_left_of_blue("CMYK"), "JPEG", quality=95)), tolerance=12)


@pytest.mark.parametrize("mode", ["P", "YCbCr", "HSV", "RGBX"])
def test_other_colour_modes(mode: str) -> None:
    assert_red_left_of_blue(decode_picture(red_left_of_blue(mode)), tolerance=2)


@pytest.mark.parametrize(("mode", "grey"), [("L", 100), ("1", 0)])
def test_grey_modes(mode: str, grey: int) -> None:
    assert decode_picture(Image.new(mode, (4, 4), grey)).getpixel((1, 1)) == (grey, grey, grey)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGBA", (0, 0, 0, 0), WHITE),
        ("RGBA", (0, 0, 255, 255), BLUE),
        ("RGBA", (255, 0, 0, 51), (255, 204, 204)),  # 0.2 of red, 0.8 of white
        ("LA", (0, 51), (204, 204, 204)),
        ("LA", (7, 255), (7, 7, 7)),
    ],
)
def test_transparency_is_laid_on_white(mode: str, colour: tuple[int, ...], expected: tuple[int, ...]) -> None:
    picture = Image.new(mode, (4, 4), colour)
    assert decode_picture(encoded(picture, "PNG")).getpixel((1, 1)) == expected


def test_transparent_palette_entry_is_white() -> None:
    picture = red_left_of_blue("P")
    transparent = picture.getpixel((4, 8))
    for options in ({"transparency": transparent}, {"transparency": bytes([255] * 256)}):
        decoded = decode_picture(encoded(picture, "PNG", **options))
        assert decoded.getpixel((27, 8)) == BLUE
        assert decoded.getpixel((4, 8)) == (RED if isinstance(options["transparency"], bytes) else WHITE)


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (65535, 255), (257 * 100, 100), (12850, 50)])
def test_16_bit_grey_is_scaled(value: int, expected: int) -> None:
    row = b"\x00" + struct.pack(">HH", value, value)
    png = png_by_hand(2, 2, 16, 0, row * 2)
    assert decode_picture(png).getpixel((0, 1)) == (expected,) * 3
    tiff = encoded(Image.fromarray(np.full((2, 2), value, np.uint16)), "TIFF")
    assert decode_picture(tiff).getpixel((0, 1)) == (expected,) * 3


def test_16_bit_colour_png() -> None:
    row = b"\x00" + struct.pack(">6H", 65535, 0, 257 * 9, 65535, 0, 257 * 9)
    assert decode_picture(png_by_hand(2, 2, 16, 2, row * 2)).getpixel((0, 0)) == (255, 0, 9)


def test_float_grey_within_0_and_1_is_scaled_and_refused_beyond() -> None:
    grey = encoded(Image.fromarray(np.full((2, 2), 0.2, np.float32)), "TIFF")
    assert decode_picture(grey).getpixel((0, 0)) == (51, 51, 51)
    for value in (1.5, -0.1, np.nan):
        error = refused(encoded(Image.fromarray(np.full((2, 2), value, np.float32)), "TIFF"))
        assert error.reason == "unsupported-mode"
        assert "save it as RGB" in str(error)


def test_32_bit_grey_beyond_16_bits_is_refused() -> None:
    assert refused(Image.fromarray(np.full((2, 2), 70_000, np.int32))).reason == "unsupported-mode"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_animations_give_their_first_frame(kind: str) -> None:
    frames = [red_left_of_blue(), Image.new("RGB", (32, 16), "black")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 2
    assert_red_left_of_blue(decode_picture(data))


def lying(orientation: int) -> Image.Image:
    """Lay the picture down so that a viewer that obeys ``orientation`` shows it upright."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    return red_left_of_blue() if undo is None else red_left_of_blue().transpose(undo)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_exif_orientation_is_applied(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    data = encoded(lying(orientation), kind, exif=exif, **options)
    assert_red_left_of_blue(decode_picture(data), tolerance=8)


def test_broken_exif_does_not_refuse_a_good_picture() -> None:
    data = encoded(red_left_of_blue(), "PNG", exif=b"Exif\x00\x00MM\x00*\x00\x00\xff\xff")
    assert_red_left_of_blue(decode_picture(data))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("PNG", {}), ("WEBP", {}), ("GIF", {}), ("BMP", {}), ("TIFF", {}), ("AVIF", {})],
)
def test_truncated_files_are_refused(kind: str, options: dict[str, object]) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    data = encoded(noise, kind, **options)
    decode_picture(data)
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    error = refused(data[: len(data) // 2], name="shirt")
    assert error.reason in {"truncated", "damaged"}
    assert kind not in {"JPEG", "PNG", "BMP"} or error.reason == "truncated"
    assert str(error).startswith("shirt: ")
    assert "fetch it again" in str(error)
    assert before is ImageFile.LOAD_TRUNCATED_IMAGES


def test_bad_files_are_refused_with_reason_and_name(tmp_path: Path) -> None:
    empty, text, folder = tmp_path / "empty.jpg", tmp_path / "text.jpg", tmp_path / "folder.jpg"
    empty.touch()
    text.write_text("<html>404 not found</html>")
    folder.mkdir()
    for path, reason in [
        (empty, "empty"),
        (text, "not-a-picture"),
        (folder, "unreadable"),
        (tmp_path / "absent.jpg", "missing"),
    ]:
        error = refused(path)
        assert error.reason == reason
        assert str(path) in str(error)
    assert refused("a\0b.jpg").reason in {"unreadable", "missing"}


def test_formats_that_run_programs_are_refused() -> None:
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    assert refused(postscript).reason == "not-a-picture"


def test_garbage_behind_a_good_signature_is_refused() -> None:
    garbage = bytes(np.random.default_rng(1).integers(0, 256, 2000, np.uint8))
    for signature in (
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"BM",
        b"II*\x00",
        b"RIFF\xff\x00\x00\x00WEBPVP8 ",
    ):
        assert refused(signature + garbage).reason in {"damaged", "truncated", "too-long", "too-many-pixels"}


def test_bombs_are_refused_by_their_header_without_a_warning_even_in_threads() -> None:
    bomb = png_by_hand(19_000, 19_000)  # no pixel follows: to decode it would say "truncated"
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        errors = list(pool.map(refused, [bomb] * 16))
    assert {error.reason for error in errors} == {"too-many-pixels"}
    assert str(errors[0]).endswith("19000 x 19000 = 361,000,000 pixels, more than 64,000,000; shrink it")
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before
    assert refused(png_by_hand(10_000, 10_000)).reason == "too-many-pixels"  # where Pillow would only warn


def test_sides_are_limited() -> None:
    assert refused(png_by_hand(20_001, 10)).reason == "too-long"
    assert refused(png_by_hand(10, 20_001)).reason == "too-long"
    wide = decode_picture(encoded(Image.new("RGB", (20_000, 2), RED), "PNG"))
    assert wide.size == (20_000, 2)
    assert refused(Image.new("RGB", (1, 50))).reason == "too-small"
    assert decode_picture(Image.new("RGB", (1, 50)), PictureLimits(min_side=1)).size == (1, 50)


def test_bytes_are_limited_in_files_and_in_memory(tmp_path: Path) -> None:
    data = encoded(red_left_of_blue(), "BMP")
    limits = PictureLimits(max_bytes=len(data) - 1)
    (tmp_path / "a.bmp").write_bytes(data)
    for source in (data, tmp_path / "a.bmp"):
        error = refused(source, limits)
        assert error.reason == "too-large"
        assert f"{len(data):,} bytes, more than {len(data) - 1:,}" in str(error)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (np.zeros((4, 4, 3), np.float32), "wrong-type"),
        (np.zeros((4, 4), np.uint8), "wrong-type"),
        (np.zeros((3, 4, 4), np.uint8), "wrong-type"),
        (np.zeros((0, 4, 3), np.uint8), "empty"),
        (None, "wrong-type"),
        (b"", "empty"),
    ],
)
def test_wrong_things_in_memory_are_refused(source: object, reason: str) -> None:
    assert refused(source).reason == reason


def test_a_picture_in_memory_is_not_changed() -> None:
    picture = red_left_of_blue()
    decoded = decode_picture(picture)
    decoded.paste(WHITE, (0, 0, 32, 16))
    assert_red_left_of_blue(picture)
