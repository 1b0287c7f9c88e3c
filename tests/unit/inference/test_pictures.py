"""What a user may hand over as an image, and what is refused in one line."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from qafm.inference.pictures import MAX_PIXELS, as_list, content_key, open_picture
from qafm.runtime.errors import InputError

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


def test_pillow_images_of_any_mode_upright() -> None:
    made = Image.fromarray(PICTURE)
    assert as_list(made) == [made]
    np.testing.assert_array_equal(open_picture(made, 0), PICTURE)
    np.testing.assert_array_equal(open_picture(made.convert("L"), 0), np.repeat(np.asarray(made.convert("L"))[..., None], 3, axis=2))
    turned = made.copy()
    turned.getexif()[0x0112] = 6  # to be turned clockwise
    np.testing.assert_array_equal(open_picture(turned, 0), np.rot90(PICTURE, -1))


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


def test_the_key_of_a_picture_is_its_size_and_pixels() -> None:
    assert content_key(PICTURE) == content_key(PICTURE.copy()) and len(content_key(PICTURE)) == 64
    others = [PICTURE + 1, PICTURE.reshape(20, 40, 3), PICTURE[:, ::-1]]
    assert len({content_key(picture) for picture in (PICTURE, *others)}) == 4
