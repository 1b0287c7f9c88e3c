"""PifPaf's confidence fields as files: found, read, checked, and grouped into body parts.

F = 36 fields, 17 keypoints and 19 limbs; h w: their grid; K parts, channel 0 of a grouped map is the background.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qafm.datasets.synthetic.pifpaf_layout import KEYPOINTS, LIMBS
from qafm.errors import InputError, one_line

FIELDS = len(KEYPOINTS) + len(LIMBS)
NOTHING_BELOW = 0.5  # where no part reaches it there is background
SHARPNESS = 15.0  # factor before the softmax over background and parts
ALIKE = 1e-3  # fields are stored with about this precision


class Part(NamedTuple):
    """A body part: the kinds of keypoints and limbs it is made of, on one side of the body or (None) on both."""

    name: str
    kinds: tuple[str, ...]
    side: str | None = None


_HEAD = Part("head", ("nose", "eye", "ear", "eye-eye", "eye-nose", "ear-eye", "ear-shoulder"))
_ARM = ("shoulder", "elbow", "wrist", "elbow-shoulder", "elbow-wrist")
_LEG = ("knee", "hip-knee", "ankle-knee")
_SIDES = ("left", "right")
# The original leaves the left side of the trunk out of `five_v` and adds the line between the hips to the left leg of `eight`: both sides are alike here.
GROUPINGS: dict[str, tuple[Part, ...]] = {
    "five_v": (
        _HEAD,
        Part("upper arms, torso", ("shoulder", "elbow", "elbow-shoulder", "shoulder-shoulder")),
        Part("lower arms, torso", ("wrist", "hip", "elbow-wrist", "hip-shoulder", "hip-hip")),
        Part("legs", ("hip", *_LEG)),
        Part("feet", ("ankle",)),
    ),
    "eight": (
        _HEAD,
        *(Part(f"{side} arm", _ARM, side) for side in _SIDES),
        Part("torso", ("hip", "hip-hip", "hip-shoulder", "shoulder-shoulder")),
        *(Part(f"{side} leg", _LEG, side) for side in _SIDES),
        *(Part(f"{side} foot", ("ankle",), side) for side in _SIDES),
    ),
}


def part_names(grouping: str) -> list[str]:
    """Names of the K parts, in the order of the channels after the background."""
    return [part.name for part in GROUPINGS[grouping]]


def mirrored_channels(grouping: str) -> list[int]:
    """Channel of the K + 1 that each one becomes in a mirrored image: left and right change places."""
    names = part_names(grouping)
    swapped = [f"{_SIDES[1 - _SIDES.index(side)]} {rest}" if side in _SIDES else name for name in names for side, _, rest in (name.partition(" "),)]
    return [0, *(1 + names.index(name) for name in swapped)]


def find_fields(masks: Path, image_id: str) -> Path | None:
    """The mask file of an image: its name with the ending .npy instead of its own, or behind it; None where neither exists."""
    candidates = (masks / image_id).with_suffix(".npy"), masks / f"{image_id}.npy"
    return next((path for path in candidates if path.is_file()), None)


def read_fields(path: Path) -> np.ndarray:
    """Read a mask file.

    Returns:
        float32 [F, h, w], clipped to [0, 1].

    Raises:
        InputError: it cannot be read without unpickling, is no float array [36, h, w], or holds a value that is not finite.
    """
    try:
        fields = np.load(path, allow_pickle=False)
    except Exception as error:  # torn bytes make the reader stumble in any way
        raise InputError(f"{path}: cannot be read as an array ({one_line(error)})") from error
    if not isinstance(fields, np.ndarray) or fields.ndim != 3 or len(fields) != FIELDS or fields.size == 0 or fields.dtype.kind != "f":
        found = f"{fields.dtype} {list(fields.shape)}" if isinstance(fields, np.ndarray) else "an archive"
        raise InputError(f"{path}: part masks must be a float array [{FIELDS}, h, w], this is {found}")
    if not np.isfinite(fields).all():
        raise InputError(f"{path}: holds a value that is not finite, the first in field {np.argwhere(~np.isfinite(fields))[0][0]}")
    return np.clip(fields.astype(np.float32), 0, 1)


def group_fields(fields: np.ndarray, grouping: str) -> np.ndarray:
    """Make one map per part, the maximum of its fields, put the background before them, and take the softmax over all.

    A place that several parts claim alike goes to the last of them: around an ankle, where the shin ends, to the foot.

    Args:
        fields: float32 [F, h, w] in [0, 1].
        grouping: one of GROUPINGS.

    Returns:
        Probabilities float32 [K + 1, h, w].
    """
    parts = np.stack([fields[list(members)].max(axis=0) for members in _members(grouping)])  # [K, h, w]
    best = parts.max(axis=0)  # [h, w]
    claims = parts >= best - ALIKE  # [K, h, w]
    beaten = claims & (np.cumsum(claims[::-1], axis=0)[::-1] > 1)
    background = (best < NOTHING_BELOW).astype(np.float32)
    scores = np.exp(SHARPNESS * (np.concatenate([background[None], np.where(beaten, 0, parts)]) - 1))  # [K + 1, h, w]
    return (scores / scores.sum(axis=0)).astype(np.float32)


@cache
def _members(grouping: str) -> Sequence[tuple[int, ...]]:
    """Indices of each part's fields."""
    described = [_describe(name) for name in KEYPOINTS] + [_describe(*(KEYPOINTS[end - 1] for end in limb)) for limb in LIMBS]
    return [
        tuple(index for index, (kind, sides) in enumerate(described) if kind in part.kinds and (part.side is None or sides == {part.side}))
        for part in GROUPINGS[grouping]
    ]


def _describe(*points: str) -> tuple[str, set[str]]:
    """Kind of a keypoint ("elbow") or limb ("elbow-wrist"), and the sides of the body it lies on."""
    words = [point.split() for point in points]
    return "-".join(sorted(word[-1] for word in words)), {word[0] for word in words if len(word) > 1}
