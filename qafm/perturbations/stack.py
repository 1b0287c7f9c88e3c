"""The fast path: the original and all its variants in one buffer, equal to the functions of the catalogue bit by bit."""

# V variants with the original, H, W height and width in pixels, S scales, C colours

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from qafm.config.perturb import PerturbConfig
from qafm.perturbations.background import COLORS, outside_ellipse
from qafm.perturbations.blur import gaussian_blur
from qafm.perturbations.catalog import catalog
from qafm.perturbations.light import shift_light
from qafm.perturbations.occlusion import SIDES, bar

CACHED_SIZES = 8  # sizes [H, W] whose masks are kept: data sets have one size, or so many that no cache helps
CACHED_PIXELS = 4 * 256 * 128  # of a size at most: its masks take 30 bytes per pixel


@lru_cache(maxsize=32)
def _light_table(offset: int) -> NDArray[np.uint8]:
    """The shifted channel for each (V, channel) at index 256 V + channel, uint8 [65536]."""
    value, channel = np.divmod(np.arange(1 << 16), 256)
    pixels = np.stack([value, np.minimum(channel, value), np.zeros_like(value)], axis=1).astype(np.uint8)  # [65536, 3]
    return shift_light(pixels[None], offset)[0, :, 1].copy()


def _background_masks(height: int, width: int, scales: tuple[float, ...], colors: tuple[str, ...]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Bits of the image to keep, uint8 [S, H, W, 3], and colours to add, uint8 [S, C, H, W, 3]."""
    outside = np.stack([outside_ellipse(height, width, scale) for scale in scales])[..., None]  # [S, H, W, 1]
    keep = np.where(outside, 0, 255).astype(np.uint8).repeat(3, axis=-1)  # [S, H, W, 3]
    palette = np.array([COLORS[color] for color in colors], dtype=np.uint8)  # [C, 3]
    fill = np.where(outside[:, None], palette[None, :, None, None], 0).astype(np.uint8)  # [S, C, H, W, 3]
    return keep, fill


_kept_masks = lru_cache(maxsize=CACHED_SIZES)(_background_masks)


def _write_light(image: NDArray[np.uint8], config: PerturbConfig, out: NDArray[np.uint8]) -> None:
    value = cv2.max(cv2.max(image[..., 0], image[..., 1]), image[..., 2]).astype(np.intp).reshape(image.shape[:2])  # [H, W]
    index = (value[..., None] << 8) | image  # [H, W, 3]
    for offset, variant in zip(config.light_offsets, out, strict=True):
        np.take(_light_table(offset), index, out=variant, mode="clip")


def _write_blur(image: NDArray[np.uint8], config: PerturbConfig, out: NDArray[np.uint8]) -> None:
    for sigma, variant in zip(config.blur_sigmas_px, out, strict=True):
        gaussian_blur(image, sigma, out=variant)


def _write_occlusion(image: NDArray[np.uint8], config: PerturbConfig, out: NDArray[np.uint8]) -> None:
    out[:] = image
    bars = [(size, side) for size in config.occlusion_sizes for side in SIDES]
    for (size, side), variant in zip(bars, out, strict=True):
        variant[bar(image.shape[0], image.shape[1], side, size, config.inset)] = 0


def _write_background(image: NDArray[np.uint8], config: PerturbConfig, out: NDArray[np.uint8]) -> None:
    height, width, _ = image.shape
    masks = _kept_masks if height * width <= CACHED_PIXELS else _background_masks
    keep, fill = masks(height, width, config.background_scales, config.background_colors)
    out = out.reshape(fill.shape)  # [S, C, H, W, 3]
    np.bitwise_and(image, keep[:, None], out=out)
    np.bitwise_or(out, fill, out=out)


def perturb(image: NDArray[np.uint8], image_id: str, config: PerturbConfig) -> NDArray[np.uint8]:
    """The original and its variants (34 by default), each made from the original at native size.

    Args:
        image: uint8 [H, W, 3] RGB.
        image_id: with the seed, what the noise depends on.
        config: stage 2.

    Returns:
        uint8 [V, H, W, 3]; variant 0 is the original, variant k is entry k - 1 of `catalog(config)`.

    Raises:
        ValueError: `image` is not a non-empty uint8 [H, W, 3].
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"image is {image.dtype} {list(image.shape)}, expected uint8 [H, W, 3]")
    image = np.ascontiguousarray(image)
    entries = catalog(config)
    stack = np.empty((1 + len(entries), *image.shape), dtype=np.uint8)  # [V, H, W, 3]
    stack[0] = image
    start = 1
    for family, write in (("light", _write_light), ("blur", _write_blur), ("occlusion", _write_occlusion), ("background", _write_background)):
        count = sum(entry.family == family for entry in entries)
        if count:
            write(image, config, stack[start : start + count])
        start += count
    for entry, variant in zip(entries[start - 1 :], stack[start:], strict=True):
        variant[:] = entry.function(image, image_id)
    return stack
