"""Light and sensor: what a camera and a moment do to every colour, so that a colour histogram alone goes astray.

H W: the image.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from qafm.datasets.synthetic.seeding import generator

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Light:
    """How an image is exposed. A camera has one, every image its own around it."""

    gain: float  # brightness
    balance: tuple[float, float, float]  # red, green, blue
    contrast: float  # around middle grey
    saturation: float
    sun: float  # -1: from the left, 1: from the right
    softness: float  # sigma of the lens, share of the image height
    grain: float  # sd of the sensor's noise, of full scale

    @property
    def direction(self) -> tuple[float, float, float]:
        """Unit vector to the light: right, down, towards the camera."""
        vector = np.array([0.75 * self.sun, -0.45, 0.72])
        right, down, towards = (vector / np.linalg.norm(vector)).tolist()
        return right, down, towards


def camera_light(camera: int, seed: int, spread: float) -> Light:
    """Draw the usual exposure of a camera; `spread` 0 gives a neutral one."""
    rng = generator(seed, "light", camera)
    return _vary(
        Light(1.0, (1.0, 1.0, 1.0), 1.0, 0.92, float(rng.uniform(-1, 1)), float(rng.uniform(0.001, 0.004)), float(rng.uniform(0.004, 0.012))), 1.0 * spread, rng
    )


def image_light(camera: Light, spread: float, rng: np.random.Generator) -> Light:
    """Draw the exposure of one image around its camera's: sun or shade, time of day, automatic exposure."""
    return _vary(camera, 0.85 * spread, rng)


def _vary(light: Light, spread: float, rng: np.random.Generator) -> Light:
    step = rng.normal(size=6) * spread
    sun = float(np.clip(light.sun + 0.4 * step[5], -1, 1))
    warm, tint = 0.07 * step[1], 0.03 * step[2]
    balance = np.array(light.balance) * np.exp((warm, tint, -warm))
    red, green, blue = (balance / (balance @ LUMA)).tolist()
    gain = float(np.clip(light.gain * np.exp(0.15 * step[0]), 0.58, 1.45))
    contrast = float(np.clip(light.contrast * np.exp(0.10 * step[3]), 0.75, 1.25))
    saturation = float(np.clip(light.saturation * np.exp(0.13 * step[4]), 0.45, 1.2))
    return Light(gain, (red, green, blue), contrast, saturation, sun, light.softness, light.grain)


def expose(image: np.ndarray, light: Light, rng: np.random.Generator) -> np.ndarray:
    """Expose a scene: white balance, gain, saturation, contrast, lens and sensor noise.

    Args:
        image: float32 [H, W, 3] in [0, 1].

    Returns:
        uint8 [H, W, 3].
    """
    sigma = light.softness * len(image)
    exposed = cv2.GaussianBlur(image, (0, 0), sigma) if sigma > 0.2 else image
    exposed = exposed * (np.array(light.balance, np.float32) * np.float32(light.gain))
    grey = (exposed @ LUMA)[..., None]
    exposed = grey + np.float32(light.saturation) * (exposed - grey)
    exposed = np.float32(0.45) + np.float32(light.contrast) * (exposed - np.float32(0.45))
    exposed = np.where(exposed > 0.8, 0.8 + 0.2 * np.tanh((exposed - 0.8) / 0.2), exposed)  # highlights roll off
    exposed = exposed + rng.standard_normal(exposed.shape, np.float32) * np.float32(light.grain)
    return np.clip(exposed * 255 + 0.5, 0, 255).astype(np.uint8)
