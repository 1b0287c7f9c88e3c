"""Blur: a Gaussian at native size."""

# H, W height and width in pixels

import math

import cv2
import numpy as np
from numpy.typing import NDArray


def gaussian_blur(image: NDArray[np.uint8], sigma_px: float, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Blur with a Gaussian of `sigma_px` (paper section III-C).

    A true Gaussian, cut at 3 sigma: the kernel has 2 ceil(3 sigma) + 1 taps (7, 11, 13 for 1, 1.5, 1.85) and the
    image is continued by its border pixels. It is computed in OpenCV's fixed-point arithmetic: the same bytes on
    every machine, at most 3 grey levels from the exact value. PIL's GaussianBlur, which the original code calls, is
    three passes of a box filter and comes close to it.

    Args:
        image: uint8 [H, W, 3] RGB.
        sigma_px: standard deviation in pixels, > 0.
        out: uint8 [H, W, 3], contiguous, to write into; a new array if None.

    Returns:
        uint8 [H, W, 3].
    """
    taps = 2 * math.ceil(3 * sigma_px) + 1
    target = np.empty_like(image, order="C") if out is None else out
    cv2.GaussianBlur(np.ascontiguousarray(image), (taps, taps), sigma_px, dst=target, borderType=cv2.BORDER_REPLICATE, hint=cv2.ALGO_HINT_ACCURATE)
    return target
