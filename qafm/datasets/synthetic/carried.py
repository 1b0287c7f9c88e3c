"""Backpacks, shoulder bags and handbags in the picture."""

from collections.abc import Iterator

import numpy as np

from qafm.datasets.synthetic.identities import Identity
from qafm.datasets.synthetic.pose import SHOULDER, Joint, Pose, project
from qafm.datasets.synthetic.surfaces import box
from qafm.datasets.synthetic.tube import Tube, seen_radii

PACK_HANG = 0.6  # a backpack hangs less low than a bag
ROUNDED_BOX = np.array([0.55, 0.85, 0.96, 1.0, 1.0, 1.0, 1.0, 1.0, 0.96, 0.8])


def backpack(person: Identity, pose: Pose) -> Iterator[Tube]:
    """A backpack on the back: full from behind, its profile from the side, a rim beside the trunk from the front."""
    luggage, body = person.luggage, person.body
    middle = project(pose, 0, 1 - SHOULDER, -(body.depth + luggage.thickness * 0.7))
    top = SHOULDER - 0.012 + PACK_HANG * luggage.hang
    widths = seen_radii(ROUNDED_BOX * luggage.half_width, ROUNDED_BOX * luggage.thickness, pose.yaw)
    yield Tube((middle.x, top), (middle.x, top + luggage.height), widths, box(luggage), pose.yaw, round_start=False, round_end=False, flatness=0.5)
    if np.cos(pose.yaw) < -0.3:
        y = top + luggage.height * 0.10
        yield Tube((middle.x - 0.018, y), (middle.x + 0.018, y), (0.006, 0.006), luggage.second)


def shoulder_bag(person: Identity, pose: Pose) -> Iterator[Tube]:
    """A bag at the hip, on a strap across the trunk (the strap is part of the trunk's texture)."""
    luggage, body = person.luggage, person.body
    middle = project(pose, luggage.side * (body.waist + luggage.thickness * 0.6), 0.52 - luggage.hang * 0.5, 0.0)
    radii = seen_radii(ROUNDED_BOX[2:] * luggage.thickness, ROUNDED_BOX[2:] * luggage.half_width, pose.yaw)
    start = (middle.x, middle.y - luggage.height * 0.4)
    yield Tube(
        start,
        (middle.x, start[1] + luggage.height),
        radii,
        box(luggage),
        pose.yaw,
        round_start=False,
        round_end=False,
        flatness=0.4,
    )


def handbag(person: Identity, pose: Pose, wrist: Joint) -> Iterator[Tube]:
    """A bag held in the hand, handles first."""
    luggage = person.luggage
    half = float(np.hypot(luggage.thickness * 0.8 * np.cos(pose.yaw), luggage.half_width * np.sin(pose.yaw)))
    hand, top = (wrist.x, wrist.y + 0.03), wrist.y + 0.05 + luggage.hang * 0.6
    for sign in (-1, 1):
        yield Tube(hand, (wrist.x + sign * half * 0.7, top + 0.01), (0.005, 0.005), luggage.second)
    widths = tuple((np.linspace(0.82, 1.0, 6) * max(half, 0.024)).tolist())
    yield Tube((wrist.x, top), (wrist.x, top + luggage.height), widths, box(luggage), pose.yaw, round_start=False, round_end=False, flatness=0.4)
