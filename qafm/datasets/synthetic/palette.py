"""Colours: shades within the named colours of Market-1501, skin and hair tones. sRGB in [0, 1]; distances in CIE Lab."""

import cv2
import numpy as np

# Lab: lightness 0..100, a (green to red), b (blue to yellow)
NAMED = {
    "black": (17.0, 0.5, -1.5),
    "white": (91.0, 0.0, 1.0),
    "red": (44.0, 56.0, 32.0),
    "purple": (41.0, 34.0, -34.0),
    "yellow": (80.0, 2.0, 62.0),
    "gray": (55.0, 0.0, -1.0),
    "blue": (43.0, 2.0, -40.0),
    "green": (50.0, -36.0, 28.0),
    "pink": (72.0, 32.0, 2.0),
    "brown": (37.0, 15.0, 25.0),
}
SHADE_SD = (5.5, 5.0, 5.0)  # Lab units at a spread of 1
NEUTRAL_CHROMA = 0.45  # black, white and gray garments are tinted less than others vary
SKIN_LIGHT, SKIN_DARK = (78.0, 11.0, 19.0), (40.0, 15.0, 24.0)
HAIR_TONES = (((14.0, 2.0, 2.0), 0.5), ((24.0, 8.0, 11.0), 0.25), ((40.0, 12.0, 23.0), 0.12), ((64.0, 7.0, 36.0), 0.08), ((36.0, 27.0, 30.0), 0.05))
OLD_HAIR = (70.0, 0.0, 1.0)


def lab_to_rgb(lab: tuple[float, float, float] | np.ndarray) -> np.ndarray:
    """Convert one Lab colour to sRGB in [0, 1], float32 [3]."""
    pixel = np.asarray(lab, np.float32).reshape(1, 1, 3)
    return cv2.cvtColor(pixel, cv2.COLOR_LAB2RGB).reshape(3).clip(0, 1)


def nearest_name(lab: np.ndarray, names: tuple[str, ...]) -> str:
    """The name among `names` whose Lab anchor is nearest to `lab`."""
    return min(names, key=lambda name: float(np.sum((np.asarray(NAMED[name]) - lab) ** 2)))


def draw_shade(name: str, names: tuple[str, ...], spread: float, rng: np.random.Generator) -> np.ndarray:
    """Draw a shade of the colour `name` that is nearer to it than to any other of `names`.

    Args:
        name: a key of `NAMED`.
        names: the colours it must not be mistaken for.
        spread: 0 gives the anchor itself, 1 a standard deviation of `SHADE_SD`.

    Returns:
        Lab, float64 [3].
    """
    anchor = np.asarray(NAMED[name])
    sd = np.asarray(SHADE_SD) * spread
    if name in ("black", "white", "gray"):
        sd = sd * (1, NEUTRAL_CHROMA, NEUTRAL_CHROMA)
    step = rng.normal(size=3) * sd
    while nearest_name(anchor + step, names) != name:
        step = step / 2
    shade = anchor + step
    shade[0] = shade[0].clip(7, 97)
    return shade


def draw_skin(rng: np.random.Generator) -> np.ndarray:
    """Draw a skin tone, sRGB [3]."""
    depth = rng.beta(1.3, 2.4)
    tone = np.asarray(SKIN_LIGHT) * (1 - depth) + np.asarray(SKIN_DARK) * depth
    return lab_to_rgb(tone + rng.normal(size=3) * (2.0, 1.5, 2.0))


def draw_hair(old: bool, rng: np.random.Generator) -> np.ndarray:
    """Draw a hair tone, sRGB [3]; grey for the old."""
    tones, shares = zip(*HAIR_TONES, strict=True)
    tone = np.asarray(tones[rng.choice(len(tones), p=shares)])
    if old:
        tone = tone * 0.15 + np.asarray(OLD_HAIR) * 0.85
    return lab_to_rgb(tone + rng.normal(size=3) * (3.0, 1.5, 2.0))
