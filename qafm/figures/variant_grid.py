"""Where the small pictures of an image's variants stand in Figure 3: family by family, from left to right, row by row.

Units are inches from the top left corner of the grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from qafm.config.perturb import PerturbConfig
from qafm.figures.drawing.block_diagram import Line, widest
from qafm.perturbations.catalog import Perturbation, catalog

BETWEEN, GROUP_GAP, FAMILY_GAP = 0.02, 0.09, 0.22  # pictures, groups of a family, families
TITLE, LABEL, ROW_GAP = 0.17, 0.16, 0.07  # heights above and below a row's pictures, and between rows
SIZES = tuple(0.70 - 0.01 * i for i in range(61))  # longer sides of a picture, the largest first
USUAL = 0.48  # the longer side that decides how many rows there are, where groups of that size fit
WHAT = {"light": "V offset", "blur": "σ, px", "occlusion": "share of side", "background": "oval"}  # what a label says, where it is no name
NOISES = {"noise_gaussian": "Gauss", "noise_salt_pepper": "S & P", "noise_speckle": "speckle"}


@dataclass(frozen=True)
class Written:
    """A text: the left end of a title, the middle of a label."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Shown:
    """A picture: the variant's number and its left and top."""

    variant: int
    left: float
    top: float


@dataclass(frozen=True)
class VariantGrid:
    """Everything in its place."""

    picture: tuple[float, float]  # width, height
    height: float
    pictures: list[Shown]
    titles: list[Written]
    labels: list[Written]


@dataclass(frozen=True)
class _Group:
    """Variants of one family and one strength, which share a label."""

    label: str
    variants: tuple[int, ...]


def arrange_variants(config: PerturbConfig, aspect: float, width: float) -> VariantGrid:
    """Lay out all variants, as large as the usual number of rows allows. A family that needs several rows has them for itself.

    Args:
        config: stage 2.
        aspect: width / height of the image.
        width: of the grid, inches.
    """
    families = {name: _groups(list(entries)) for name, entries in groupby(enumerate(catalog(config), 1), key=lambda entry: entry[1].family)}
    pictures = [(size * min(1, aspect), size * min(1, 1 / aspect)) for size in SIZES]
    largest = max((group for groups in families.values() for group in groups), key=lambda group: len(group.variants))
    fitting = [picture for picture in pictures if _pictures(largest, picture) <= width] or pictures[-1:]
    usual = next((picture for picture in fitting if max(picture) <= USUAL), fitting[-1])
    rows = _rows(_arrange(families, usual, width))
    return next(grid for picture in fitting if _rows(grid := _arrange(families, picture, width)) <= rows)


def _groups(entries: Sequence[tuple[int, Perturbation]]) -> list[_Group]:
    return [_Group(label, tuple(variant for variant, _ in group)) for label, group in groupby(entries, key=lambda entry: _label(entry[1]))]


def _label(perturbation: Perturbation) -> str:
    strength = perturbation.parameter
    if perturbation.family == "light":
        return f"{strength:+g}".replace("-", "−")
    if perturbation.family == "occlusion":
        return f"{100 * strength:g} %"
    if perturbation.family == "background":
        return f"×{strength:g}"
    return NOISES.get(perturbation.name.rsplit("_", 1)[0], f"{strength:g}")


def _title(family: str, groups: Sequence[_Group]) -> str:
    count = sum(len(group.variants) for group in groups)
    return f"{family}: {count}" + (f" ({WHAT[family]})" if family in WHAT else "")


def _rows(grid: VariantGrid) -> int:
    return len({shown.top for shown in grid.pictures})


def _arrange(families: dict[str, list[_Group]], picture: tuple[float, float], width: float) -> VariantGrid:
    x, top = 0.0, TITLE  # of the next picture
    down = picture[1] + LABEL + ROW_GAP
    wrapped = False
    pictures, titles, labels = [], [], []
    for family, groups in families.items():
        title = _title(family, groups)
        widths = [max(_pictures(group, picture), widest([Line(group.label)])) for group in groups]
        whole = max(sum(widths) + GROUP_GAP * (len(groups) - 1), widest([Line(title, "name")]))
        if x and (wrapped or x + whole > width):
            x, top = 0.0, top + down + TITLE
        titles.append(Written(x, top - TITLE / 2, title))
        end, wrapped = x + whole, False
        for group, wide in zip(groups, widths, strict=True):
            if x and x + wide > width:
                x, end, top, wrapped = 0.0, 0.0, top + down, True
            left = x + (wide - _pictures(group, picture)) / 2
            pictures += [Shown(variant, left + i * (picture[0] + BETWEEN), top) for i, variant in enumerate(group.variants)]
            labels.append(Written(x + wide / 2, top + picture[1] + LABEL / 2, group.label))
            x += wide + GROUP_GAP
        x = max(x - GROUP_GAP, end) + FAMILY_GAP
    return VariantGrid(picture, top + down - ROW_GAP, pictures, titles, labels)


def _pictures(group: _Group, picture: tuple[float, float]) -> float:
    """Width of a group's pictures side by side."""
    return len(group.variants) * (picture[0] + BETWEEN) - BETWEEN
