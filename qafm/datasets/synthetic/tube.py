"""A tiny renderer: tapered tubes with rounded shading and a texture that turns with the body, anti-aliased.

Lengths are in body heights: x right, y down from the top of the head (0) to the soles (1). h w: the pixels around one tube.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Surface = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(theta [h, w] radians from the body's front, v [h, w] from 0 at the start to 1 at the end) -> sRGB [h, w, 3]."""

TABLE = 128  # entries of the table that turns v into a radius
CONTACT_SHADOW = 0.30
AMBIENT = 0.62


@dataclass(frozen=True)
class Tube:
    """One part of the figure: a straight axis with a radius that varies along it."""

    start: tuple[float, float]
    end: tuple[float, float]
    radii: tuple[float, ...]  # half-widths at equal steps from start to end
    surface: Surface | np.ndarray  # a texture, or one colour [3]
    turn: float = 0.0  # yaw of the body in radians; the front is at theta 0
    round_start: bool = True
    round_end: bool = True
    flatness: float = 0.0  # 0: shaded as a cylinder, 1: as a flat board
    contact: float = CONTACT_SHADOW  # how much it darkens what lies right behind its edge; 0 where it goes on from another tube


@dataclass
class Canvas:
    """A transparent picture with premultiplied colour, and where body heights lie on it."""

    height: int
    width: int
    scale: float  # pixels of one body height
    origin: tuple[float, float]  # pixel (x, y) of the body's (0, 0)
    light: tuple[float, float, float]  # direction to the light: right, down, towards the camera; unit length
    rgb: np.ndarray = field(init=False)
    alpha: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.rgb = np.zeros((self.height, self.width, 3), np.float32)
        self.alpha = np.zeros((self.height, self.width), np.float32)

    def pixel(self, point: tuple[float, float]) -> tuple[float, float]:
        """Pixel (x, y) of a point in body heights."""
        return self.origin[0] + self.scale * point[0], self.origin[1] + self.scale * point[1]


def between(start: tuple[float, float], end: tuple[float, float], share: float) -> tuple[float, float]:
    """The point at `share` of the way from `start` to `end`."""
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def seen_radii(lateral: np.ndarray, depth: np.ndarray, yaw: float) -> tuple[float, ...]:
    """Radii, seen from `yaw`, of a body with elliptical cross-sections of half-axes `lateral` and `depth`, both [n]."""
    return tuple(np.hypot(lateral * np.cos(yaw), depth * np.sin(yaw)).tolist())


def paint(canvas: Canvas, tube: Tube) -> None:
    """Paint `tube` over what is on the canvas."""
    (ax, ay), (bx, by) = canvas.pixel(tube.start), canvas.pixel(tube.end)
    reach = max(tube.radii) * canvas.scale * 1.3 + 1.5
    left, right = max(int(min(ax, bx) - reach), 0), min(int(max(ax, bx) + reach) + 2, canvas.width)
    top, bottom = max(int(min(ay, by) - reach), 0), min(int(max(ay, by) + reach) + 2, canvas.height)
    length = float(np.hypot(bx - ax, by - ay))
    if left >= right or top >= bottom or length < 1e-6:
        return
    axis = ((bx - ax) / length, (by - ay) / length)
    dx = np.arange(left, right, dtype=np.float32)[None] + np.float32(0.5 - ax)  # [1, w]
    dy = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - ay)  # [h, 1]
    along = dx * np.float32(axis[0]) + dy * np.float32(axis[1])  # [h, w] pixels
    side = dx * np.float32(axis[1]) - dy * np.float32(axis[0])  # [h, w] pixels, positive to the right of a downward axis
    inside = np.clip(along, 0, np.float32(length))
    v = inside * np.float32(1 / length)
    table = np.interp(np.linspace(0, 1, TABLE), np.linspace(0, 1, len(tube.radii)), tube.radii).astype(np.float32) * np.float32(canvas.scale)
    radius = table[(v * np.float32(TABLE - 1)).astype(np.int32)]
    cover, halo = _coverage(tube, along, side, inside, radius, length)
    normal = np.clip(side / np.maximum(radius, np.float32(1e-3)), -1, 1)
    colour = _shade(tube, canvas.light, axis, normal)[..., None] * _colour(tube, normal, v)
    rgb, alpha = canvas.rgb[top:bottom, left:right], canvas.alpha[top:bottom, left:right]
    rgb *= ((1 - halo) * (1 - cover))[..., None]
    rgb += colour * cover[..., None]
    alpha *= 1 - cover
    alpha += cover


def _coverage(tube: Tube, along: np.ndarray, side: np.ndarray, inside: np.ndarray, radius: np.ndarray, length: float) -> tuple[np.ndarray, np.ndarray]:
    """How much of each pixel the tube covers, and how much it shades what is behind; both [h, w] in [0, 1]."""
    over = along - inside
    distance = np.sqrt(side * side + over * over)
    cover = np.clip(radius - distance + np.float32(0.5), 0, 1)
    if not tube.round_start:
        cover *= np.clip(along + np.float32(0.5), 0, 1)
    if not tube.round_end:
        cover *= np.clip(np.float32(length + 0.5) - along, 0, 1)
    reach = radius * np.float32(0.25) + np.float32(1)
    halo = np.clip(1 - (distance - radius) / reach, 0, 1) * np.float32(tube.contact)
    return cover, halo


def _shade(tube: Tube, light: tuple[float, float, float], axis: tuple[float, float], normal: np.ndarray) -> np.ndarray:
    """Brightness of the surface [h, w]: ambient and diffuse light, darker towards both edges."""
    bent = normal * np.float32(1 - tube.flatness)
    facing = np.sqrt(1 - bent * bent)
    across = axis[1] * light[0] - axis[0] * light[1]
    diffuse = np.clip(bent * np.float32(across) + facing * np.float32(light[2]) - np.float32(0.25 * axis[1] * light[1]), 0, 1)
    return np.float32(AMBIENT) * (np.float32(0.7) + np.float32(0.3) * facing) + np.float32(1.05 - AMBIENT) * diffuse


def _colour(tube: Tube, normal: np.ndarray, v: np.ndarray) -> np.ndarray:
    if isinstance(tube.surface, np.ndarray):
        return tube.surface.astype(np.float32)  # [3]
    theta = np.arcsin(normal) - np.float32(tube.turn)
    theta = np.mod(theta + np.float32(np.pi), np.float32(2 * np.pi)) - np.float32(np.pi)
    return tube.surface(theta, v)  # [h, w, 3]
