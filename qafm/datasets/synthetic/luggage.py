"""Backpacks, shoulder bags and handbags: shape, size and colour."""

from dataclasses import dataclass

import numpy as np

from qafm.datasets.synthetic import attributes as a
from qafm.datasets.synthetic.palette import lab_to_rgb

COLOURS = ((16, 0, 0), (32, 4, -26), (42, 48, 28), (45, 14, 26), (62, 0, 0), (46, -24, 18), (70, 25, 30), (40, 26, -26), (88, 0, 4))


@dataclass(frozen=True)
class Luggage:
    """What a person carries: nothing, or one of the three."""

    kind: str | None  # "backpack", "bag", "handbag"
    colour: np.ndarray  # sRGB [3]
    second: np.ndarray  # sRGB [3], pocket, flap, handles
    half_width: float  # body heights
    height: float
    thickness: float
    pocket: float  # where the pocket or flap begins, share of the height
    side: int  # 1: on the wearer's left
    hang: float  # how low it hangs, body heights


def draw_luggage(vector: np.ndarray, rng: np.random.Generator) -> Luggage:
    """Draw the luggage that the attribute vector names."""
    kind = "backpack" if vector[a.BACKPACK] else "bag" if vector[a.BAG] else "handbag" if vector[a.HANDBAG] else None
    colour = np.asarray(COLOURS[rng.integers(len(COLOURS))]) + rng.normal(size=3) * 4
    lighter = 24 if colour[0] < 50 else -24
    width, height = {"backpack": (0.085, 0.25), "bag": (0.062, 0.12), "handbag": (0.052, 0.10), None: (0.0, 0.0)}[kind]
    return Luggage(
        kind=kind,
        colour=lab_to_rgb(colour),
        second=lab_to_rgb(colour + np.array([lighter * rng.uniform(0.4, 1.0), 0, 0])),
        half_width=float(width * rng.uniform(0.8, 1.25)),
        height=float(height * rng.uniform(0.8, 1.25)),
        thickness=float(rng.uniform(0.03, 0.055)),
        pocket=float(rng.uniform(0.35, 0.65)),
        side=int(rng.choice([-1, 1])),
        hang=float(rng.uniform(0.0, 0.08)),
    )
