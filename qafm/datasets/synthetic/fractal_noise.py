"""Noise for rough surfaces: the ground of a scene, an occluder."""

import cv2
import numpy as np


def fractal_noise(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Noise on all scales with mean about 0 and values mostly within 1, float32 [height, width]."""
    noise = np.zeros((height, width), np.float32)
    for octave in range(6):
        cells = (max(height >> (7 - octave), 2), max(width >> (7 - octave), 2))
        noise += cv2.resize(rng.normal(size=cells).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC) * 0.72**octave
    return noise / 2.2
