"""Pictures of every kind, made here, read back."""

import io
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from qafm.datasets.exif_orientation import orientation, upright
from qafm.datasets.picture_size import wrong_size_by_header
from qafm.datasets.read_image import decode_image, read_image
from qafm.errors import InputError

RGB = np.random.default_rng(0).integers(0, 256, (9, 5, 3), np.uint8)


def encode(image: np.ndarray, suffix: str, *options: int) -> bytes:
    """Encode RGB, RGBA or grey pixels."""
    order = {2: [..., slice(None)], 3: [..., [2, 1, 0]] if image.shape[-1] == 3 else [..., [2, 1, 0, 3]]}[image.ndim]
    return cv2.imencode(suffix, np.ascontiguousarray(image[tuple(order)] if image.ndim == 3 else image), list(options))[1].tobytes()


@pytest.mark.parametrize("name", ["a.png", "A.PNG", "two words.png", "größe 人.png", "a.bmp", "a.tif"])
def test_lossless_files_give_their_rgb_pixels(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(encode(RGB, Path(name).suffix.lower()))
    image = read_image(tmp_path / name)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    np.testing.assert_array_equal(image, RGB)


def test_webp_lossless() -> None:
    np.testing.assert_array_equal(decode_image(encode(RGB, ".webp", cv2.IMWRITE_WEBP_QUALITY, 101), "x"), RGB)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_lossy_files_keep_the_order_of_channels(suffix: str) -> None:
    plain = np.full((16, 16, 3), (200, 100, 20), np.uint8)
    np.testing.assert_allclose(decode_image(encode(plain, suffix), "x").astype(int), plain, atol=6)


def test_grey_is_repeated_over_three_channels() -> None:
    np.testing.assert_array_equal(decode_image(encode(RGB[..., 0], ".png"), "x"), np.repeat(RGB[..., :1], 3, axis=2))


def test_sixteen_bits_become_eight() -> None:
    deep = RGB[..., 0].astype(np.uint16) * 257
    np.testing.assert_array_equal(decode_image(encode(deep, ".png"), "x")[..., 0], RGB[..., 0])


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_transparent_pixels_are_black_and_opaque_ones_unchanged(suffix: str) -> None:
    alpha = np.full((9, 5, 1), 255, np.uint8)
    alpha[:4] = 0
    image = decode_image(encode(np.concatenate([RGB, alpha], axis=2), suffix, *((cv2.IMWRITE_WEBP_QUALITY, 101) if suffix == ".webp" else ())), "x")
    assert image.shape == (9, 5, 3)
    assert not image[:4].any()
    np.testing.assert_array_equal(image[4:], RGB[4:])


def test_half_transparent_pixels_are_half_as_bright() -> None:
    half = np.concatenate([RGB, np.full((9, 5, 1), 51, np.uint8)], axis=2)
    expected = [[[round(int(value) * 51 / 255) for value in pixel] for pixel in row] for row in RGB]
    np.testing.assert_array_equal(decode_image(encode(half, ".png"), "x"), expected)
    deep = half.astype(np.uint16) * 257
    np.testing.assert_array_equal(decode_image(encode(deep, ".png"), "x"), expected)


def test_exif_orientation_is_applied() -> None:
    upright = np.zeros((16, 8, 3), np.uint8)
    upright[:8] = 255
    data = encode(np.rot90(upright), ".jpg", cv2.IMWRITE_JPEG_QUALITY, 100)
    orientation = 6  # the stored picture has to be turned 90 degrees clockwise
    tiff = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0" + bytes([orientation, 0, 0, 0]) + b"\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    turned = data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]
    assert decode_image(data, "x").shape == (8, 16, 3)
    np.testing.assert_allclose(decode_image(turned, "x").astype(int), upright, atol=6)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("WEBP", "RGB"), ("WEBP", "RGBA"), ("TIFF", "RGB")])
def test_each_orientation_of_each_kind_of_file(kind: str, mode: str, value: int) -> None:
    picture = Image.fromarray(RGB).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = value
    data = saved(picture, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    expected = picture.copy()
    expected.getexif()[0x0112] = value
    turned = ImageOps.exif_transpose(expected).convert("RGB")
    found = decode_image(data, "x")
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, np.asarray(turned))


@pytest.mark.parametrize("exif", [b"", b"II*\0", b"II*\0\xff\0\0\0", b"XX*\0\x08\0\0\0\0\0", b"MM\0*\0\0\0\x08\0\x02\x01\x12\0\x03\0\0\0\x01\0\x09\0\0"])
def test_a_damaged_exif_block_turns_nothing(exif: bytes) -> None:
    np.testing.assert_array_equal(upright(RGB, exif), RGB)


@pytest.mark.parametrize("order", [b"II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x01\0\0\0x\0\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_the_orientation_is_found_after_other_tags(prefix: bytes, order: bytes) -> None:
    assert orientation(prefix + order) == 6


def test_cmyk_becomes_rgb() -> None:
    plain = Image.new("RGB", (16, 16), (200, 60, 20))
    for kind in ("JPEG", "TIFF"):
        np.testing.assert_allclose(decode_image(saved(plain.convert("CMYK"), kind), "x").astype(int), np.asarray(plain), atol=6)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P"])
def test_pictures_of_few_colours(mode: str) -> None:
    picture = Image.fromarray(RGB).convert(mode)
    found = decode_image(saved(picture, "PNG"), "x")
    np.testing.assert_array_equal(found, np.asarray(picture.convert("RGBA" if mode == "LA" else "RGB").convert("RGB")))
    assert found.shape == RGB.shape


def test_sixteen_bits_of_colour_become_eight() -> None:
    deep = cv2.imencode(".png", RGB[..., ::-1].astype(np.uint16) * 257)[1].tobytes()
    np.testing.assert_array_equal(decode_image(deep, "x"), RGB)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (1200, 700)])
def test_any_size(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (*shape, 3), np.uint8)
    np.testing.assert_array_equal(decode_image(encode(pixels, ".png"), "x"), pixels)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_truncated_file_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut{suffix}"
    data = encode(np.random.default_rng(1).integers(0, 256, (64, 32, 3), np.uint8), suffix)
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(InputError, match=rf"^.*cut\{suffix}: cannot be decoded as an image$"):
        read_image(path)


@pytest.mark.parametrize(("data", "reason"), [(b"", "the file is empty"), (b"not a picture", "cannot be decoded as an image")])
def test_bad_bytes_are_named(data: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=f"^the name: {reason}$"):
        decode_image(data, "the name")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jpg: cannot be read \(No such file or directory\)$"):
        read_image(tmp_path / "gone.jpg")


def test_headers_read_side_by_side_leave_the_warnings_of_the_process_alone() -> None:
    data, before, interval = encode(RGB, ".png"), list(warnings.filters), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            reasons = set(pool.map(lambda _: wrong_size_by_header(io.BytesIO(data)), range(2000)))
        assert warnings.filters == before
    finally:
        sys.setswitchinterval(interval)
        warnings.filters[:] = before
    assert reasons == {"is 5 x 9 pixels, at least 8 x 8 are needed"}
