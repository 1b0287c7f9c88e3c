"""A Pillow image as the pixels that `read_image` gives of its file."""

import numpy as np
from PIL import ImageOps
from PIL.Image import Image as PilImage

from qafm.errors import InputError, one_line

DEEPEST = (1 << 16) - 1  # of the 16 bits that a file's grey may have


def pillow_pixels(image: PilImage, name: str) -> np.ndarray:
    """Decode an image: upright, transparent pixels shown on black, 16 bits as 8.

    Args:
        image: of any mode that has a known range.
        name: what to call it in an error.

    Returns:
        uint8 [H, W, 3], RGB.

    Raises:
        InputError: it cannot be decoded, is closed, or its numbers have no known range (mode F, or I beyond 16 bits).
    """
    if image.mode == "F":
        raise InputError(f"{name}: is a Pillow image of mode F, whose range is not known; make it 8 bits")
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I"):
            return _eight_bits(np.asarray(upright), name)
        return _on_black(upright.convert("RGBA")) if _is_transparent(upright) else np.asarray(upright.convert("RGB"))
    except InputError:
        raise
    except Exception as error:  # of many kinds: a truncated file is an OSError, one that was closed an AssertionError
        raise InputError(f"{name}: cannot be read ({one_line(repr(error))})") from error


def _is_transparent(image: PilImage) -> bool:
    """Whether it has alpha; one grey value that stands for it (tRNS of a PNG) is passed over, as in the file."""
    return image.has_transparency_data and image.mode not in ("1", "L")


def _on_black(image: PilImage) -> np.ndarray:
    """Blend RGBA with black."""
    full = np.asarray(image)
    return np.rint(full[..., :3] * (full[..., 3:] / np.float32(255))).astype(np.uint8)


def _eight_bits(grey: np.ndarray, name: str) -> np.ndarray:
    """The upper bytes of 16-bit grey [H, W], over three channels."""
    if grey.min() < 0 or grey.max() > DEEPEST:
        raise InputError(f"{name}: is a Pillow image of mode I with values outside 0 to {DEEPEST}; make it 8 bits")
    return np.repeat((grey >> 8).astype(np.uint8)[..., None], 3, axis=2)
