"""What the figure of the training curves shows where: which columns of a history share a panel, and how each line looks."""

from collections.abc import Iterable
from typing import NamedTuple

from qafm.figures.drawing.style import ACCENT, ATTRIBUTE, GREY, QUERY, VISUAL


class Kind(NamedTuple):
    """What a panel measures."""

    title: str
    unit: str
    weight: bool = False  # a statistic of the learned weight, not a loss of the images
    limits: tuple[float, float] | None = None


class Look(NamedTuple):
    """Name and style of a line; no two differ in colour alone."""

    label: str
    color: str
    line: str


IDENTITY = Kind("identity", "nats")
TRIPLET = Kind("triplet", "distance")
ATTRIBUTES = Kind("attributes", "nats")
WEIGHT_LOSS = Kind("loss of w", "nats", weight=True)
WEIGHT_SPREAD = Kind("mean and sd of w", "weight", weight=True, limits=(0, 1))
WEIGHT_R = Kind("r of w and Q", "Pearson's r", weight=True, limits=(-1, 1))

_APN, _APAN = Look("APN", VISUAL, "-"), Look("APAN", ATTRIBUTE, "--")
_STRIPES, _FUSED = Look("APN's stripes", GREY, ":"), Look("fused", "black", "-.")
_WEIGHT, _WEIGHT_SD = Look("w", ACCENT, "-"), Look("sd of w", ACCENT, ":")
_TARGET, _TARGET_SD = Look("target of w", QUERY, "--"), Look("sd of target", QUERY, "-.")
_WHOLE = Look("whole network", "black", "-")
_COLUMNS = {
    "identity": (IDENTITY, _WHOLE),
    "triplet": (TRIPLET, _WHOLE),
    "apn_identity": (IDENTITY, _APN),
    "apn_stripes": (IDENTITY, _STRIPES),
    "apan_identity": (IDENTITY, _APAN),
    "global_identity": (IDENTITY, _FUSED),
    "apn_triplet": (TRIPLET, _APN),
    "apan_triplet": (TRIPLET, _APAN),
    "global_triplet": (TRIPLET, _FUSED),
    "attributes": (ATTRIBUTES, _APAN),
    "apan_attributes": (ATTRIBUTES, _APAN),
    "alpha": (WEIGHT_LOSS, _WEIGHT),
    "weight_mean": (WEIGHT_SPREAD, _WEIGHT),
    "target_mean": (WEIGHT_SPREAD, _TARGET),
    "weight_sd": (WEIGHT_SPREAD, _WEIGHT_SD),
    "target_sd": (WEIGHT_SPREAD, _TARGET_SD),
    "weight_q_r": (WEIGHT_R, _WEIGHT),
    "target_q_r": (WEIGHT_R, _TARGET),
}
_ORDER = (IDENTITY, TRIPLET, ATTRIBUTES)


def panels_of(columns: Iterable[str]) -> list[dict[str, Look]]:
    """Group a history's columns into panels, in the order they are drawn: losses, unknown columns one by one, the weight."""
    groups: dict[Kind, dict[str, Look]] = {}
    for column in columns:
        groups.setdefault(kind_of(column), {})[column] = look_of(column)
    return [groups[kind] for kind in sorted(groups, key=lambda kind: (kind.weight, _ORDER.index(kind) if kind in _ORDER else len(_ORDER)))]


def kind_of(column: str) -> Kind:
    """What `column` measures; a column that nobody knows is a kind of its own."""
    return _COLUMNS[column][0] if column in _COLUMNS else Kind(column, "value")


def look_of(column: str) -> Look:
    """How `column` is drawn; an unknown one has its name in the panel's title and none in the legend."""
    return _COLUMNS[column][1] if column in _COLUMNS else Look("", "black", "-")
