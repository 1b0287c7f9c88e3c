"""The whole person: parts ordered from back to front for the viewpoint and painted on a transparent canvas."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from qafm.datasets.synthetic.attributes import GENDER
from qafm.datasets.synthetic.carried import backpack, handbag, shoulder_bag
from qafm.datasets.synthetic.head import head_parts
from qafm.datasets.synthetic.identities import Identity
from qafm.datasets.synthetic.legs import leg_parts, lower_parts
from qafm.datasets.synthetic.pose import NECK, SHOULDER, SIDES, Joint, Pose, skeleton
from qafm.datasets.synthetic.surfaces import cloth, trunk
from qafm.datasets.synthetic.tube import Canvas, Surface, Tube, between, paint, seen_radii

FAR_ARM, LEGS, TRUNK, NEAR_ARM, HEAD = 1.0, 2.0, 4.0, 5.0, 6.0  # layers; what is carried lies between them
HAND = 0.042


class Part(NamedTuple):
    """A tube and its place in the order of painting, small first."""

    layer: float
    tube: Tube


def draw_figure(canvas: Canvas, person: Identity, pose: Pose) -> dict[str, Joint]:
    """Paint `person` on `canvas` and return the skeleton in body heights."""
    joints = skeleton(person.body, pose)
    parts = [*_legs(person, pose, joints), *_trunk(person, pose, joints), *_arms(person, pose, joints), *_carried(person, pose, joints)]
    parts += [Part(HEAD + offset, tube) for offset, tube in head_parts(person, pose, joints)]
    for part in sorted(parts, key=lambda part: part.layer):
        paint(canvas, part.tube)
    return joints


def _legs(person: Identity, pose: Pose, joints: dict[str, Joint]) -> Iterator[Part]:
    far_first = sorted(SIDES, key=lambda side: joints[f"{side} hip"].depth + joints[f"{side} ankle"].depth)
    for rank, side in enumerate(far_first):
        for number, tube in enumerate(leg_parts(person, pose, joints, side)):
            yield Part(LEGS + 0.5 * rank + 0.01 * number, tube)
    for number, tube in enumerate(lower_parts(person, pose, joints)):
        yield Part(LEGS + 1.2 + 0.01 * number, tube)


def _trunk(person: Identity, pose: Pose, joints: dict[str, Joint]) -> Iterator[Part]:
    body, upper = person.body, person.upper
    start, end = (joints["neck"].x * 0.6, NECK + 0.004), (0.0, 1 - upper.end)
    v = np.linspace(0, 1, 24)
    hips = (body.hip + body.thigh) * 0.5 + body.waist * 0.5
    lateral = np.interp(v, (0, 0.035, 0.085, 0.25, 0.62, 1), (0.036, 0.064, body.shoulder * 0.98, body.shoulder * 0.93, body.waist, hips))
    chest = 1.12 if person.attributes[GENDER] else 1.0
    depth = np.interp(v, (0, 0.05, 0.12, 0.30, 0.62, 1), (0.034, 0.042, 0.052, body.depth * chest, body.depth * 0.95, body.depth * 1.05))
    ease = np.interp(v, (0, 0.15, 1), (1, 1 + 0.3 * (upper.loose - 1), upper.loose))
    surface = trunk(upper, person.skin, person.luggage, body.shoulder, end[1] - start[1])
    neck = Tube((joints["head"].x, joints["head"].y + 0.03), (start[0], start[1] + 0.02), (0.031, 0.030, 0.034), person.skin * 0.86)
    yield Part(TRUNK - 0.1, neck)
    yield Part(TRUNK, Tube(start, end, seen_radii(lateral * ease, depth * ease, pose.yaw), surface, pose.yaw, round_start=False, round_end=False))


def _arms(person: Identity, pose: Pose, joints: dict[str, Joint]) -> Iterator[Part]:
    for side in SIDES:
        layer = FAR_ARM if joints[f"{side} shoulder"].depth < -0.035 else NEAR_ARM
        for number, tube in enumerate(_arm(person, pose, joints, side)):
            yield Part(layer + 0.01 * number, tube)


def _arm(person: Identity, pose: Pose, joints: dict[str, Joint], side: str) -> Iterator[Tube]:
    body, upper, skin = person.body, person.upper, person.skin
    shoulder, elbow, wrist = (joints[f"{side} {name}"].point for name in ("shoulder", "elbow", "wrist"))
    limb, loose = body.limb, 0.5 + 0.5 * upper.loose
    tip = between(elbow, wrist, 1 + HAND / max(body.arm * 0.48, 0.01))
    yield Tube(wrist, tip, (0.016, 0.018, 0.011), skin)
    yield Tube(elbow, wrist, (limb * 0.80, limb * 0.80, limb * 0.55), skin, contact=0.12)
    yield Tube(shoulder, elbow, (limb * 0.95, limb * 0.98, limb * 0.80), skin, contact=0.0)
    outer = (1 if side == "left" else -1) * np.pi / 2
    length = body.arm * 0.52
    if upper.length > 0.52:
        share = (upper.length - 0.52) / 0.48
        lower = _sleeve(person, body.arm * 0.48, length + SHOULDER - NECK, outer)
        yield Tube(
            elbow, between(elbow, wrist, share), (limb * loose, limb * loose * 0.95, limb * loose * 0.72), lower, pose.yaw, round_end=False, contact=0.12
        )
    share = min(upper.length / 0.52, 1)
    flare = 0.92 if share == 1 else 1.12
    sleeve = _sleeve(person, length * share, SHOULDER - NECK, outer)
    yield Tube(
        shoulder,
        between(shoulder, elbow, share),
        (limb * 1.02, limb * loose * 1.08, limb * loose * flare),
        sleeve,
        pose.yaw,
        round_end=share == 1,
        contact=0.15,
    )


def _sleeve(person: Identity, length: float, start: float, outer: float) -> Surface | np.ndarray:
    upper = person.upper
    if upper.second_sleeves:
        return upper.second
    if upper.pattern.kind in ("hoops", "checks", "dots", "yoke", "band", "hem", "pinstripes"):
        return cloth(upper, person.body.limb, length, start, outer)
    return upper.main


def _carried(person: Identity, pose: Pose, joints: dict[str, Joint]) -> Iterator[Part]:
    luggage, front = person.luggage, np.cos(pose.yaw)
    if luggage.kind == "backpack":
        layer = NEAR_ARM + 0.5 if front < -0.35 else TRUNK + 0.5 if front < 0.1 else TRUNK - 0.5
        yield from (Part(layer + 0.01 * number, tube) for number, tube in enumerate(backpack(person, pose)))
    elif luggage.kind == "bag":
        depth = -luggage.side * np.sin(pose.yaw)
        layer = NEAR_ARM + 0.3 if depth > -0.25 else LEGS - 0.5
        yield from (Part(layer + 0.01 * number, tube) for number, tube in enumerate(shoulder_bag(person, pose)))
    elif luggage.kind == "handbag":
        side = SIDES[0 if luggage.side > 0 else 1]
        layer = FAR_ARM - 0.5 if joints[f"{side} shoulder"].depth < -0.035 else NEAR_ARM - 0.2
        yield from (Part(layer + 0.01 * number, tube) for number, tube in enumerate(handbag(person, pose, joints[f"{side} wrist"])))
