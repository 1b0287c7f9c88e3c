"""The skeleton of a walking person seen from any side.

Body heights: x right in the picture, y down from the top of the head (0) to the soles (1), depth towards the camera.
"""

from dataclasses import dataclass

import numpy as np

TILT = 0.13  # the camera looks down a little: what is nearer stands lower in the picture
CHIN, NECK, SHOULDER = 0.135, 0.155, 0.182
FOOT = 0.045  # ankle above the sole
SIDES = ("left", "right")


@dataclass(frozen=True)
class Body:
    """Proportions of one person, in body heights."""

    leg: float  # hip to ankle
    shoulder: float  # half the width between the shoulder joints
    hip: float  # half the width between the hip joints
    waist: float  # half-width
    depth: float  # half the thickness of the trunk
    arm: float  # shoulder to wrist
    limb: float  # radius of the upper arm
    thigh: float  # radius
    head: float  # half-width
    stoop: float  # how far the head leans forward


@dataclass(frozen=True)
class Pose:
    """One moment of one person. Angles in radians."""

    yaw: float  # 0 faces the camera, pi is seen from behind, pi/2 walks to the right of the picture
    phase: float  # of the gait
    stride: float  # largest angle of the thigh
    swing: float  # largest angle of the upper arm
    elbow: float  # bend
    nod: float  # of the head: turns it against the body


@dataclass(frozen=True)
class Joint:
    """A point of the skeleton in the picture, and its depth."""

    x: float
    y: float
    depth: float

    @property
    def point(self) -> tuple[float, float]:
        """Picture coordinates (x, y)."""
        return self.x, self.y


def project(pose: Pose, left: float, up: float, forward: float) -> Joint:
    """Picture position of a point of the body: towards the wearer's left, height above the soles, forward."""
    depth = forward * np.cos(pose.yaw) - left * np.sin(pose.yaw)
    return Joint(float(left * np.cos(pose.yaw) + forward * np.sin(pose.yaw)), float(1 - up + TILT * depth), float(depth))


def skeleton(body: Body, pose: Pose) -> dict[str, Joint]:
    """Joints by name, such as "left knee"; "neck" and "head" are in the middle."""
    joints = {"neck": project(pose, 0, 1 - NECK, body.stoop * 0.5), "head": project(pose, 0, 1 - CHIN / 2, body.stoop + 0.008)}
    joints["nose"] = project(pose, 0, 1 - CHIN * 0.6, body.stoop + body.head)
    for sign, side in zip((1, -1), SIDES, strict=True):
        joints |= {f"{side} {name}": joint for name, joint in _limbs(body, pose, sign).items()}
        joints[f"{side} eye"] = project(pose, sign * 0.02, 1 - CHIN * 0.48, body.stoop + body.head * 0.85)
        joints[f"{side} ear"] = project(pose, sign * body.head, 1 - CHIN * 0.55, body.stoop)
    return joints


def _limbs(body: Body, pose: Pose, sign: int) -> dict[str, Joint]:
    """Arm and leg of one side: they swing in opposite phase, and the two sides too."""
    gait = np.sin(pose.phase) * sign
    hip_up = FOOT + body.leg
    thigh, shin = body.leg * 0.50, body.leg * 0.50
    leg = pose.stride * gait
    bend = pose.stride * max(0.0, 0.25 + 0.9 * np.cos(pose.phase + (0 if sign > 0 else np.pi)))
    knee = (hip_up - thigh * np.cos(leg), thigh * np.sin(leg))
    ankle = (knee[0] - shin * np.cos(leg - bend), knee[1] + shin * np.sin(leg - bend))
    arm, upper = -pose.swing * gait, body.arm * 0.52
    elbow = (1 - SHOULDER - upper * np.cos(arm), upper * np.sin(arm))
    lower = body.arm * 0.48
    wrist = (elbow[0] - lower * np.cos(arm + pose.elbow), elbow[1] + lower * np.sin(arm + pose.elbow))
    spread = sign * (body.shoulder + 0.012)
    return {
        "shoulder": project(pose, sign * body.shoulder, 1 - SHOULDER, 0),
        "elbow": project(pose, spread + sign * 0.012, *elbow),
        "wrist": project(pose, spread + sign * 0.010, *wrist),
        "hip": project(pose, sign * body.hip, hip_up, 0),
        "knee": project(pose, sign * body.hip * 0.95, *knee),
        "ankle": project(pose, sign * body.hip * 0.85, *ankle),
    }
