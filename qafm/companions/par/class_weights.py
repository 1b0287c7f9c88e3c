"""Weights of the classes of a head: the rarer a class, the more it counts.

N images, K classes.
"""

import numpy as np


def class_counts(codes: np.ndarray, size: int) -> np.ndarray:
    """How many images are of each class, int64 [K]; codes [N] below 0 are unknown and not counted."""
    return np.bincount(codes[codes >= 0], minlength=size)


def class_weights(codes: np.ndarray, size: int) -> np.ndarray:
    """1 / relative frequency, scaled to a mean of 1 over the classes that occur.

    Args:
        codes: class codes of the training images [N], -1 = unknown.
        size: K.

    Returns:
        float64 [K]; 0 for a class that does not occur, and all 0 where no code is known.
    """
    counts = class_counts(codes, size)
    there = counts > 0
    weights = np.zeros(size)
    weights[there] = counts.sum() / counts[there]
    return weights / weights[there].mean() if there.any() else weights
