"""Legs, shoes, trousers and skirts."""

from collections.abc import Iterator

import numpy as np

from qafm.datasets.synthetic.garments import Garment
from qafm.datasets.synthetic.identities import Identity
from qafm.datasets.synthetic.pose import FOOT, TILT, Joint, Pose
from qafm.datasets.synthetic.surfaces import cloth, fade, seam
from qafm.datasets.synthetic.tube import Surface, Tube, between, seen_radii

FOOT_LENGTH = 0.105
WAIST = 0.455  # y where the lower garment begins, under the upper one


def leg_parts(person: Identity, pose: Pose, joints: dict[str, Joint], side: str) -> Iterator[Tube]:
    """One leg from the shoe up: shoe, shin, thigh and the trousers on them, in painting order."""
    body, lower = person.body, person.lower
    hip, knee, ankle = (joints[f"{side} {name}"].point for name in ("hip", "knee", "ankle"))
    thigh = body.thigh
    yield from _shoe(person, pose, joints[f"{side} ankle"])
    foot = (ankle[0], ankle[1] + 0.018)
    yield Tube(knee, foot, (thigh * 0.68, thigh * 0.74, thigh * 0.62, thigh * 0.46, thigh * 0.44), person.skin)
    yield from _sock(person, knee, foot, thigh)
    yield Tube(hip, knee, (thigh, thigh * 0.92, thigh * 0.70), person.skin, contact=0.0)
    if lower.style == "trousers":
        yield from _trouser_leg(person, pose, (hip, knee, foot), side)


def _trouser_leg(person: Identity, pose: Pose, points: tuple[tuple[float, float], ...], side: str) -> Iterator[Tube]:
    (hip, knee, foot), lower = points, person.lower
    half, thigh, loose = person.body.leg / 2, person.body.thigh, person.lower.loose
    outer = 1 if side == "left" else -1
    upper_end = min(lower.length / 0.5, 1)
    if lower.length > 0.5:
        share = (lower.length - 0.5) / 0.5
        widths = (thigh * 0.80 * loose, thigh * 0.78 * loose, thigh * 0.52 + thigh * 0.75 * (loose - 1))
        yield Tube(knee, between(knee, foot, share), widths, _leg_surface(lower, thigh, half * share, half, outer), pose.yaw, round_end=False)
    widths = (thigh * 1.04, thigh * 1.02 * (0.4 + 0.6 * loose), thigh * 0.82 * loose if upper_end == 1 else thigh * 0.95 * loose)
    surface = _leg_surface(lower, thigh, half * upper_end, 0.0, outer)
    yield Tube(hip, between(hip, knee, upper_end), widths, surface, pose.yaw, round_end=upper_end == 1, contact=0.0 if upper_end == 1 else 0.2)


def _leg_surface(lower: Garment, girth: float, length: float, start: float, outer: int) -> Surface | np.ndarray:
    kind = lower.pattern.kind
    if kind == "seam":
        return seam(lower, girth, length, outer)
    if kind in ("fade", "patch"):
        return fade(lower, length, start)
    return cloth(lower, girth, length, start)


def lower_parts(person: Identity, pose: Pose, joints: dict[str, Joint]) -> Iterator[Tube]:
    """The seat of the trousers, or the skirt."""
    body, lower = person.body, person.lower
    hips = body.hip + body.thigh * 0.92
    crotch = 1 - FOOT - body.leg
    if lower.style == "trousers":
        lateral, depth = np.array([body.waist, hips, hips * 0.97, hips * 0.6]), np.array([0.95, 1.05, 1.0, 0.55]) * body.depth
        surface = cloth(lower, hips, 0.1) if lower.pattern.kind in ("checks", "hoops") else lower.main
        yield Tube((0.0, WAIST), (0.0, crotch + 0.03), seen_radii(lateral, depth, pose.yaw), surface, pose.yaw, round_start=False, flatness=0.35, contact=0.0)
        return
    hem = crotch + body.leg * lower.length
    middle = (joints["left knee"].x + joints["right knee"].x) / 2
    lateral, depth = np.linspace(body.waist * 0.95, hips * lower.end, 8), np.linspace(body.depth, hips * lower.end * 0.85, 8)
    lateral[1:5] = np.maximum(lateral[1:5], hips * 1.02)
    length = hem - WAIST
    surface = cloth(lower, hips, length)
    yield Tube(
        (0.0, WAIST), (middle * min(lower.length * 1.2, 1), hem), seen_radii(lateral, depth, pose.yaw), surface, pose.yaw, round_start=False, round_end=False
    )


def _shoe(person: Identity, pose: Pose, ankle: Joint) -> Iterator[Tube]:
    shoes = person.shoes
    across, down = np.sin(pose.yaw), TILT * np.cos(pose.yaw) * 1.6
    y = ankle.y + FOOT - 0.020
    heel = (ankle.x - 0.25 * FOOT_LENGTH * across, y - 0.25 * FOOT_LENGTH * down)
    toe = (ankle.x + 0.75 * FOOT_LENGTH * across, y + 0.75 * FOOT_LENGTH * down + 0.004)
    thick = {"pump": 0.016, "boot": 0.025, "trainer": 0.024}.get(shoes.kind, 0.021)
    sole = 0.009 if shoes.kind == "trainer" else 0.005
    yield Tube((heel[0], heel[1] + sole), (toe[0], toe[1] + sole), (thick, thick, thick * 0.85), shoes.sole)
    upper = person.skin if shoes.kind == "sandal" else shoes.colour
    yield Tube(heel, toe, (thick, thick, thick * 0.8), upper)
    if shoes.kind == "sandal":
        yield Tube(between(heel, toe, 0.55), between(heel, toe, 0.75), (thick * 1.1, thick * 1.1), shoes.colour)


def _sock(person: Identity, knee: tuple[float, float], foot: tuple[float, float], thigh: float) -> Iterator[Tube]:
    shoes = person.shoes
    height = 0.11 if shoes.kind == "boot" else shoes.sock
    if height <= 0 or shoes.kind in ("sandal", "pump"):
        return
    share = 1 - height / max(np.hypot(foot[0] - knee[0], foot[1] - knee[1]), 0.05)
    colour = shoes.colour if shoes.kind == "boot" else shoes.socks
    yield Tube(between(knee, foot, max(share, 0.2)), foot, (thigh * 0.60, thigh * 0.50, thigh * 0.50), colour, round_start=False)
