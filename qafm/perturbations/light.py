"""Light: a shift of V in HSV space."""

# H, W height and width in pixels

import numpy as np
from numpy.typing import NDArray


def shift_light(image: NDArray[np.uint8], offset: int) -> NDArray[np.uint8]:
    """Shift V of HSV by `offset`, clipped to 0..255; hue and saturation stay (paper section III-C).

    V is the largest channel, and scaling a pixel keeps its hue and saturation: RGB' = RGB V'/V. This is exact,
    where 8-bit HSV images (PIL, OpenCV) round hue and saturation. Black has neither hue nor saturation and
    becomes the grey V'.

    Args:
        image: uint8 [H, W, 3] RGB.
        offset: -255..255, on the scale of V in 0..255.

    Returns:
        uint8 [H, W, 3], each channel rounded half up.
    """
    channels = image.astype(np.int32)
    value = channels.max(axis=2, keepdims=True)  # [H, W, 1]
    target = np.clip(value + offset, 0, 255)
    scaled = (2 * channels * target + value) // np.maximum(2 * value, 1)
    return np.where(value == 0, target, scaled).astype(np.uint8)
