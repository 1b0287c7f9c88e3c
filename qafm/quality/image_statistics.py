"""What can be told of an image's quality without a network: sharpness, brightness, contrast."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from qafm.datasets.read_image import read_image

STATISTICS = ("sharpness", "brightness", "contrast")


def image_statistics(image: NDArray[np.uint8]) -> tuple[float, float, float]:
    """The STATISTICS of one image at its native size.

    Args:
        image: RGB, uint8 [H, W, 3].

    Returns:
        Variance of the Laplacian of the grey image; mean V of HSV, 0..255; standard deviation of the grey image, 0..127.5.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)  # [H, W]
    return float(cv2.Laplacian(grey, cv2.CV_64F).var()), float(image.max(axis=2).mean()), float(grey.std())


def measure_images(paths: Sequence[Path]) -> dict[str, NDArray[np.float64]]:
    """The STATISTICS of N image files, read one after the other, each float64 [N].

    Raises:
        InputError: a file cannot be read as an image.
    """
    cv2.setNumThreads(1)  # images are small
    found = [image_statistics(read_image(path)) for path in tqdm(paths, desc="image statistics", unit="image", disable=None)]
    return dict(zip(STATISTICS, np.array(found, np.float64).reshape(-1, len(STATISTICS)).T, strict=True))
