"""What stands behind the ground in a camera scene: walls, shop fronts, hedges. Drawn in metres on the wall plane, (0, 0) at the foot of its middle.

Every function draws on sRGB uint8 [h, w, 3]; `place` turns metres (right, up) into pixels and `unit` is the pixels of one metre.
"""

from collections.abc import Callable

import cv2
import numpy as np

from qafm.datasets.synthetic.palette import lab_to_rgb

Place = Callable[[float, float], tuple[int, int]]
HALF = 12  # metres of wall on each side


def hedge(picture: np.ndarray, place: Place, unit: float, rng: np.random.Generator) -> None:
    """A hedge with tree trunks before it."""
    _box(picture, place, (-HALF, 0), (HALF, 6), (70, -8, 4))
    _box(picture, place, (-HALF, 0), (HALF, 2.7), (30, -16, 20))
    for _ in range(2600):
        x, y = rng.uniform(-HALF, HALF), 2.9 * rng.random() ** 0.7
        shade = (24 + 30 * rng.random() * (0.4 + 0.25 * y), -18 - 8 * rng.random(), 22 + 8 * rng.random())
        cv2.circle(picture, place(x, y), max(int(unit * rng.uniform(0.04, 0.14)), 1), _rgb(shade), -1, cv2.LINE_AA)
    for x in np.arange(-HALF, HALF, 3.1) + rng.uniform(-0.7, 0.7):
        _box(picture, place, (x, 0), (x + rng.uniform(0.22, 0.34), 6), (30, 5, 10))


def facade(picture: np.ndarray, place: Place, unit: float, rng: np.random.Generator) -> None:
    """A plastered house with windows, doors and a plinth."""
    tint = (rng.uniform(-3, 10), rng.uniform(4, 26))
    _box(picture, place, (-HALF, 0), (HALF, 7), (74, *tint))
    _box(picture, place, (-HALF, 0), (HALF, 0.5), (44, 1, 3))
    for number, x in enumerate(np.arange(-HALF, HALF, 2.2)):
        if number % 4 == 2:
            _box(picture, place, (x, 0.05), (x + 1.0, 2.2), (34, rng.uniform(-10, 25), rng.uniform(-15, 20)))
            cv2.circle(picture, place(x + 0.85, 1.05), max(int(unit * 0.04), 1), _rgb((80, 0, 30)), -1, cv2.LINE_AA)
            continue
        _box(picture, place, (x - 0.07, 0.93), (x + 1.27, 2.67), (90, 0, 2))
        _box(picture, place, (x, 1.0), (x + 1.2, 2.6), (36, -3, -9))
        _box(picture, place, (x + 0.57, 1.0), (x + 0.63, 2.6), (90, 0, 2))


def brick_wall(picture: np.ndarray, place: Place, _unit: float, rng: np.random.Generator) -> None:
    """A brick wall with posters."""
    _box(picture, place, (-HALF, 0), (HALF, 7), (62, 3, 6))
    for row in range(34):
        for column in range(int(2 * HALF / 0.44)):
            x, y = -HALF + column * 0.44 + 0.22 * (row % 2), row * 0.17
            _box(picture, place, (x, y), (x + 0.41, y + 0.145), (38 + 9 * rng.random(), 24 + 6 * rng.random(), 22 + 4 * rng.random()))
    for x in np.arange(-HALF + 1, HALF, 3.7) + rng.uniform(-0.5, 0.5):
        tone = (rng.uniform(40, 85), rng.uniform(-30, 45), rng.uniform(-35, 50))
        _box(picture, place, (x, 0.9), (x + 0.85, 2.1), tone)
        _box(picture, place, (x + 0.12, 1.5), (x + 0.73, 1.95), (92, 0, 2))
        _box(picture, place, (x + 0.12, 1.15), (x + 0.55, 1.25), (20, 0, 0))


def shop(picture: np.ndarray, place: Place, unit: float, rng: np.random.Generator) -> None:
    """A glass shop front between pillars, lit inside, under a coloured sign."""
    _box(picture, place, (-HALF, 0), (HALF, 7), (50, -4, -6))
    for _ in range(160):
        x, y = rng.uniform(-HALF, HALF), rng.choice([0.5, 1.0, 1.5, 2.0])
        goods = (rng.uniform(45, 85), rng.uniform(-25, 40), rng.uniform(-30, 50))
        _box(picture, place, (x, y), (x + rng.uniform(0.1, 0.4), y + rng.uniform(0.15, 0.35)), goods)
    cv2.addWeighted(picture, 0.55, cv2.GaussianBlur(picture, (0, 0), unit * 0.08), 0.45, 12, picture)
    _box(picture, place, (-HALF, 2.6), (HALF, 3.4), (46, rng.uniform(-35, 50), rng.uniform(-40, 40)))
    for x in np.arange(-HALF, HALF, 2.7):
        _box(picture, place, (x, 0), (x + 0.35, 7), (76, 1, 4))
        _box(picture, place, (x + 1.45, 0), (x + 1.5, 2.6), (28, 0, 0))
    _box(picture, place, (-HALF, 0), (HALF, 0.2), (34, 0, 2))


def parked_cars(picture: np.ndarray, place: Place, unit: float, rng: np.random.Generator) -> None:
    """Parked cars before a low wall and the sky."""
    _box(picture, place, (-HALF, 0), (HALF, 9), (86, -3, -9))
    _box(picture, place, (-HALF, 0), (HALF, 1.9), (63, 2, 8))
    for x in np.arange(-HALF, HALF, 4.6) + rng.uniform(-0.4, 0.4):
        paint = _rgb((rng.uniform(25, 85), rng.uniform(-15, 45), rng.uniform(-40, 25)))
        outline = [(0, 0.3), (0.1, 0.85), (0.9, 0.95), (1.4, 1.45), (2.8, 1.48), (3.5, 0.98), (4.15, 0.85), (4.2, 0.3)]
        _polygon(picture, place, [(x + dx, dy) for dx, dy in outline], paint)
        _polygon(picture, place, [(x + dx, dy) for dx, dy in ((1.1, 0.95), (1.5, 1.38), (2.05, 1.4), (2.05, 0.97))], _rgb((24, -2, -5)))
        _polygon(picture, place, [(x + dx, dy) for dx, dy in ((2.15, 0.97), (2.15, 1.4), (2.75, 1.4), (3.3, 0.98))], _rgb((24, -2, -5)))
        for wheel in (0.85, 3.35):
            cv2.circle(picture, place(x + wheel, 0.33), int(unit * 0.33), _rgb((14, 0, 0)), -1, cv2.LINE_AA)
            cv2.circle(picture, place(x + wheel, 0.33), int(unit * 0.17), _rgb((66, 0, 0)), -1, cv2.LINE_AA)


def railing(picture: np.ndarray, place: Place, unit: float, rng: np.random.Generator) -> None:
    """Water and a far bank behind a railing."""
    _box(picture, place, (-HALF, 0), (HALF, 7), (66, -7, -14))
    for _ in range(420):
        x, y = rng.uniform(-HALF, HALF), 1.7 * rng.random()
        cv2.line(picture, place(x, y), place(x + rng.uniform(0.2, 0.9), y), _rgb((rng.uniform(52, 84), -8, -16)), max(int(unit * 0.025), 1), cv2.LINE_AA)
    for _ in range(700):
        x, y = rng.uniform(-HALF, HALF), rng.uniform(1.8, 2.7)
        cv2.circle(picture, place(x, y), max(int(unit * rng.uniform(0.06, 0.18)), 1), _rgb((rng.uniform(28, 52), -14, 18)), -1, cv2.LINE_AA)
    post = _rgb((28, rng.uniform(-5, 20), rng.uniform(-20, 10)))
    for y in (0.15, 1.05):
        cv2.line(picture, place(-HALF, y), place(HALF, y), post, max(int(unit * 0.06), 1), cv2.LINE_AA)
    for x in np.arange(-HALF, HALF, 0.24):
        cv2.line(picture, place(x, 0.0), place(x, 1.05), post, max(int(unit * 0.03), 1), cv2.LINE_AA)


BACKDROPS = (hedge, parked_cars, facade, brick_wall, shop, railing)


def _rgb(lab: tuple[float, float, float]) -> tuple[float, float, float]:
    red, green, blue = (255 * lab_to_rgb(lab)).tolist()
    return red, green, blue


def _box(picture: np.ndarray, place: Place, low: tuple[float, float], high: tuple[float, float], lab: tuple[float, float, float]) -> None:
    cv2.rectangle(picture, place(*low), place(*high), _rgb(lab), -1)


def _polygon(picture: np.ndarray, place: Place, points: list[tuple[float, float]], colour: tuple[float, float, float]) -> None:
    cv2.fillPoly(picture, [np.array([place(*point) for point in points], np.int32)], colour, cv2.LINE_AA)
