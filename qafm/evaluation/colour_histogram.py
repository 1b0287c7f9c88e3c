"""Colour histograms as descriptors: the baseline that a re-identification data set must not be solved by.

H W: the image; B: bins of one histogram.
"""

from itertools import pairwise

import cv2
import numpy as np


def colour_histogram(image: np.ndarray, bins: tuple[int, int, int], where: np.ndarray | None = None) -> np.ndarray:
    """The square root of the joint HSV histogram: the dot product of two is their Bhattacharyya coefficient.

    Args:
        image: uint8 RGB [H, W, 3].
        bins: numbers of bins of hue, saturation and value.
        where: bool [H, W], the pixels that count; None: all.

    Returns:
        float32 [B] with L2 norm 1; all zero where no pixel counts.
    """
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    mask = None if where is None else where.astype(np.uint8)
    counts = cv2.calcHist([hsv], [0, 1, 2], mask, list(bins), [0, 180, 0, 256, 0, 256]).ravel()  # [B]
    return np.sqrt(counts / max(counts.sum(), 1)).astype(np.float32)


def stripe_histograms(image: np.ndarray, bins: tuple[int, int, int], stripes: int, where: np.ndarray | None = None) -> np.ndarray:
    """Histograms of `stripes` horizontal stripes of equal height side by side, float32 [stripes * B]; L2 norm 1 if each stripe has a pixel that counts."""
    edges = np.linspace(0, len(image), stripes + 1).round().astype(int)
    rows = [slice(first, last) for first, last in pairwise(edges)]
    parts = [colour_histogram(image[part], bins, None if where is None else where[part]) for part in rows]
    return np.concatenate(parts) / np.float32(np.sqrt(stripes))


def background(mask: np.ndarray, margin: int) -> np.ndarray:
    """Pixels without any trace of the person: bool [H, W].

    Args:
        mask: uint8 [H, W], 0 where the person does not show.
        margin: pixels to keep away from the person.
    """
    size = 2 * margin + 1
    return cv2.dilate(mask, np.ones((size, size), np.uint8)) == 0
