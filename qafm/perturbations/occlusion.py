"""Occlusion: a black bar along one border."""

# H, W height and width in pixels

import numpy as np
from numpy.typing import NDArray

SIDES = ("top", "bottom", "left", "right")


def bar(height: int, width: int, side: str, size: float, inset: float) -> tuple[slice, slice]:
    """Rows and columns of the bar.

    Args:
        height: H in pixels.
        width: W in pixels.
        side: one of `SIDES`.
        size: thickness as a share of H (top, bottom) or W (left, right); at least one pixel.
        inset: free margin as a share of H and W, 0..0.25. 0.05 are the rectangles of the original code (to the
            pixel that PIL adds at their far ends).

    Returns:
        The slices of rows and columns.
    """
    across, along = (height, width) if side in ("top", "bottom") else (width, height)
    margin, end = int(inset * across + 0.5), int(inset * along + 0.5)
    thickness = min(max(1, int(size * across + 0.5)), across - margin)
    start = margin if side in ("top", "left") else across - margin - thickness
    thick, long = slice(max(start, 0), start + thickness), slice(end, along - end)
    return (thick, long) if side in ("top", "bottom") else (long, thick)


def occlude(image: NDArray[np.uint8], side: str, size: float, inset: float = 0.0) -> NDArray[np.uint8]:
    """Cover one side by a black bar (paper section III-C: "5 % to 20 %" of the image).

    Args:
        image: uint8 [H, W, 3] RGB.
        side: one of `SIDES`.
        size: thickness as a share of H (top, bottom) or W (left, right).
        inset: free margin as a share of H and W; 0: the bar touches the border.

    Returns:
        uint8 [H, W, 3].
    """
    occluded = image.copy()
    occluded[bar(image.shape[0], image.shape[1], side, size, inset)] = 0
    return occluded
