"""The images a user hands over: files or arrays, one or many, checked before anything is computed."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL.Image import Image as PilImage

from qafm.datasets.picture_size import wrong_size, wrong_size_by_header
from qafm.datasets.read_image import read_image
from qafm.errors import InputError, reading
from qafm.inference.pillow_pixels import pillow_pixels

Picture: TypeAlias = str | os.PathLike[str] | np.ndarray | PilImage
Pictures: TypeAlias = Picture | Sequence[Picture]


def one_or_many(images: Picture | Iterable[Picture]) -> Iterable[Picture]:
    """One image as a list, an array [N, H, W, 3] as a list of its images; any others as they come."""
    if isinstance(images, np.ndarray):
        return list(images) if images.ndim == 4 else [images]
    return [images] if isinstance(images, str | os.PathLike | PilImage) or not isinstance(images, Iterable) else images


def as_list(images: Pictures) -> list[Picture]:
    """One image, a list of them, or an array [N, H, W, 3] as a list.

    Raises:
        InputError: there is none.
    """
    found = list(one_or_many(images))
    if not found:
        raise InputError("images: none given")
    return found


def open_picture(image: Picture, position: int) -> np.ndarray:
    """Read a file, or check an array.

    Args:
        image: path, uint8 [H, W, 3] in RGB, or a Pillow image, which gives the pixels that its file would.
        position: its place among the images, to name an array by.

    Returns:
        uint8 [H, W, 3], RGB.

    Raises:
        InputError: it is none of these, the file cannot be read or decoded, the array is of another type or shape, or the picture is too small or too large.
    """
    name = str(image) if isinstance(image, str | os.PathLike) else f"image {position}"
    picture = _pixels(image, name)
    height, width, _ = picture.shape
    _refuse(wrong_size(width, height), name)
    return np.require(picture, requirements=["C", "W"])  # torch warns of what cannot be written to, as Pillow's arrays


def _pixels(image: Picture, name: str) -> np.ndarray:
    """uint8 [H, W, 3]; what is too large is refused before it is decoded."""
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise InputError(f"{name}: is {image.dtype} {list(image.shape)}, expected uint8 [height, width, 3] in RGB")
        return image
    if isinstance(image, PilImage):
        _refuse(wrong_size(*image.size), name)
        return pillow_pixels(image, name)
    if isinstance(image, str | os.PathLike):
        with reading(Path(image), "cannot be read"):  # a name with a NUL character is a ValueError, one that is too long an OSError
            if Path(image).is_file():  # a pipe can be read once
                _refuse(wrong_size_by_header(Path(image)), name)
            return read_image(Path(image))
    raise InputError(f"{name}: is a {type(image).__name__}, expected a path, an array uint8 [height, width, 3] or a Pillow image")


def _refuse(reason: str | None, name: str) -> None:
    if reason is not None:
        raise InputError(f"{name}: {reason}")


def check_batch(batch: int) -> None:
    """Refuse a number of images at a time that is none.

    Raises:
        InputError: it is below 1.
    """
    if batch < 1:
        raise InputError(f"batch: is {batch}, at least 1 is needed")


def content_key(picture: np.ndarray) -> str:
    """Hex SHA-256 of a picture's size and pixels: the seed of its noise, so that Q does not depend on a name."""
    return hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()
