"""The catalogue: the 34 perturbations in their fixed order."""

# H, W height and width in pixels

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qafm.config.perturb import PerturbConfig
from qafm.perturbations.background import replace_background
from qafm.perturbations.blur import gaussian_blur
from qafm.perturbations.light import shift_light
from qafm.perturbations.noise import add_gaussian_noise, add_salt_pepper, add_speckle
from qafm.perturbations.occlusion import SIDES, occlude

ImageFunction = Callable[[NDArray[np.uint8], str], NDArray[np.uint8]]


@dataclass(frozen=True)
class Perturbation:
    """One perturbation.

    Attributes:
        name: unique, for example "occlusion_top_0.05".
        family: one of qafm.tables.quality.FAMILIES.
        parameter: its strength: V offset, sigma in px, share of the side, scale of the ellipse, noise level.
        function: (uint8 [H, W, 3] RGB, image_id) -> new uint8 [H, W, 3]; only noise looks at image_id.
    """

    name: str
    family: str
    parameter: float
    function: ImageFunction


def _light(config: PerturbConfig) -> Iterator[Perturbation]:
    for offset in config.light_offsets:
        yield Perturbation(f"light_{offset:+d}", "light", offset, lambda image, _id, offset=offset: shift_light(image, offset))


def _blur(config: PerturbConfig) -> Iterator[Perturbation]:
    for sigma in config.blur_sigmas_px:
        yield Perturbation(f"blur_{sigma}", "blur", sigma, lambda image, _id, sigma=sigma: gaussian_blur(image, sigma))


def _occlusion(config: PerturbConfig) -> Iterator[Perturbation]:
    for size in config.occlusion_sizes:
        for side in SIDES:
            yield Perturbation(f"occlusion_{side}_{size}", "occlusion", size, lambda image, _id, side=side, size=size: occlude(image, side, size, config.inset))


def _background(config: PerturbConfig) -> Iterator[Perturbation]:
    for scale in config.background_scales:
        for color in config.background_colors:
            yield Perturbation(
                f"background_{color}_{scale}", "background", scale, lambda image, _id, scale=scale, color=color: replace_background(image, scale, color)
            )


def _noise(config: PerturbConfig) -> Iterator[Perturbation]:
    for name, level, function in (
        ("gaussian", config.gaussian_sigma, add_gaussian_noise),
        ("salt_pepper", config.salt_pepper, add_salt_pepper),
        ("speckle", config.speckle, add_speckle),
    ):
        if level is not None:
            yield Perturbation(
                f"noise_{name}_{level}",
                "noise",
                level,
                lambda image, image_id, name=name, level=level, function=function: function(image, level, f"{config.seed}/{name}/{image_id}"),
            )


def catalog(config: PerturbConfig) -> tuple[Perturbation, ...]:
    """The perturbations of a configuration, family by family; the defaults give the paper's 34.

    Args:
        config: stage 2.

    Returns:
        In the order of the variants: variant 0 is the original, variant k is entry k - 1.
    """
    return (*_light(config), *_blur(config), *_occlusion(config), *_background(config), *_noise(config))


def variant_families(config: PerturbConfig) -> tuple[str, ...]:
    """The family of each variant 1, 2, ..., in the order of `catalog`."""
    return tuple(perturbation.family for perturbation in catalog(config))
