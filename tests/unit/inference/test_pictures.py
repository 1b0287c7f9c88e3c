"""What a user may hand over as an image, and what is refused in one line."""

import re
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from qafm.datasets.picture_size import MAX_PIXELS
from qafm.errors import InputError, printable
from qafm.inference.pictures import as_list, content_key, open_picture

PICTURE = np.arange(40 * 20 * 3, dtype=np.uint32).astype(np.uint8).reshape(40, 20, 3)


def test_one_many_and_a_stack_become_a_list(tmp_path: Path) -> None:
    assert as_list("a.png") == ["a.png"] and as_list(tmp_path) == [tmp_path]
    assert as_list(("a.png", tmp_path)) == ["a.png", tmp_path]
    assert [part.shape for part in as_list(PICTURE)] == [(40, 20, 3)]  # pyright: ignore[reportAttributeAccessIssue]
    stack = as_list(np.stack([PICTURE, PICTURE + 1]))
    np.testing.assert_array_equal(stack[1], PICTURE + 1)
    for nothing in ([], (), np.empty((0, 8, 8, 3), np.uint8)):
        with pytest.raises(InputError, match=r"^images: none given$"):
            as_list(nothing)


def test_files_and_arrays_give_the_same_pixels(tmp_path: Path) -> None:
    path = tmp_path / "Größe 1.PNG"
    path.write_bytes(cv2.imencode(".png", PICTURE[..., ::-1])[1].tobytes())
    np.testing.assert_array_equal(open_picture(path, 0), PICTURE)
    np.testing.assert_array_equal(open_picture(str(path), 0), open_picture(PICTURE, 0))
    assert open_picture(PICTURE[:, ::-1], 0).flags.c_contiguous


def test_pillow_images_upright() -> None:
    made = Image.fromarray(PICTURE)
    assert as_list(made) == [made]
    np.testing.assert_array_equal(open_picture(made, 0), PICTURE)
    assert open_picture(made, 0).flags.writeable
    turned = made.copy()
    turned.getexif()[0x0112] = 6  # to be turned clockwise
    np.testing.assert_array_equal(open_picture(turned, 0), np.rot90(PICTURE, -1))


def of_mode(mode: str) -> Image.Image:
    """The picture in a mode of Pillow; alpha falls from left to right."""
    made = Image.fromarray(PICTURE)
    if mode == "I;16":
        return Image.fromarray(PICTURE[..., 0].astype(np.uint16) * 257 - PICTURE[..., 1] // 2)
    if mode.endswith(("A", "a")):
        made.putalpha(Image.fromarray(np.linspace(255, 0, PICTURE.shape[1]).astype(np.uint8)[None].repeat(len(PICTURE), axis=0)))
    return made.convert(mode)


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        *((mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        ("P", {"transparency": 5}),
        ("P", {"transparency": bytes(range(256))}),
        ("RGB", {"transparency": (3, 4, 5)}),
        ("L", {"transparency": 4}),
        ("I;16", {"transparency": 4}),
    ],
)
def test_a_path_and_its_pillow_image_give_the_same_pixels(tmp_path: Path, mode: str, options: dict[str, Any]) -> None:
    of_mode(mode).save(tmp_path / "a.png", **options)
    with Image.open(tmp_path / "a.png") as opened:
        assert opened.mode == mode
        of_file = open_picture(tmp_path / "a.png", 0)
        np.testing.assert_array_equal(open_picture(opened, 0), of_file)
    assert of_file.std() > 10


@pytest.mark.parametrize(("mode", "like"), [("PA", "RGBA"), ("RGBa", "RGBA"), ("CMYK", "RGB"), ("YCbCr", "RGB"), ("HSV", "RGB"), ("I", "I;16")])
def test_modes_that_no_png_has(tmp_path: Path, mode: str, like: str) -> None:
    of_mode(like).save(tmp_path / "a.png")
    found = open_picture(of_mode(like).convert(mode), 0).astype(int)
    np.testing.assert_allclose(found, open_picture(tmp_path / "a.png", 0), atol=8)


def test_sixteen_bits_in_the_other_order() -> None:
    grey = PICTURE[..., 0].astype(np.uint16) * 257
    found = open_picture(Image.frombytes("I;16B", (20, 40), grey.astype(">u2").tobytes()), 0)
    np.testing.assert_array_equal(found, np.repeat(PICTURE[..., :1], 3, axis=2))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (Image.fromarray(np.linspace(0, 1, 800, dtype=np.float32).reshape(40, 20)), "is a Pillow image of mode F, whose range is not known; make it 8 bits$"),
        (Image.fromarray(np.full((40, 20), 65536, np.int32)), "is a Pillow image of mode I with values outside 0 to 65535; make it 8 bits$"),
        (Image.fromarray(np.full((40, 20), -1, np.int32)), "is a Pillow image of mode I with values outside"),
        (Image.new("RGB", (4000, 4001)), "is 4000 x 4001 pixels, more than 16 million: cut out the person$"),
        (Image.new("RGB", (7, 40)), "is 7 x 40 pixels, at least 8 x 8 are needed$"),
    ],
)
def test_pillow_images_of_no_known_range_or_another_size_are_refused(image: Image.Image, message: str) -> None:
    with pytest.raises(InputError, match=f"^image 3: {message}"):
        open_picture(image, 3)


def test_pillow_images_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    for suffix in ("jpg", "png"):
        noise.save(tmp_path / f"whole.{suffix}")
        whole = (tmp_path / f"whole.{suffix}").read_bytes()
        (tmp_path / f"cut.{suffix}").write_bytes(whole[: len(whole) // 2])
    closed = Image.open(tmp_path / "whole.jpg")
    closed.close()
    with Image.open(tmp_path / "whole.png") as left:
        pass
    for image in (Image.open(tmp_path / "cut.jpg"), Image.open(tmp_path / "cut.png"), closed, left):
        with pytest.raises(InputError, match=r"^image 1: cannot be read \(.+\)$"):
            open_picture(image, 1)


@pytest.mark.parametrize("thing", [None, 5, object()])
def test_what_is_no_picture_at_all(thing: Any) -> None:
    (one,) = as_list(thing)
    with pytest.raises(InputError, match=r"^image 2: is a \w+, expected a path, an array uint8 \[height, width, 3\] or a Pillow image$"):
        open_picture(one, 2)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (PICTURE.astype(np.float32) / 255, r"^image 4: is float32 \[40, 20, 3\], expected uint8 \[height, width, 3\] in RGB$"),
        (PICTURE[..., 0], r"^image 4: is uint8 \[40, 20\], expected"),
        (PICTURE[..., :2], r"^image 4: is uint8 \[40, 20, 2\], expected"),
        (PICTURE[:1, :1], r"^image 4: is 1 x 1 pixels, at least 8 x 8 are needed$"),
        (PICTURE[:, :7], r"^image 4: is 7 x 40 pixels, at least 8 x 8 are needed$"),
        (np.broadcast_to(np.uint8(0), (4001, MAX_PIXELS // 4000, 3)), r"^image 4: is 4000 x 4001 pixels, more than 16 million: cut out the person$"),
    ],
)
def test_arrays_that_are_no_picture_of_a_person_are_refused(array: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_picture(array, 4)


def test_files_that_are_no_picture_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("this is no picture")
    (tmp_path / "dot.png").write_bytes(cv2.imencode(".png", PICTURE[:1, :1])[1].tobytes())
    for name, message in (("text.jpg", "cannot be decoded"), ("dot.png", "is 1 x 1 pixels"), ("none.jpg", "cannot be read"), (".", "cannot be read")):
        with pytest.raises(InputError, match=f"^{tmp_path / name}: {message}") as caught:
            open_picture(tmp_path / name, 0)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a\0b.jpg", "a" * 300 + ".jpg"])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(printable(name))}: cannot be read"):
        open_picture(name, 0)


def header(width: int, height: int) -> bytes:
    """A PNG that ends where its pixels would start."""
    chunks = ((b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 6, 0, 0, 0))), (b"IDAT", b""))
    parts = [len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big") for kind, data in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("width", "height", "message"),
    [
        (6000, 6000, "is 6000 x 6000 pixels, more than 16 million: cut out the person$"),
        (10_000, 10_000, "is 10000 x 10000 pixels, more than 16 million: cut out the person$"),  # Pillow warns
        (20_000, 20_000, "has too many pixels: cut out the person"),  # Pillow refuses
        (4000, 4000, "cannot be decoded as an image$"),
    ],
)
def test_a_file_is_too_large_by_its_header(tmp_path: Path, width: int, height: int, message: str, recwarn: pytest.WarningsRecorder) -> None:
    (tmp_path / "a.png").write_bytes(header(width, height))
    with pytest.raises(InputError, match=rf"a\.png: {message}"):
        open_picture(tmp_path / "a.png", 0)
    assert len(recwarn) == 0


def test_what_only_the_decoder_knows_is_refused_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qafm.datasets.picture_size.MAX_PIXELS", 700)
    (tmp_path / "a.ppm").write_bytes(cv2.imencode(".ppm", PICTURE)[1].tobytes())
    with pytest.raises(InputError, match=r"a\.ppm: is 20 x 40 pixels, more than"):
        open_picture(tmp_path / "a.ppm", 0)


def test_the_key_of_a_picture_is_its_size_and_pixels() -> None:
    assert content_key(PICTURE) == content_key(PICTURE.copy()) and len(content_key(PICTURE)) == 64
    others = [PICTURE + 1, PICTURE.reshape(20, 40, 3), PICTURE[:, ::-1]]
    assert len({content_key(picture) for picture in (PICTURE, *others)}) == 4
