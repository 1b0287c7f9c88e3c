"""Head, hair and hat."""

from collections.abc import Iterator

import numpy as np

from qafm.datasets.synthetic.identities import Identity
from qafm.datasets.synthetic.pose import CHIN, Joint, Pose
from qafm.datasets.synthetic.surfaces import face, strands
from qafm.datasets.synthetic.tube import Tube

SKULL = np.linspace(0, 1, 17)
OVAL = np.sqrt(np.clip(1 - (2 * SKULL - 1) ** 2, 0, 1)) * np.interp(SKULL, (0, 0.55, 1), (1.0, 1.0, 0.80))


def head_parts(person: Identity, pose: Pose, joints: dict[str, Joint]) -> Iterator[tuple[float, Tube]]:
    """Tubes with their place relative to the head's layer: negative ones lie behind the trunk or the face."""
    head, size = person.head, person.body.head
    centre, yaw = joints["head"], pose.yaw + pose.nod
    front, top = np.cos(yaw), centre.y - CHIN / 2
    yield from _hair(person, centre, yaw)
    width = size * (1 + 0.14 * np.sin(yaw) ** 2)
    if head.style != "buzz":
        crown = (centre.x - 0.008 * np.sin(yaw), top + CHIN * 0.36)
        yield -0.05, Tube((crown[0], crown[1] - 0.012), (crown[0], crown[1] + CHIN * 0.18), (width * (1.0 + head.volume),) * 2, head.hair)
    yield 0.0, Tube((centre.x, top), (centre.x, top + CHIN), tuple((OVAL * width).tolist()), face(head, person.skin), yaw, round_start=False, round_end=False)
    if head.hat:
        yield from _hat(person, centre, yaw, width)
    elif head.style == "volume" and front < 0.9:
        yield (
            0.05,
            Tube((centre.x - 0.02 * np.sin(yaw), top + 0.03), (centre.x - 0.025 * np.sin(yaw), top + 0.05), (width * (0.55 + head.volume),) * 2, head.hair),
        )


def _hair(person: Identity, centre: Joint, yaw: float) -> Iterator[tuple[float, Tube]]:
    """Long hair hangs down the back: in front of the trunk when seen from behind."""
    head, size, top = person.head, person.body.head, centre.y - CHIN / 2
    back = -np.sin(yaw)
    layer = 0.2 if np.cos(yaw) < 0.15 else -2.6
    if head.style == "bun":
        spot = (centre.x + back * (size + 0.012), top + 0.028 + 0.02 * head.volume)
        yield (0.3 if np.cos(yaw) < 0 else -0.3), Tube(spot, (spot[0], spot[1] + 0.012), (0.022 + 0.06 * head.volume,) * 2, head.hair)
    elif head.style == "ponytail":
        root, tip = (centre.x + back * (size + 0.006), top + 0.045), (centre.x + back * (size + 0.035), head.end)
        yield layer, Tube(root, tip, (0.018, 0.026, 0.022, 0.010), strands(head.hair, 0.5), yaw)
    elif head.style in ("straight", "wavy", "shoulder", "bob"):
        wave = 3.0 if head.style == "wavy" else 0.3
        broad = size * (1.06 + head.volume)
        end = head.end if head.style != "bob" else CHIN * 1.12
        widths = (broad * 0.9, broad, broad * (1.15 if head.style == "wavy" else 1.02), broad * 0.8)
        yield layer, Tube((centre.x + back * 0.016, top + 0.05), (centre.x + back * 0.034, end), widths, strands(head.hair, wave), yaw)


def _hat(person: Identity, centre: Joint, yaw: float, width: float) -> Iterator[tuple[float, Tube]]:
    colour, top = person.head.hat_colour, centre.y - CHIN / 2
    dome = width * 1.10
    bottom = top + CHIN * (0.42 if person.head.hat == "beanie" else 0.32)
    yield 0.4, Tube((centre.x, top + dome * 0.62), (centre.x, bottom), (dome, dome), colour, round_end=False)
    if person.head.hat == "beanie":
        yield 0.5, Tube((centre.x - dome * 0.8, bottom - 0.006), (centre.x + dome * 0.8, bottom - 0.006), (0.013, 0.013), colour * 0.75)
    elif person.head.hat == "bucket":
        yield 0.5, Tube((centre.x - width * 1.35, bottom + 0.012), (centre.x + width * 1.35, bottom + 0.012), (0.010, 0.018, 0.010), colour * 0.85)
    elif np.cos(yaw) > -0.5:
        reach = 0.045 * np.sin(yaw)
        half = width * (0.25 + 0.65 * abs(np.cos(yaw)))
        y = bottom + 0.016 * max(np.cos(yaw), 0)
        yield 0.5, Tube((centre.x + reach * 1.4 - half, y), (centre.x + reach * 1.4 + half, y), (0.010, 0.013, 0.010), colour * 0.8)
