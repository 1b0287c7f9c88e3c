"""Background: everything outside an ellipse in one colour."""

# H, W height and width in pixels

import numpy as np
from numpy.typing import NDArray

COLORS: dict[str, tuple[int, int, int]] = {"R": (255, 0, 0), "B": (0, 0, 255), "Y": (255, 255, 0), "G": (0, 255, 0)}


def outside_ellipse(height: int, width: int, scale: float) -> NDArray[np.bool_]:
    """Pixels whose centre lies outside the centred ellipse with axes `scale` times height and width.

    Returns:
        bool [H, W].
    """
    y = (2 * np.arange(height) + 1 - height) / (scale * height)  # [H], -1..1 within the ellipse
    x = (2 * np.arange(width) + 1 - width) / (scale * width)  # [W]
    return y[:, None] ** 2 + x[None, :] ** 2 > 1  # [H, W]


def replace_background(image: NDArray[np.uint8], scale: float, color: str) -> NDArray[np.uint8]:
    """Fill the outside of a centred ellipse with one colour (paper section III-C).

    Args:
        image: uint8 [H, W, 3] RGB.
        scale: axes of the ellipse as a share of H and W; 1.0 touches the borders, 1.2 cuts the corners only.
        color: a key of `COLORS`.

    Returns:
        uint8 [H, W, 3].
    """
    replaced = image.copy()
    replaced[outside_ellipse(image.shape[0], image.shape[1], scale)] = COLORS[color]
    return replaced
