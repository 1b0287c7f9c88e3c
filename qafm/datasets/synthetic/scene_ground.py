"""Grounds of the camera scenes: colour of the ground at given places.

Every function takes X [h, w] metres to the right and Z [h, 1] metres ahead, fractal noise [h, w] around 0, and a generator; it returns sRGB [h, w, 3].
"""

from collections.abc import Callable

import numpy as np

from qafm.datasets.synthetic.palette import lab_to_rgb

Ground = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def pavers(x: np.ndarray, z: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Square paving stones, each of its own shade."""
    size = rng.uniform(0.5, 0.9)
    stone = _hash(np.floor(x / size), np.floor(z / size))
    light = 66 + 9 * (stone - 0.5) + 5 * noise - 14 * _joint(x, size, 0.03) - 14 * _joint(z, size, 0.03)
    return _tone(light, (1.5 + 3 * rng.random(), 4 + 6 * rng.random()))


def asphalt(x: np.ndarray, z: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A road with a painted line along it and a pedestrian crossing."""
    colour = _tone(40 + 7 * noise, (0.0, -1.0 + rng.normal()))
    offset = rng.uniform(-2, 2)
    crossing = (np.mod(x - offset, 1.1) < 0.5) & (z > 4.6) & (z < 6.8)
    line = (np.abs(z - 9.2) < 0.09) & (np.mod(x, 3) < 1.8)
    paint = np.clip((crossing | line) * (0.75 + 0.25 * noise), 0, 1)[..., None]
    return colour * (1 - paint) + lab_to_rgb((85, 0, 3)) * paint


def lawn(x: np.ndarray, z: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Grass with a winding path of gravel."""
    grass = _tone(47 + 10 * noise, (-20.0, 28.0), chroma=1 + 0.3 * noise)
    middle = rng.uniform(-1.5, 1.5) + 1.2 * np.sin(z * 0.5 + rng.uniform(0, 6))
    path = np.clip(0.5 - (np.abs(x - middle) - 1.3 - 0.2 * noise) / 0.12, 0, 1)[..., None]
    return grass * (1 - path) + _tone(70 + 6 * noise, (3.0, 11.0)) * path


def bricks(x: np.ndarray, z: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Reddish pavement bricks in a running bond, with a kerb."""
    row = np.floor(z / 0.22)
    shifted = x + 0.2 * np.mod(row, 2)
    light = 50 + 12 * (_hash(np.floor(shifted / 0.4), row) - 0.5) + 5 * noise - 9 * _joint(shifted, 0.4, 0.03) - 9 * _joint(z, 0.22, 0.025)
    colour = _tone(light, (13.0 + 4 * rng.random(), 13.0))
    kerb = ((z > 8.6) & (z < 8.9)) * np.ones_like(x)
    return colour * (1 - kerb[..., None]) + _tone(72 + 4 * noise, (0.0, 2.0)) * kerb[..., None]


def concrete(x: np.ndarray, z: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Large slabs with stains and a yellow guiding line."""
    light = 58 + 10 * noise - 16 * _joint(x, 2.4, 0.025) - 16 * _joint(z, 2.4, 0.025)
    colour = _tone(light, (-1.0, 3.0))
    line = np.clip(0.5 - (np.abs(z - rng.uniform(6, 8)) - 0.12) / 0.03, 0, 1) * (0.8 + 0.2 * noise)
    line = np.clip(line, 0, 1)[..., None]
    return colour * (1 - line) + lab_to_rgb((72, 6, 58)) * line


def planks(x: np.ndarray, z: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Wooden boards of a terrace."""
    board = np.floor(x / 0.28)
    light = 47 + 11 * (_hash(board, np.floor((z + 3 * _hash(board, board)) / 3.0)) - 0.5) + 5 * noise - 15 * _joint(x, 0.28, 0.025)
    return _tone(light, (9.0, 20.0 + 4 * rng.random()))


GROUNDS = (pavers, asphalt, lawn, bricks, concrete, planks)


def _tone(lightness: np.ndarray, tint: tuple[float, float], chroma: float | np.ndarray = 1.0) -> np.ndarray:
    """sRGB of a lightness field and one tint: Lab, linearised around its own grey, which is exact enough for a ground."""
    grey = lab_to_rgb((55, 0, 0))
    shift = lab_to_rgb((55, *tint)) - grey
    level = np.clip(lightness / 100, 0.02, 1).astype(np.float32)[..., None]
    return level + np.asarray(chroma, np.float32)[..., None] * shift * (0.5 + 0.9 * level)


def _joint(position: np.ndarray, size: float, width: float) -> np.ndarray:
    """1 on the joints between slabs."""
    return np.abs(np.mod(position / size, 1) - 0.5) > 0.5 - width / size / 2


def _hash(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """A fixed pseudo-random number in [0, 1) per pair of whole numbers."""
    return np.mod(np.sin(first * 12.9898 + second * 78.233) * 43758.5453, 1)
