"""One image: a person in a camera's scene, lit, boxed, exposed and perhaps degraded.

H W: the image.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from qafm.config.synthetic import SyntheticConfig
from qafm.datasets.synthetic.degrade import NONE, OCCLUSION, degrade, occluder
from qafm.datasets.synthetic.figure import draw_figure
from qafm.datasets.synthetic.identities import Identity
from qafm.datasets.synthetic.light import Light, expose, image_light
from qafm.datasets.synthetic.masks import part_fields
from qafm.datasets.synthetic.plan import Shot
from qafm.datasets.synthetic.pose import Joint, Pose
from qafm.datasets.synthetic.scene import Stand, crop, draw_stand
from qafm.datasets.synthetic.seeding import generator
from qafm.datasets.synthetic.tube import Canvas

SUPERSAMPLE = 2
MARGIN = 1.04  # height of a perfect box, in body heights
STRETCH = 1.22  # a detector's boxes are narrower than half their height; scaled to the image they make people broader
BOX_SD = 0.06  # error of the box, share of its size


@dataclass(frozen=True)
class Picture:
    """A drawn image with everything that is known about it."""

    image: np.ndarray  # uint8 RGB [H, W, 3]
    person: np.ndarray  # uint8 [H, W], 255 where the person shows
    fields: np.ndarray  # float16 [36, h, w]
    viewpoint: float  # degrees: 0 faces the camera, 180 is seen from behind
    light: float  # gain of the exposure
    box: tuple[float, float, float]  # right shift, down shift and size of the box against a perfect one, shares of its height


@dataclass(frozen=True)
class View:
    """A box around somebody in a scene, and what it does to lengths."""

    height: int  # H
    width: int  # W
    rows: float  # of the scene in the box
    x: float  # column of the scene in the middle of the box
    y: float  # row of the scene in the middle of the box
    stand: Stand

    @property
    def columns(self) -> float:
        """Columns of the scene in the box."""
        return self.rows * self.width / self.height / STRETCH

    @property
    def left(self) -> float:
        """First column of the scene in the box."""
        return self.x - self.columns / 2

    @property
    def top(self) -> float:
        """First row of the scene in the box."""
        return self.y - self.rows / 2

    @property
    def body(self) -> tuple[float, float]:
        """Image pixels of a body height, across and down."""
        return self.stand.height * self.width / self.columns, self.stand.height * self.height / self.rows

    @property
    def origin(self) -> tuple[float, float]:
        """Image pixel (x, y) of the body's (0, 0): above the feet, at the top of the head."""
        return (self.stand.x - self.left) * self.width / self.columns, (self.stand.y - self.stand.height - self.top) * self.height / self.rows


def draw_shot(shot: Shot, person: Identity, scene: np.ndarray, camera: Light, config: SyntheticConfig) -> Picture:
    """Draw one image.

    Args:
        person: whom to draw.
        scene: of the shot's camera, uint8 [h, w, 3].
        camera: the exposure of the shot's camera.
    """
    rng = generator(config.seed, "shot", shot.folder, shot.stem)
    pose, stand = draw_pose(shot.heading, config.pose, rng), draw_stand(rng)
    right, down, size = _box_error(shot.fragment, config.misalignment, rng)
    light = image_light(camera, config.light, rng)
    rows = stand.height * MARGIN * size  # scene pixels
    view = View(config.height, config.width, rows, stand.x + right * rows, stand.y - stand.height * (0.5 - down), stand)
    figure, joints = _figure(person, pose, view, light)
    ground = crop(scene, view.left, view.top, (view.rows, view.columns), config.height, config.width).astype(np.float32) / 255
    ground *= _shadow(joints, view, light.sun)[..., None]
    alpha = figure[..., 3]
    image = figure[..., :3] + (1 - alpha[..., None]) * ground
    if shot.degradation == OCCLUSION:
        colour, where = occluder(config.height, config.width, shot.level, rng)
        image, alpha = image + where[..., None] * (colour - image), alpha * (1 - where)
    exposed = expose(image, light, rng)
    if shot.degradation not in (NONE, OCCLUSION):
        exposed = degrade(exposed, shot.degradation, shot.level, rng)
    fields = part_fields(joints, view.origin, view.body, alpha)
    mask = np.clip(alpha * 255 + 0.5, 0, 255).astype(np.uint8)
    return Picture(exposed, mask, fields, float(np.degrees(pose.yaw) % 360), light.gain, (right, down, size))


def draw_pose(heading: float, spread: float, rng: np.random.Generator) -> Pose:
    """Draw one moment of a walk in the direction `heading`; `spread` 0 stands still and faces the camera."""
    towards = (heading + np.pi) % (2 * np.pi) - np.pi
    yaw = min(spread, 1.0) * towards + 0.3 * spread * rng.normal()
    phase, stride, swing = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.42), rng.uniform(0.05, 0.5)
    elbow, nod = 0.15 + spread * rng.uniform(0, 0.7), 0.3 * spread * rng.normal()
    return Pose(float(yaw), float(phase), float(spread * stride), float(spread * swing), float(elbow), float(np.clip(nod, -0.7, 0.7)))


def _box_error(fragment: bool, misalignment: float, rng: np.random.Generator) -> tuple[float, float, float]:
    """Shift to the right, shift down and relative size of the box; a fragment cuts off most of the person."""
    error = np.clip(rng.normal(size=3), -2.2, 2.2) * BOX_SD * misalignment
    side = rng.choice([-1, 1], 2) * rng.uniform(0.18, 0.5, 2)
    zoom = rng.uniform(0.5, 1.2)
    if fragment:
        return float(0.6 * side[0] + error[0]), float(side[1] + error[1]), float(zoom)
    return float(0.5 * error[0]), float(error[1]), float(np.exp(1.2 * error[2]))


def _figure(person: Identity, pose: Pose, view: View, light: Light) -> tuple[np.ndarray, dict[str, Joint]]:
    """The person alone: premultiplied colour and alpha, float32 [H, W, 4], and the skeleton. Drawn unstretched and larger, then scaled."""
    columns = round(view.width * SUPERSAMPLE / STRETCH)
    origin = view.origin[0] * columns / view.width, view.origin[1] * SUPERSAMPLE
    canvas = Canvas(view.height * SUPERSAMPLE, columns, view.body[1] * SUPERSAMPLE, origin, light.direction)
    joints = draw_figure(canvas, person, pose)
    both = np.dstack([canvas.rgb, canvas.alpha])
    return cv2.resize(both, (view.width, view.height), interpolation=cv2.INTER_AREA), joints


def _shadow(joints: dict[str, Joint], view: View, sun: float) -> np.ndarray:
    """Brightness of the ground under the person, float32 [H, W]: a soft ellipse away from the sun."""
    shade = np.zeros((view.height, view.width), np.float32)
    feet = (joints["left ankle"].x + joints["right ankle"].x) / 2, 0.985
    reach = abs(joints["left ankle"].x - joints["right ankle"].x) / 2
    for length, dark in ((0.10 + reach, 0.5), (0.26 + reach, 0.28)):
        shift = -sun * (length - 0.10 - reach)
        centre = round(view.origin[0] + view.body[0] * (feet[0] + shift)), round(view.origin[1] + view.body[1] * feet[1])
        layer = np.zeros_like(shade)
        cv2.ellipse(layer, centre, (max(round(view.body[0] * length), 1), max(round(view.body[1] * 0.028), 1)), 0, 0, 360, dark, -1)
        shade = np.maximum(shade, cv2.GaussianBlur(layer, (0, 0), max(view.body[1] * 0.014, 0.3)))
    return 1 - shade
