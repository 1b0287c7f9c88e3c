"""Clothes: the cut, the exact shade and the pattern of each garment."""

from dataclasses import dataclass

import numpy as np

from qafm.config.synthetic import SyntheticConfig
from qafm.datasets.synthetic import attributes as a
from qafm.datasets.synthetic.palette import draw_shade, lab_to_rgb
from qafm.datasets.synthetic.patterns import Pattern
from qafm.tables.attributes import ATTRIBUTES

UPPER_NAMES, LOWER_NAMES = ATTRIBUTES[a.UP_COLOR].classes, ATTRIBUTES[a.DOWN_COLOR].classes
UPPER_KINDS = {
    "plain": 14,
    "hoops": 14,
    "pinstripes": 7,
    "checks": 9,
    "dots": 6,
    "disc": 7,
    "ring": 5,
    "square": 7,
    "letters": 8,
    "band": 8,
    "yoke": 6,
    "hem": 4,
    "sash": 4,
}
SEVERAL_KINDS = {"hoops": 4, "checks": 3, "half": 2, "yoke": 3, "hem": 2, "pinstripes": 2}  # of a garment without one main colour
TROUSER_KINDS = {"plain": 10, "seam": 5, "hem": 2, "fade": 4, "patch": 3, "checks": 2}
SKIRT_KINDS = {"plain": 6, "hoops": 2, "checks": 3, "dots": 3, "hem": 3, "pinstripes": 2}
NECKLINES = ("round", "vee", "polo", "hood", "wide")
SHOE_KINDS = ("trainer", "plain", "boot", "sandal", "pump")


@dataclass(frozen=True)
class Garment:
    """An upper or lower garment."""

    main: np.ndarray  # sRGB [3], the named colour
    second: np.ndarray  # sRGB [3], of the pattern
    trim: np.ndarray  # sRGB [3], collar, sleeve ends, hem
    pattern: Pattern
    length: float  # sleeve: share of the arm; trousers, skirt: share of the leg
    loose: float  # ease of the cut, 1 is close-fitting
    style: str  # neckline, or "trousers", "skirt"
    end: float  # upper: height of the hem above the soles; lower: flare of a skirt
    second_sleeves: bool  # sleeves in the second colour
    folds: float  # phase of the creases


@dataclass(frozen=True)
class Shoes:
    """Shoes or boots."""

    colour: np.ndarray  # sRGB [3]
    sole: np.ndarray  # sRGB [3]
    socks: np.ndarray  # sRGB [3]
    kind: str
    sock: float  # height of the sock above the ankle, body heights


def draw_upper(vector: np.ndarray, config: SyntheticConfig, rng: np.random.Generator) -> Garment:
    """Draw the upper garment: colour by the vector, everything else free."""
    main, second, several = _colours(int(vector[a.UP_COLOR]), UPPER_NAMES, config, rng)
    kinds = UPPER_KINDS if not several else SEVERAL_KINDS
    if not vector[a.UP]:
        kinds = kinds | {"open": 25}
    short = bool(vector[a.UP])
    return Garment(
        main=main,
        second=second,
        trim=second if rng.random() < 0.35 else main * rng.uniform(0.75, 0.95),
        pattern=_pattern(kinds, several, rng, along=rng.uniform(0.06, 0.20)),
        length=float(rng.uniform(0.20, 0.46) if short else rng.uniform(0.93, 1.0)),
        loose=float(1 + np.clip(0.12 + 0.10 * config.shape * rng.normal(), 0, 0.4)),
        style=str(rng.choice(NECKLINES)),
        end=float(0.475 + np.clip(0.03 * config.shape * rng.normal(), -0.06, 0.05)),
        second_sleeves=bool(rng.random() < 0.14 * bool(config.texture)) and not several,
        folds=float(rng.uniform(0, 2 * np.pi)),
    )


def draw_lower(vector: np.ndarray, upper: Garment, config: SyntheticConfig, rng: np.random.Generator) -> Garment:
    """Draw trousers or a skirt; a skirt of the upper garment's colour makes a dress of one piece."""
    skirt, short = not vector[a.CLOTHES], bool(vector[a.DOWN])
    main, second, several = _colours(int(vector[a.DOWN_COLOR]), LOWER_NAMES, config, rng)
    names = UPPER_NAMES[vector[a.UP_COLOR]], LOWER_NAMES[vector[a.DOWN_COLOR]]
    pattern = _pattern(
        SKIRT_KINDS if skirt else TROUSER_KINDS if not several else {"hem": 1, "checks": 1, "hoops": 1}, several, rng, along=rng.uniform(0.08, 0.2)
    )
    whole = skirt and names[0] == names[1] and min(vector[a.UP_COLOR], vector[a.DOWN_COLOR]) >= 0 and rng.random() < 0.7
    length = rng.uniform(0.30, 0.60) if short else rng.uniform(0.86, 1.0)
    return Garment(
        main=upper.main if whole else main,
        second=upper.second if whole else second,
        trim=second if rng.random() < 0.3 else main * rng.uniform(0.7, 0.9),
        pattern=upper.pattern if whole and upper.pattern.kind in SKIRT_KINDS else pattern,
        length=float(length),
        loose=float(1 + np.clip(0.15 + 0.14 * config.shape * rng.normal(), 0.0, 0.6)),
        style="skirt" if skirt else "trousers",
        end=float(rng.uniform(1.05, 1.9)),
        second_sleeves=False,
        folds=float(rng.uniform(0, 2 * np.pi)),
    )


def draw_shoes(rng: np.random.Generator) -> Shoes:
    """Draw shoes: they are no attribute of Market-1501, and a help to tell twins apart."""
    colours = ((14, 0, 0), (92, 0, 2), (45, 50, 32), (40, 5, -40), (38, 14, 24), (60, 0, 0), (70, 25, 5), (75, 5, 60))
    colour = lab_to_rgb(np.asarray(colours[rng.choice(len(colours), p=(0.26, 0.26, 0.1, 0.1, 0.12, 0.08, 0.04, 0.04))]) + rng.normal(size=3) * 3)
    sole = lab_to_rgb(np.asarray((93, 0, 2) if rng.random() < 0.6 else (20, 0, 0)))
    socks = lab_to_rgb(np.asarray((92, 0, 0) if rng.random() < 0.6 else (22, 0, 0)))
    return Shoes(colour, sole, socks, str(rng.choice(SHOE_KINDS, p=(0.46, 0.2, 0.1, 0.14, 0.1))), float(max(0.0, rng.uniform(-0.03, 0.09))))


def _colours(code: int, names: tuple[str, ...], config: SyntheticConfig, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, bool]:
    """Main colour, second colour, and whether the garment has no main colour."""
    several = code == a.UNKNOWN
    name = names[code] if not several else str(rng.choice([n for n in names if n not in ("black", "white")]))
    main = draw_shade(name, names, config.shade_spread, rng)
    other = str(rng.choice([n for n in names if n != name]))
    draws = draw_shade(other, names, config.shade_spread, rng), rng.random(), rng.uniform(18, 32)
    if several:
        return lab_to_rgb(main), lab_to_rgb(draws[0]), True
    if draws[1] < 0.7:  # another shade of the same colour, lighter or darker: a histogram sees little of it
        second = main * (1, 0.8, 0.8) + np.array([draws[2] if main[0] < 55 else -draws[2], 0, 0])
    elif draws[1] < 0.9:
        second = np.array([93.0, 0, 1]) if main[0] < 65 else np.array([20.0, 0, -2])
    else:
        second = draws[0]
    second = main + config.texture * (second - main)
    return lab_to_rgb(main), lab_to_rgb(second), False


def _pattern(kinds: dict[str, int], several: bool, rng: np.random.Generator, along: float) -> Pattern:
    shares = np.array(list(kinds.values()), float)
    kind = str(rng.choice(list(kinds), p=shares / shares.sum()))
    return Pattern(
        kind=kind,
        period=float(rng.uniform(0.045, 0.11)) if not several else float(rng.uniform(0.06, 0.14)),
        duty=0.5 if several else float(rng.uniform(0.25, 0.45)),
        around=float(rng.choice([-0.045, 0.0, 0.045])) * (kind in ("disc", "ring", "square")),
        along=float(along),
        size=float(rng.uniform(0.022, 0.055)),
    )
