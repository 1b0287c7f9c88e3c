"""Textures of the parts of the figure: cloth, face, hair, bags. Every function returns a `Surface` of `qafm.datasets.synthetic.tube`."""

import numpy as np

from qafm.datasets.synthetic.garments import Garment
from qafm.datasets.synthetic.identities import Head
from qafm.datasets.synthetic.luggage import Luggage
from qafm.datasets.synthetic.patterns import pattern_weight
from qafm.datasets.synthetic.tube import Surface

FOLD = 0.07  # relative depth of creases


def cloth(garment: Garment, girth: float, length: float, start: float = 0.0, centre: float = 0.0) -> Surface:
    """Cloth around a limb or the trunk.

    Args:
        girth: its radius in body heights.
        length: of the tube.
        start: where the tube begins on the garment, so that stripes go on from one part to the next.
        centre: angle of the garment's front on this part.
    """

    def surface(theta: np.ndarray, v: np.ndarray) -> np.ndarray:
        around, along = (theta - np.float32(centre)) * np.float32(girth), v * np.float32(length) + np.float32(start)
        weight = pattern_weight(garment.pattern, around, along)
        return _blend(garment.main, garment.second, weight) * _folds(garment, theta, along)[..., None]

    return surface


def seam(garment: Garment, girth: float, length: float, outer: int) -> Surface:
    """A trouser leg with a stripe of the second colour down its outer side (1: the wearer's left)."""

    def surface(theta: np.ndarray, v: np.ndarray) -> np.ndarray:
        weight = _soft(np.abs(theta - np.float32(outer * np.pi / 2)) * np.float32(girth) - np.float32(0.012))
        return _blend(garment.main, garment.second, weight) * _folds(garment, theta, v * np.float32(length))[..., None]

    return surface


def fade(garment: Garment, length: float, start: float) -> Surface:
    """Washed denim: lighter down the front of the leg, darker at the seams; or a patch at the knee."""

    def surface(theta: np.ndarray, v: np.ndarray) -> np.ndarray:
        along = v * np.float32(length) + np.float32(start)
        weight = np.clip(np.cos(theta), 0, 1) * np.exp(-(((along - np.float32(0.13)) / np.float32(0.09)) ** 2))
        if garment.pattern.kind == "patch":
            weight = _soft(np.hypot(theta * np.float32(0.05), along - np.float32(garment.pattern.along)) - np.float32(garment.pattern.size * 0.8))
        return _blend(garment.main, garment.second, weight) * _folds(garment, theta, along)[..., None]

    return surface


def trunk(garment: Garment, skin: np.ndarray, luggage: Luggage, girth: float, length: float) -> Surface:
    """The upper garment on the trunk: pattern, neckline, and the straps of what is carried, which show from where they would."""
    base = cloth(garment, girth, length)

    def surface(theta: np.ndarray, v: np.ndarray) -> np.ndarray:
        colour = base(theta, v)
        along = v * np.float32(length)
        colour = _neckline(garment, skin, colour, np.abs(theta), along)
        hem = _soft(np.float32(length - 0.012) - along)
        colour = _blend_over(colour, garment.trim, hem * np.float32(0.6))
        return _straps(luggage, colour, theta, v)

    return surface


def _neckline(garment: Garment, skin: np.ndarray, colour: np.ndarray, angle: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Skin above the neckline, a collar or hood along it."""
    depth, width = {"round": (0.028, 0.55), "vee": (0.070, 0.45), "polo": (0.040, 0.22), "hood": (0.026, 0.6), "wide": (0.040, 0.95)}[garment.style]
    edge = np.float32(depth) * np.clip(1 - angle / np.float32(width), 0, 1) ** np.float32(1.0 if garment.style == "vee" else 0.5)
    collar = {"polo": 0.028, "hood": 0.034}.get(garment.style, 0.009)
    colour = _blend_over(colour, garment.trim, _soft(along - edge - np.float32(collar)) * (angle < np.pi if collar > 0.01 else angle < width))
    return _blend_over(colour, skin, _soft(along - edge) * (edge > 0))


def _straps(luggage: Luggage, colour: np.ndarray, theta: np.ndarray, v: np.ndarray) -> np.ndarray:
    if luggage.kind == "backpack":
        strap = _soft((np.abs(np.abs(theta) - np.float32(0.62)) - np.float32(0.13)) * np.float32(0.09)) * (v < 0.72)
        return _blend_over(colour, luggage.colour * np.float32(0.8), strap)
    if luggage.kind == "bag":  # from one shoulder to the other hip, in front and behind
        angle = np.where(np.abs(theta) > np.pi / 2, np.sign(theta) * np.float32(np.pi) - theta, theta) * luggage.side
        line = angle - np.float32(-0.75) - v * np.float32(1.7)
        return _blend_over(colour, luggage.second, _soft((np.abs(line) - np.float32(0.13)) * np.float32(0.09)))
    return colour


def face(head: Head, skin: np.ndarray) -> Surface:
    """A head: hair above the hairline, which falls lower at the sides and the back; eyes, brows, mouth, glasses."""
    sides = {"buzz": 0.40, "crop": 0.46, "side": 0.50, "volume": 0.52}.get(head.style, 0.80)
    hair = head.hair * np.float32(0.75) + skin * np.float32(0.25) if head.style == "buzz" else head.hair

    def surface(theta: np.ndarray, v: np.ndarray) -> np.ndarray:
        angle = np.abs(theta)
        line = np.interp(angle, (0, 0.75, 1.05, 1.6, 2.2, 3.2), (head.fringe, head.fringe + 0.03, sides * 0.9, sides, 0.82, 0.86)).astype(np.float32)
        if head.style == "side":
            line = line + np.float32(0.06) * np.sin(theta * np.float32(1.6))
        colour = np.broadcast_to(skin, (*theta.shape, 3))
        eyes = (np.hypot((angle - np.float32(0.40)) / np.float32(0.20), (v - np.float32(0.50)) / np.float32(0.055)) < 1) * np.float32(0.75)
        brows = (np.hypot((angle - np.float32(0.42)) / np.float32(0.28), (v - np.float32(0.41)) / np.float32(0.03)) < 1) * np.float32(0.55)
        mouth = np.hypot(theta / np.float32(0.30), (v - np.float32(0.79)) / np.float32(0.03)) < 1
        nose = (np.abs(theta - np.float32(0.10)) < 0.10) & (v > 0.5) & (v < 0.67)
        colour = _blend_over(colour, skin * np.float32(0.55), np.maximum(brows, nose * np.float32(0.35)))
        colour = _blend_over(colour, np.array([0.13, 0.10, 0.09], np.float32), eyes)
        colour = _blend_over(colour, skin * np.array([0.85, 0.5, 0.5]), mouth * np.float32(0.7))
        if head.glasses:
            frame = np.abs(np.hypot((angle - np.float32(0.42)) / np.float32(0.34), (v - np.float32(0.50)) / np.float32(0.11)) - 1) < 0.28
            colour = _blend_over(colour, np.array([0.08, 0.08, 0.09], np.float32), frame * np.float32(0.8))
        strands = 1 + np.float32(0.10) * np.sin(theta * np.float32(17) + np.float32(9) * v)
        return _blend_over(colour, hair, np.clip(0.5 - (v - line) * 14, 0, 1)) * np.where(v < line, strands, 1)[..., None]

    return surface


def strands(colour: np.ndarray, wave: float) -> Surface:
    """Hanging hair with a soft shine."""

    def surface(theta: np.ndarray, v: np.ndarray) -> np.ndarray:
        shine = (
            1 + np.float32(0.12) * np.sin(theta * np.float32(11) + np.float32(wave) * np.sin(v * np.float32(14))) + np.float32(0.12) * np.cos(v * np.float32(7))
        )
        return colour * shine[..., None]

    return surface


def box(luggage: Luggage) -> Surface:
    """A bag: main colour above, the pocket or flap in the second colour below or above a dark line."""

    def surface(theta: np.ndarray, v: np.ndarray) -> np.ndarray:
        below = np.clip(0.5 + (v - luggage.pocket) * 20, 0, 1)
        line = np.abs(v - luggage.pocket) < 0.035
        away = np.abs(np.abs(theta) - (np.pi if luggage.kind == "backpack" else np.pi / 2)) < 1.0
        colour = _blend(luggage.colour, luggage.second, below * away)
        return colour * np.where(line, np.float32(0.6), np.float32(1))[..., None]

    return surface


def _folds(garment: Garment, theta: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Relative brightness of creased cloth."""
    if garment.style == "skirt":
        return 1 + np.float32(1.5 * FOLD) * np.sin(theta * np.float32(7) + np.float32(garment.folds))
    slant = np.sin(theta * np.float32(2.3) + along * np.float32(34) + np.float32(garment.folds)) * np.sin(
        along * np.float32(19) - theta + np.float32(2 * garment.folds)
    )
    return 1 + np.float32(FOLD) * slant


def _soft(distance: np.ndarray) -> np.ndarray:
    """1 inside (negative distance, body heights), 0 outside, with a soft edge."""
    return np.clip(np.float32(0.5) - distance * np.float32(160), 0, 1)


def _blend(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return first.astype(np.float32) + weight.astype(np.float32)[..., None] * (second - first).astype(np.float32)


def _blend_over(colour: np.ndarray, top: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return colour + weight.astype(np.float32)[..., None] * (top.astype(np.float32) - colour)
