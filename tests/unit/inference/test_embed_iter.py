"""Streams of images: batch by batch, in bounded memory, past what cannot be used."""

import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from qafm.errors import InputError
from qafm.inference.model import ReidModel
from tests.made_up_run import pictures


def test_a_stream_answers_batch_by_batch_and_reads_no_further_than_asked(model: ReidModel) -> None:
    shown, read = pictures(5), []

    def given() -> object:
        for i, picture in enumerate(shown):
            read.append(i)
            yield picture

    stream = model.embed_iter(given(), 2, quality=False)  # pyright: ignore[reportArgumentType]
    images, first = next(stream)
    assert read == [0, 1] and len(images) == len(first) == 2
    rest = list(stream)
    assert [len(part) for part, _ in rest] == [2, 1]
    together = np.concatenate([first.descriptor, *(part.descriptor for _, part in rest)])
    np.testing.assert_allclose(together, model.embed(shown, quality=False).descriptor, atol=1e-5)
    assert list(model.embed_iter([])) == []
    with pytest.raises(InputError, match="batch: is 0"):
        next(model.embed_iter(shown, 0))


def test_a_stream_of_a_single_image(model: ReidModel, tmp_path: Path) -> None:
    Image.fromarray(pictures(1)[0]).save(tmp_path / "a.png")
    expected = model.embed(pictures(1)[0], quality=False).descriptor
    for one in (tmp_path / "a.png", str(tmp_path / "a.png"), pictures(1)[0], Image.open(tmp_path / "a.png")):
        ((images, found),) = model.embed_iter(one, quality=False)
        assert len(images) == 1 and images[0] is one
        np.testing.assert_allclose(found.descriptor, expected, atol=1e-6)


def test_a_stream_holds_one_picture_at_its_native_size(model: ReidModel, tmp_path: Path) -> None:
    for i in range(8):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.zeros((600, 500, 3), np.uint8))
    tracemalloc.start()
    try:
        ((images, _),) = model.embed_iter(sorted(tmp_path.iterdir()), 8, quality=False)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(images) == 8 and most < 4 * 600 * 500 * 3


def test_a_stream_goes_on_past_what_cannot_be_used_if_told_so(model: ReidModel, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    images, refused = [pictures(1)[0], tmp_path / "text.jpg", pictures(1)[0]], []
    parts = list(model.embed_iter(images, 2, quality=False, on_error=lambda image, error: refused.append((image, str(error)))))
    assert [len(part) for _, part in parts] == [2] and parts[0][0][1] is images[2]
    assert refused == [(tmp_path / "text.jpg", f"{tmp_path / 'text.jpg'}: cannot be decoded as an image")]
    with pytest.raises(InputError, match=r"text\.jpg: cannot be decoded"):
        list(model.embed_iter(images, 2, quality=False))


def test_a_stream_goes_on_past_a_pillow_image_that_cannot_be_read(model: ReidModel, tmp_path: Path) -> None:
    Image.fromarray(pictures(1)[0]).save(tmp_path / "a.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:900])
    images, refused = [Image.open(tmp_path / "cut.png"), Image.open(tmp_path / "a.png"), "a\0b.jpg"], []
    parts = list(model.embed_iter(images, quality=False, on_error=lambda image, _error: refused.append(image)))
    assert [part for part, _ in parts] == [[images[1]]] and refused == [images[0], images[2]]
