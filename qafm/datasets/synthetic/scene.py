"""The place a camera looks at, and crops of it where a person may stand. Nothing here knows about identities.

H W: the scene; h w: a crop.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from qafm.datasets.synthetic.fractal_noise import fractal_noise
from qafm.datasets.synthetic.scene_backdrop import BACKDROPS
from qafm.datasets.synthetic.scene_ground import GROUNDS, Ground
from qafm.datasets.synthetic.seeding import generator

HEIGHT, WIDTH = 420, 720  # pixels of a scene
SUPERSAMPLE = 2
HORIZON = 70.0  # row; the camera hangs above the people's heads
PERSON = 0.62  # pixels of a person's height per pixel of the feet below the horizon
PERSON_METRES = 1.7
CAMERA_METRES = PERSON_METRES / PERSON  # height of the camera
FOCAL = 500.0  # pixels
DULL = 0.6  # saturation of scenes
NEAREST, FARTHEST = 405.0, 240.0  # rows where feet may stand


@dataclass(frozen=True)
class Stand:
    """Where a person stands in a scene."""

    x: float  # column of the feet
    y: float  # row of the feet

    @property
    def height(self) -> float:
        """Pixels of a person's height there."""
        return PERSON * (self.y - HORIZON)


def build_scene(camera: int, seed: int) -> np.ndarray:
    """Paint the scene of `camera` (1-based): uint8 RGB [H, W, 3]. The kind of place belongs to the camera, its colours to the seed."""
    rng = generator(seed, "scene", camera)
    height, width = HEIGHT * SUPERSAMPLE, WIDTH * SUPERSAMPLE
    wall = rng.uniform(9.5, 12.0)  # metres to the backdrop
    foot = HORIZON + CAMERA_METRES * FOCAL / wall
    unit = FOCAL / wall * SUPERSAMPLE
    picture = np.full((height, width, 3), 200, np.uint8)

    def place(right: float, up: float) -> tuple[int, int]:
        return round(width / 2 + unit * right), round(foot * SUPERSAMPLE - unit * up)

    BACKDROPS[(camera - 1) % len(BACKDROPS)](picture, place, unit, rng)
    first = int(foot * SUPERSAMPLE)
    picture[first:] = _ground(first, height, width, GROUNDS[(camera - 1) % len(GROUNDS)], rng)
    picture = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return _daylight(picture, foot, rng)


def _ground(first: int, height: int, width: int, ground: Ground, rng: np.random.Generator) -> np.ndarray:
    """The ground below row `first`, uint8 [h, W, 3]."""
    row = (np.arange(first, height)[:, None] + 0.5) / SUPERSAMPLE - HORIZON  # [h, 1]
    column = (np.arange(width)[None] + 0.5) / SUPERSAMPLE - WIDTH / 2  # [1, W]
    metre = row / CAMERA_METRES  # pixels of one metre
    noise = fractal_noise(len(row), width, rng)
    return np.clip(255 * ground(column / metre, FOCAL / metre, noise, rng), 0, 255).astype(np.uint8)


def _daylight(picture: np.ndarray, foot: float, rng: np.random.Generator) -> np.ndarray:
    """Soft patches of shade on the whole scene, a dark line where the backdrop meets the ground, and colours duller than people's clothes."""
    shade = 1 + 0.16 * cv2.resize(rng.normal(size=(5, 8)).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    row = np.arange(HEIGHT, dtype=np.float32)[:, None]
    shade = shade * (1 - 0.35 * np.exp(-(((row - foot) / 7) ** 2)))
    grey = picture.mean(2, keepdims=True)
    return np.clip((grey + DULL * (picture - grey)) * shade[..., None], 0, 255).astype(np.uint8)


def draw_stand(rng: np.random.Generator) -> Stand:
    """Draw where a person stands: such that a loose box around the person lies within the scene."""
    y = rng.uniform(FARTHEST, NEAREST)
    margin = PERSON * (y - HORIZON) * 0.45
    return Stand(float(rng.uniform(margin, WIDTH - margin)), float(y))


def crop(scene: np.ndarray, left: float, top: float, size: tuple[float, float], height: int, width: int) -> np.ndarray:
    """Cut `size` rows and columns from `scene`, scaled to uint8 [height, width, 3]; the edge repeats outside."""
    down, across = size[0] / height, size[1] / width  # scene pixels of an image pixel
    first, last = min(max(int(top) - 2, 0), HEIGHT - 1), max(min(int(top + size[0]) + 3, HEIGHT), 1)
    start, end = min(max(int(left) - 2, 0), WIDTH - 1), max(min(int(left + size[1]) + 3, WIDTH), 1)
    part = scene[first:last, start:end]
    if down > 1.2:
        part = cv2.GaussianBlur(part, (0, 0), 0.4 * down)
    matrix = np.array([[across, 0, left - start + 0.5 * across - 0.5], [0, down, top - first + 0.5 * down - 0.5]])
    return cv2.warpAffine(part, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
