"""A sample in words and as an axis: constants are told and drawn as constants, not stretched until they look like a distribution."""

import numpy as np

TOLERANCE = 1e-6  # float32 weights that should be equal differ by less
Q_FORM = "#.4g"  # four significant digits: Q is about 11 of raw features, 0.1 of normalised ones
ALPHA_FORM = ".4f"


def is_constant(values: np.ndarray) -> bool:
    """Whether all `values` [N] are the same up to rounding."""
    return bool(np.ptp(values) <= TOLERANCE * max(1.0, float(np.abs(values).max())))


def describe_briefly(values: np.ndarray, form: str) -> str:
    """Mean, median and sd (population) of `values` [N] in words, numbers in the format `form`."""
    if is_constant(values):
        return f"all {values.mean():{form}}"
    return f"mean {values.mean():{form}}, median {np.median(values):{form}}, sd {values.std():{form}}"


def describe(values: np.ndarray, form: str) -> str:
    """Number, mean, median, sd (population) and range of `values` [N] in words, numbers in the format `form`."""
    spread = "" if is_constant(values) else f", range {values.min():{form}} to {values.max():{form}}"
    return f"n = {len(values):,}, {describe_briefly(values, form)}{spread}"


def bin_edges(values: np.ndarray, bins: int, narrowest: float) -> np.ndarray:
    """Edges [bins + 1] of equal bins over `values` and at least over a span of `narrowest`; a constant lies in the middle of the middle one."""
    low, high = float(values.min()), float(values.max())
    if is_constant(values):
        bins += 1 - bins % 2
    margin = max(0.0, narrowest - (high - low)) / 2
    return np.linspace(low - margin, high + margin, bins + 1)
