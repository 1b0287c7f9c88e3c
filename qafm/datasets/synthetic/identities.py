"""Identities: what makes one person look the same in every image, drawn within what the attribute vector allows."""

from dataclasses import dataclass

import numpy as np

from qafm.config.synthetic import SyntheticConfig
from qafm.datasets.synthetic import attributes as a
from qafm.datasets.synthetic.garments import Garment, Shoes, draw_lower, draw_shoes, draw_upper
from qafm.datasets.synthetic.luggage import Luggage, draw_luggage
from qafm.datasets.synthetic.palette import draw_hair, draw_skin
from qafm.datasets.synthetic.pose import Body
from qafm.datasets.synthetic.seeding import generator

SHORT_STYLES = ("crop", "side", "volume", "buzz", "bob")
LONG_STYLES = ("straight", "ponytail", "wavy", "shoulder", "bun")
HATS = ("cap", "bucket", "beanie")


@dataclass(frozen=True)
class Head:
    """Hair, hat and glasses."""

    style: str
    hair: np.ndarray  # sRGB [3]
    volume: float  # of the hair, in head half-widths
    end: float  # where long hair ends, body heights from the top of the head
    fringe: float  # height of the hairline at the front, share of the head from its top
    glasses: bool
    hat: str | None
    hat_colour: np.ndarray  # sRGB [3]


@dataclass(frozen=True)
class Identity:
    """One person."""

    attributes: np.ndarray  # int8 [12]
    body: Body
    skin: np.ndarray  # sRGB [3]
    head: Head
    upper: Garment
    lower: Garment
    shoes: Shoes
    luggage: Luggage


def draw_identity(name: str, vector: np.ndarray, config: SyntheticConfig) -> Identity:
    """Draw one person with the attribute vector `vector`.

    Args:
        name: what the draw is keyed by, beside the seed, such as "id-0012".
        vector: int8 [12] in the codes of `qafm.datasets.synthetic.attributes`.
    """
    rng = generator(config.seed, "body", name)
    body, skin, head = draw_body(vector, config.shape, rng), draw_skin(rng), draw_head(vector, rng)
    rng = generator(config.seed, "clothes", name)
    upper = draw_upper(vector, config, rng)
    return Identity(vector, body, skin, head, upper, draw_lower(vector, upper, config, rng), draw_shoes(rng), draw_luggage(vector, rng))


def draw_body(vector: np.ndarray, spread: float, rng: np.random.Generator) -> Body:
    """Draw proportions: by gender and age, with a standard deviation of `spread` times about 6 percent."""
    female, age = bool(vector[a.GENDER]), int(vector[a.AGE])
    build = 1 + 0.13 * spread * rng.normal() + (0.05 if age >= 2 else 0)
    build = float(np.clip(build, 0.72, 1.4))

    def vary(mean: float, sd: float, power: float = 0.0) -> float:
        return float(mean * np.clip(1 + sd * spread * rng.normal(), 0.75, 1.3) * build**power)

    child = age == 0
    return Body(
        leg=vary(0.455 if not child else 0.425, 0.035),
        shoulder=vary(0.094 if female else 0.108, 0.06, 0.4),
        hip=vary(0.048 if female else 0.045, 0.06, 0.5),
        waist=vary(0.078 if female else 0.092, 0.05, 0.9),
        depth=vary(0.062, 0.06, 0.8),
        arm=vary(0.300, 0.05),
        limb=vary(0.0265 if female else 0.030, 0.08, 0.6),
        thigh=vary(0.051 if female else 0.049, 0.07, 0.7),
        head=vary(0.050 if not child else 0.060, 0.05),
        stoop=vary(0.012, 0.5) + (0.03 if age == 3 else 0),
    )


def draw_head(vector: np.ndarray, rng: np.random.Generator) -> Head:
    """Draw hair, hat and glasses."""
    long = bool(vector[a.HAIR])
    styles = LONG_STYLES if long else SHORT_STYLES[: 5 if vector[a.GENDER] else 4]
    style = str(rng.choice(styles))
    return Head(
        style=style,
        hair=draw_hair(int(vector[a.AGE]) == 3, rng),
        volume=float(rng.uniform(0.04, 0.26)),
        end=float({"straight": 0.27, "wavy": 0.26, "shoulder": 0.20, "ponytail": 0.25}.get(style, 0.155) * rng.uniform(0.9, 1.15)),
        fringe=float(rng.uniform(0.20, 0.40)),
        glasses=bool(rng.random() < 0.2),
        hat=str(rng.choice(HATS)) if vector[a.HAT] else None,
        hat_colour=rng.uniform(0.1, 0.9, 3),
    )
