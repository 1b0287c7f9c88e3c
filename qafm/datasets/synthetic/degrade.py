"""Degradations with a known level. Blur and low resolution kill texture and keep colour; darkness and colour cast kill colour and keep shape.

H W: the image. `level` is in (0, 1]. Lengths scale with the image height; numbers are for 128 rows.
"""

import cv2
import numpy as np

from qafm.datasets.synthetic.fractal_noise import fractal_noise
from qafm.datasets.synthetic.light import LUMA

NONE, OCCLUSION = "none", "occlusion"
PHOTOMETRIC = ("blur", "low_resolution", "darkness", "colour_cast", "noise")
KINDS = (*PHOTOMETRIC, OCCLUSION)
CASTS = ((1.35, 1.0, 0.45), (0.55, 0.95, 1.5), (0.75, 1.25, 0.8), (1.3, 0.8, 1.15))


def degrade(image: np.ndarray, kind: str, level: float, rng: np.random.Generator) -> np.ndarray:
    """Degrade `image` by one of `PHOTOMETRIC`.

    Args:
        image: uint8 RGB [H, W, 3].

    Returns:
        A new uint8 image [H, W, 3].
    """
    return {"blur": _blur, "low_resolution": _low_resolution, "darkness": _darkness, "colour_cast": _colour_cast, "noise": _noise}[kind](image, level, rng)


def _blur(image: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Out of focus: Gaussian of 0.8 to 3.2 pixels; every other time less of it, and moving: along a line of 3 to 11 pixels."""
    unit = len(image) / 128
    if rng.random() < 0.5:
        return cv2.GaussianBlur(image, (0, 0), (0.8 + 2.4 * level) * unit)
    image = cv2.GaussianBlur(image, (0, 0), (0.5 + 1.1 * level) * unit)
    size = max(round((3 + 8 * level) * unit), 3) | 1
    angle = rng.uniform(-0.5, 0.5)
    kernel = np.zeros((size, size), np.float32)
    centre, reach = size // 2, (size // 2) * np.array([np.cos(angle), np.sin(angle)])
    ends = [(round(centre + sign * reach[0]), round(centre + sign * reach[1])) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def _low_resolution(image: np.ndarray, level: float, _rng: np.random.Generator) -> np.ndarray:
    """Seen from afar: shrunk 1.6 to 6 times and enlarged again."""
    height, width = image.shape[:2]
    factor = 1.6 + 4.4 * level
    small = cv2.resize(image, (max(round(width / factor), 4), max(round(height / factor), 8)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _darkness(image: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Night: 1.5 to 5.5 times darker, colours fade, the sensor's noise shows."""
    dark = image.astype(np.float32) / np.float32(1.5 + 4 * level)
    grey = (dark @ LUMA)[..., None]
    dark = grey + np.float32(1 - 0.8 * level) * (dark - grey)
    dark += rng.standard_normal(image.shape, np.float32) * np.float32(1 + 3 * level)
    return _bytes(dark)


def _colour_cast(image: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Coloured lamps: the image's own colours fade by 40 to 95 percent, one colour lies over all."""
    colour = np.array(CASTS[rng.integers(len(CASTS))], np.float32)
    bright = image.astype(np.float32)
    grey = (bright @ LUMA)[..., None]
    faded = grey + np.float32(0.6 - 0.55 * level) * (bright - grey)
    return _bytes(faded * (1 + np.float32(0.4 + 0.6 * level) * (colour - 1)))


def _noise(image: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """A bad sensor: Gaussian noise with a sd of 6 to 36 of 255, half of it common to the three colours."""
    sd = 6 + 30 * level
    common = rng.standard_normal((*image.shape[:2], 1), np.float32)
    return _bytes(image + np.float32(0.7 * sd) * (common + rng.standard_normal(image.shape, np.float32)))


def occluder(height: int, width: int, level: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Something between camera and person: a wall, a bin or a bush from one side or from below, or a post.

    Returns:
        Its colour, float32 [H, W, 3] in [0, 1], and where it is, float32 [H, W] in [0, 1].
    """
    x, y = (np.arange(width, dtype=np.float32)[None] + 0.5) / width, (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height
    noise = fractal_noise(height, width, rng)
    rough = noise * np.float32(rng.choice([0.0, 0.06]))
    side = rng.integers(4)
    if side == 0:
        edge = y - (1 - 0.12 - 0.43 * level)
    elif side == 3:
        edge = 0.05 + 0.12 * level - np.abs(x - rng.uniform(0.35, 0.65))
    else:
        inner = 0.15 + 0.40 * level - (x if side == 1 else 1 - x)
        edge = np.minimum(inner, y - rng.uniform(0, 0.45))
    where = np.clip(0.5 + (edge + rough) * height * 0.7, 0, 1).astype(np.float32)
    where = np.broadcast_to(where, (height, width))
    tone = np.array(((0.30, 0.38, 0.24), (0.45, 0.44, 0.43), (0.62, 0.60, 0.56), (0.36, 0.28, 0.22), (0.28, 0.33, 0.42))[rng.integers(5)], np.float32)
    colour = tone * (1 + np.float32(0.28) * noise + np.float32(0.15) * np.cos(np.float32(5) * x))[..., None]
    return colour.astype(np.float32), where


def _bytes(image: np.ndarray) -> np.ndarray:
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)
