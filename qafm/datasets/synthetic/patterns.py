"""Patterns of garments, as the share of the second colour at each point of the cloth.

Cloth coordinates in body heights: `around` from the middle of the front (positive to the wearer's left), `along` downwards from the collar or waist.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

EDGE = 0.006  # body heights over which a pattern's edge fades: about half a pixel at 128 x 64


@dataclass(frozen=True)
class Pattern:
    """What is printed or woven into a garment. Fields a kind does not use are ignored."""

    kind: str  # a key of KINDS
    period: float = 0.06  # of stripes, checks and dots
    duty: float = 0.4  # share of the second colour within a period
    around: float = 0.0  # centre of a logo
    along: float = 0.09  # centre of a logo, edge of a block, centre of a band
    size: float = 0.05  # half-size of a logo, half-width of a band


def pattern_weight(pattern: Pattern, around: np.ndarray, along: np.ndarray) -> np.ndarray:
    """The weight of the second colour, in [0, 1], same shape as `around` and `along`."""
    return KINDS[pattern.kind](pattern, around, along)


def _inside(distance: np.ndarray) -> np.ndarray:
    """1 where `distance` to an edge is negative, 0 where it is positive, with a soft edge."""
    return np.clip(0.5 - distance / EDGE, 0, 1)


def _periodic(position: np.ndarray, pattern: Pattern) -> np.ndarray:
    phase = np.abs(np.mod(position / pattern.period, 1) - 0.5) * pattern.period
    return _inside(phase - pattern.duty * pattern.period / 2)


def _plain(_pattern: Pattern, around: np.ndarray, _along: np.ndarray) -> np.ndarray:
    return np.zeros_like(around)


def _hoops(pattern: Pattern, _around: np.ndarray, along: np.ndarray) -> np.ndarray:
    return _periodic(along, pattern)


def _pinstripes(pattern: Pattern, around: np.ndarray, _along: np.ndarray) -> np.ndarray:
    return _periodic(around + pattern.period / 2, pattern)


def _checks(pattern: Pattern, around: np.ndarray, along: np.ndarray) -> np.ndarray:
    return (_periodic(around, pattern) + _periodic(along, pattern)) / 2


def _dots(pattern: Pattern, around: np.ndarray, along: np.ndarray) -> np.ndarray:
    row = np.floor(along / pattern.period)
    across = np.mod(around / pattern.period + 0.5 * row, 1) - 0.5
    down = np.mod(along / pattern.period, 1) - 0.5
    return _inside((np.hypot(across, down) - 0.2 - 0.4 * pattern.duty * 0.5) * pattern.period)


def _disc(pattern: Pattern, around: np.ndarray, along: np.ndarray) -> np.ndarray:
    return _inside(np.hypot(around - pattern.around, along - pattern.along) - pattern.size)


def _ring(pattern: Pattern, around: np.ndarray, along: np.ndarray) -> np.ndarray:
    return _inside(np.abs(np.hypot(around - pattern.around, along - pattern.along) - pattern.size * 0.85) - pattern.size * 0.3)


def _square(pattern: Pattern, around: np.ndarray, along: np.ndarray) -> np.ndarray:
    return _inside(np.maximum(np.abs(around - pattern.around), np.abs(along - pattern.along)) - pattern.size * 0.9)


def _letters(pattern: Pattern, around: np.ndarray, along: np.ndarray) -> np.ndarray:
    """A wide line of print: short upright strokes."""
    across, down = around - pattern.around, along - pattern.along
    box = _inside(np.maximum(np.abs(across) - pattern.size * 1.2, np.abs(down) - pattern.size * 0.4))
    return box * _inside(np.abs(np.mod(across / 0.026, 1) - 0.5) * 0.026 - 0.008)


def _band(pattern: Pattern, _around: np.ndarray, along: np.ndarray) -> np.ndarray:
    return _inside(np.abs(along - pattern.along) - pattern.size * 0.5)


def _yoke(pattern: Pattern, _around: np.ndarray, along: np.ndarray) -> np.ndarray:
    return _inside(along - pattern.along)


def _hem(pattern: Pattern, _around: np.ndarray, along: np.ndarray) -> np.ndarray:
    return _inside(pattern.along - along)


def _half(_pattern: Pattern, around: np.ndarray, _along: np.ndarray) -> np.ndarray:
    return _inside(around)


def _open(pattern: Pattern, around: np.ndarray, along: np.ndarray) -> np.ndarray:
    """A jacket worn open: the second colour shows in a wedge down the front."""
    return _inside(np.abs(around) - pattern.size * (0.35 + 2.2 * along))


def _sash(pattern: Pattern, around: np.ndarray, along: np.ndarray) -> np.ndarray:
    return _inside(np.abs(around * 0.7 + along - pattern.along) - pattern.size * 0.45)


KINDS: dict[str, Callable[[Pattern, np.ndarray, np.ndarray], np.ndarray]] = {
    "plain": _plain,
    "hoops": _hoops,
    "pinstripes": _pinstripes,
    "checks": _checks,
    "dots": _dots,
    "disc": _disc,
    "ring": _ring,
    "square": _square,
    "letters": _letters,
    "band": _band,
    "yoke": _yoke,
    "hem": _hem,
    "half": _half,
    "open": _open,
    "sash": _sash,
}
