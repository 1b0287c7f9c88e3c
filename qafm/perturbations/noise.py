"""Noise: Gaussian, salt and pepper, speckle; drawn from a key, never from process state.

A key's SHA-256 seeds a PCG64 generator, whose raw 64-bit words are cut into 16-bit uniform numbers; a table of
the 65,536 normal quantiles turns those into normal deviates. Raw words, unlike numpy's distributions, are the
same in every numpy version, so the same key gives the same bytes on any machine.
"""

# H, W height and width in pixels; n number of draws

import hashlib
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

LEVELS = 1 << 16


def uniform_levels(key: str, count: int) -> NDArray[np.uint16]:
    """Independent uniform numbers in 0..65535.

    Args:
        key: what the numbers depend on.
        count: n >= 0.

    Returns:
        uint16 [n].
    """
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "little")
    words = np.random.PCG64(seed).random_raw(-(-count // 4))
    return np.asarray(words, dtype="<u8").view("<u2")[:count]


@cache
def _normal_quantiles() -> NDArray[np.float64]:
    """Standard normal deviate of each 16-bit level, float64 [65536]."""
    quantiles = ndtri((np.arange(LEVELS) + 0.5) / LEVELS)
    quantiles.setflags(write=False)
    return quantiles


@lru_cache(maxsize=8)
def _gaussian_table(sigma: float) -> NDArray[np.int16]:
    return np.rint(sigma * _normal_quantiles()).astype(np.int16)


@lru_cache(maxsize=8)
def _speckle_table(level: float) -> NDArray[np.float32]:
    return (1 + level * _normal_quantiles()).astype(np.float32)


def add_gaussian_noise(image: NDArray[np.uint8], sigma: float, key: str) -> NDArray[np.uint8]:
    """Add N(0, sigma) to each channel, rounded and clipped (paper section III-C).

    Args:
        image: uint8 [H, W, 3] RGB.
        sigma: standard deviation on the scale 0..255.
        key: what the noise depends on.

    Returns:
        uint8 [H, W, 3].
    """
    noise = _gaussian_table(sigma).take(uniform_levels(key, image.size)).reshape(image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def add_salt_pepper(image: NDArray[np.uint8], share: float, key: str) -> NDArray[np.uint8]:
    """Set pixels, all channels at once, to white or black (paper section III-C).

    Args:
        image: uint8 [H, W, 3] RGB.
        share: expected share of pixels hit, 0..1; half turn white, half black.
        key: what the noise depends on.

    Returns:
        uint8 [H, W, 3].
    """
    levels = uniform_levels(key, image.shape[0] * image.shape[1])  # [H W]
    threshold = round(share / 2 * LEVELS)
    pixels = image.reshape(-1, 3).copy()  # [H W, 3]
    pixels[np.flatnonzero(levels < threshold)] = 255
    pixels[np.flatnonzero(levels >= LEVELS - threshold)] = 0
    return pixels.reshape(image.shape)


def add_speckle(image: NDArray[np.uint8], level: float, key: str) -> NDArray[np.uint8]:
    """Multiply each channel by 1 + level n, n ~ N(0, 1), rounded and clipped.

    Args:
        image: uint8 [H, W, 3] RGB.
        level: standard deviation of the factor.
        key: what the noise depends on.

    Returns:
        uint8 [H, W, 3].
    """
    factors = _speckle_table(level).take(uniform_levels(key, image.size)).reshape(image.shape)
    return np.clip(np.rint(image * factors), 0, 255).astype(np.uint8)
