"""The images a user hands over: files or arrays, one or many, checked before anything is computed."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import ImageOps
from PIL.Image import Image as PilImage

from qafm.datasets.read_image import read_image
from qafm.runtime.errors import InputError

Picture: TypeAlias = str | os.PathLike[str] | np.ndarray | PilImage
Pictures: TypeAlias = Picture | Sequence[Picture]
MIN_SIDE = 8  # pixels: a smaller picture shows nobody
MAX_PIXELS = 16_000_000  # its 35 variants would take more than 1.6 GB


def as_list(images: Pictures) -> list[Picture]:
    """One image, a list of them, or an array [N, H, W, 3] as a list.

    Raises:
        InputError: there is none.
    """
    if isinstance(images, np.ndarray):
        found: list[Picture] = list(images) if images.ndim == 4 else [images]
    else:
        found = [images] if isinstance(images, str | os.PathLike | PilImage) or not isinstance(images, Iterable) else list(images)
    if not found:
        raise InputError("images: none given")
    return found


def open_picture(image: Picture, position: int) -> np.ndarray:
    """Read a file, or check an array.

    Args:
        image: path, uint8 [H, W, 3] in RGB, or a Pillow image of any mode, turned as its EXIF data say.
        position: its place among the images, to name an array by.

    Returns:
        uint8 [H, W, 3], RGB.

    Raises:
        InputError: it is none of these, the file cannot be read or decoded, the array is of another type or shape, or the picture is too small or too large.
    """
    name = f"image {position}"
    if isinstance(image, PilImage):
        image = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    if isinstance(image, np.ndarray):
        picture = image
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise InputError(f"{name}: is {picture.dtype} {list(picture.shape)}, expected uint8 [height, width, 3] in RGB")
    elif isinstance(image, str | os.PathLike):
        name, picture = str(image), read_image(Path(image))
    else:
        raise InputError(f"{name}: is a {type(image).__name__}, expected a path, an array uint8 [height, width, 3] or a Pillow image")
    height, width, _ = picture.shape
    if min(height, width) < MIN_SIDE:
        raise InputError(f"{name}: is {width} x {height} pixels, at least {MIN_SIDE} x {MIN_SIDE} are needed")
    if height * width > MAX_PIXELS:
        raise InputError(f"{name}: is {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} million: cut out the person")
    return np.ascontiguousarray(picture)


def content_key(picture: np.ndarray) -> str:
    """Hex SHA-256 of a picture's size and pixels: the seed of its noise, so that Q does not depend on a name."""
    return hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()
