"""Any picture file to RGB pixels, the one way in the whole project."""

from pathlib import Path

import cv2
import numpy as np

from qafm.datasets.exif_orientation import upright
from qafm.errors import InputError

_WITH_ALPHA = (b"\x89PNG", b"RIFF")  # PNG and WebP; the fourth byte of a bitmap is padding more often than alpha


def read_image(path: Path) -> np.ndarray:
    """Read an image file as RGB.

    Greyscale is repeated over three channels, 16 bits become 8, CMYK becomes RGB, EXIF orientation is applied, transparent pixels are shown on black.

    Args:
        path: JPEG, PNG, WebP, BMP or TIFF; any name, any size.

    Returns:
        uint8 [height, width, 3].

    Raises:
        InputError: the file cannot be read or decoded.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    return decode_image(data, str(path))


def decode_image(data: bytes, name: str) -> np.ndarray:
    """Decode the bytes of an image file, as `read_image` does.

    Args:
        data: the file's content.
        name: what to call it in an error.

    Returns:
        uint8 [height, width, 3], RGB.

    Raises:
        InputError: empty, truncated or not an image.
    """
    if not data:
        raise InputError(f"{name}: the file is empty")
    buffer = np.frombuffer(data, np.uint8)
    try:
        image = cv2.imdecode(buffer, cv2.IMREAD_COLOR_RGB)
        full = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED) if data[:4] in _WITH_ALPHA else None
    except cv2.error as error:
        raise InputError(f"{name}: cannot be decoded as an image ({error.err})") from error
    if image is None:
        raise InputError(f"{name}: cannot be decoded as an image")
    if full is None or full.ndim < 3 or full.shape[2] < 4:
        return image
    return np.ascontiguousarray(upright(_on_black(full), _exif(buffer)))  # the decoder turns what it gives as RGB, not what it gives unchanged


def _exif(buffer: np.ndarray) -> bytes:
    """The EXIF block of an encoded picture that can be decoded; empty where it has none."""
    _, kinds, blocks = cv2.imdecodeWithMetadata(buffer, flags=cv2.IMREAD_UNCHANGED)
    return next((np.asarray(block).tobytes() for kind, block in zip(kinds, blocks, strict=True) if kind == cv2.IMAGE_METADATA_EXIF), b"")


def _on_black(full: np.ndarray) -> np.ndarray:
    """Blend uint8 or uint16 BGRA [H, W, 4] with black; returns uint8 RGB [H, W, 3]."""
    scale = np.iinfo(full.dtype).max
    color, alpha = full[..., 2::-1].astype(np.float64), full[..., 3:].astype(np.float64) / scale
    return np.rint(color * alpha * (255 / scale)).astype(np.uint8)
