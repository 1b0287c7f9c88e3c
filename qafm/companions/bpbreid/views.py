"""What a camera may see of a person: all, the upper or the lower half, or all but what a block hides. Always the same for the same image.

H, W height and width of an image in pixels.
"""

from typing import Literal, TypeAlias

import numpy as np

from qafm.datasets.synthetic.seeding import generator

View: TypeAlias = Literal["full", "upper", "lower", "occluded"]
Halves: TypeAlias = Literal["filled", "stretched"]
VIEWS: tuple[View, ...] = ("full", "upper", "lower", "occluded")
# Query and gallery of each protocol; the gallery is always whole bodies but for the last.
PROTOCOLS: tuple[tuple[View, View], ...] = (("full", "full"), ("upper", "full"), ("lower", "full"), ("occluded", "full"), ("upper", "lower"))
SEARCHED: frozenset[View] = frozenset(gallery for _, gallery in PROTOCOLS)
BLOCK_HEIGHT, BLOCK_WIDTH = (0.4, 0.6), (0.7, 1.0)  # of the image, uniformly drawn
GREY = 127


def take_view(image: np.ndarray, view: View, image_id: str, halves: Halves) -> np.ndarray:
    """Cut or cover an image.

    Args:
        image: uint8 [H, W, 3], H at least 2.
        view: one of VIEWS.
        image_id: decides where the block of "occluded" lies, and how large it is.
        halves: what becomes of "upper" and "lower": "filled", grey in place of the other half; "stretched", cut off, so that the half fills the input.

    Returns:
        uint8 [H, W, 3], or half of H.
    """
    if view in ("upper", "lower"):
        half = len(image) // 2
        kept = slice(0, half) if view == "upper" else slice(len(image) - half, None)
        return image[kept] if halves == "stretched" else _keep(image, kept)
    return _occlude(image, image_id) if view == "occluded" else image


def _keep(image: np.ndarray, rows: slice) -> np.ndarray:
    """Grey everywhere but in `rows`."""
    covered = np.full_like(image, GREY)
    covered[rows] = image[rows]
    return covered


def _occlude(image: np.ndarray, image_id: str) -> np.ndarray:
    """A grey block over 28 to 60 percent of the image."""
    rng = generator("view", "occluded", image_id)
    height, width = image.shape[:2]
    tall, wide = round(rng.uniform(*BLOCK_HEIGHT) * height), round(rng.uniform(*BLOCK_WIDTH) * width)
    top, left = rng.integers(height - tall + 1), rng.integers(width - wide + 1)
    covered = image.copy()
    covered[top : top + tall, left : left + wide] = GREY
    return covered
