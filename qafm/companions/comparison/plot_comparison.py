"""The figure of comparison.csv: mAP of every system in both recipes, and mAP against what a descriptor costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from qafm.companions.comparison.compared_rows import ComparedFiles, Counts, read_compared, read_counts
from qafm.config.ablation import AblationConfig
from qafm.config.figures import StyleConfig
from qafm.evaluation.ablation_rows import Artifacts, per_query
from qafm.evaluation.bootstrap import identity_interval
from qafm.figures.drawing.heading import add_heading
from qafm.figures.drawing.legend import add_legend
from qafm.figures.drawing.style import ACCENT, GREY, QUERY, figure_style, new_figure, save_figure
from qafm.figures.drawing.style import GALLERY as ORANGE
from qafm.figures.plot_nothing import plot_nothing
from qafm.tables.table4 import STANDARD

NAMES = {
    "best_fixed": "best fixed weight",
    "apn_descriptor": "APN of QAFM",
    "apan_descriptor": "APAN of QAFM",
    "baseline": "baseline (BoT)",
    "baseline_twins": "two baselines",
    "siamese": "siamese",
}
REFERENCE, BOTH = "QAFM", "both"
LOOKS = {  # recipe: (label, colour, marker)
    "own": ("own recipe", QUERY, "o"),
    "common": ("common recipe", ORANGE, "s"),
    BOTH: ("own recipe is the common one", ACCENT, "D"),
}
ROW_IN, REST_IN = 0.27, 1.5  # inches per system; what stands above and below the panels
WIDE_IN = 5.0  # narrower figures have the panels one above the other
BESIDE = 0.17  # by how much a system's two recipes stand apart, rows
CLOSE = 0.12  # decades of FLOPs within which labels could overlap
APART = 0.045  # of the axis' height: least distance of two labels


class Point(NamedTuple):
    """A system in one recipe, or in both where they are one."""

    number: int  # of the system, from 1
    name: str
    recipe: str
    mean: float  # mAP, percent
    low: float
    high: float
    mflops: float


def plot_comparison(files: Sequence[ComparedFiles], counts: Path, run: str, config: AblationConfig, style: StyleConfig, paths: Sequence[Path]) -> None:
    """Draw mAP with 95 percent intervals over identities by system, and mAP against the FLOPs of a descriptor.

    Args:
        files: the systems, in the order of the figure.
        counts: of `describe_compared`.
        run: what the run is called.
        config: number of draws and seed of the bootstrap.
        style: size.
        paths: files to write, one per format; the .rst is the caption.

    Raises:
        InputError: an artifact is missing or broken.
    """
    points = find_points(files, read_compared(files), read_counts(counts, [each.system for each in files]), config)
    if not points:
        plot_nothing("No system was measured on the standard gallery.", run, style, paths)
        return
    with figure_style():
        save_figure(draw_comparison(points, run, style), caption_comparison(points, run, config.bootstrap_samples), paths)


def find_points(files: Sequence[ComparedFiles], artifacts: Mapping[str, Artifacts], counts: Mapping[str, Counts], config: AblationConfig) -> list[Point]:
    """What is drawn; a system that was not measured on the standard gallery is left out."""
    measured = [each.system for each in files if artifacts[each.system.key].of_gallery(STANDARD)]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(system.system for system in measured), start=1)}
    points = []
    for system in measured:
        found = per_query(artifacts[system.key], STANDARD)
        assert found is not None  # it was measured
        _, pid, ap = found
        low, high = identity_interval(100 * ap, pid, samples=config.bootstrap_samples, seed=config.seed)
        recipe = BOTH if len(system.recipes) > 1 else next(iter(system.recipes))
        name = NAMES.get(system.system, system.system)
        points.append(Point(numbers[system.system], name, recipe, 100 * float(ap.mean()), low, high, counts[system.key].flops / 1e6))
    return points


def draw_comparison(points: Sequence[Point], run: str, style: StyleConfig) -> Figure:
    """The figure: one row per system, and a number for each in the second panel."""
    systems = max(point.number for point in points)
    beside = style.width_in >= WIDE_IN
    height = (ROW_IN * systems + REST_IN) * (1 if beside else 2)
    figure = new_figure(style, height / style.width_in)
    panels = figure.subplots(1, 2, width_ratios=(1.1, 1)) if beside else figure.subplots(2, 1)
    rows, scatter = panels
    _draw_rows(rows, points)
    _draw_costs(scatter, points, rows.get_xlim())
    add_heading(figure, run)
    add_legend(figure, 2)
    return figure


def _draw_rows(axes: Axes, points: Sequence[Point]) -> None:
    paired = {point.number for point in points if point.recipe == "own"} & {point.number for point in points if point.recipe == "common"}
    for point in points:
        label, color, marker = LOOKS[point.recipe]
        shift = {"own": -BESIDE, "common": BESIDE}.get(point.recipe, 0.0) if point.number in paired else 0.0
        place = point.number + shift
        axes.hlines(place, point.low, point.high, color=color, linewidth=1.2)
        axes.plot([point.mean], [place], color=color, marker=marker, markersize=5, linestyle="", label=label)
    for point in points:
        if point.name == REFERENCE:
            axes.axvline(point.mean, color=GREY, linewidth=0.8, linestyle=":", label=f"{REFERENCE}'s mAP")
    named = {point.number: point.name for point in points}
    axes.set_yticks(list(named), [f"{number}  {name}" for number, name in named.items()], fontsize=8)
    axes.set_ylim(max(named) + 0.6, 0.4)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("mAP (%), 95 % interval")


def _draw_costs(axes: Axes, points: Sequence[Point], limits: tuple[float, float]) -> None:
    axes.set_xscale("log")
    axes.set_ylim(*limits)
    for point in points:
        _, color, marker = LOOKS[point.recipe]
        axes.plot([point.mflops], [point.mean], color=color, marker=marker, markersize=4, linestyle="")
    low, high = min(point.mflops for point in points), max(point.mflops for point in points)
    axes.set_xlim(low / 1.6, high * 2.2)
    for point, place in zip(points, label_places(points, APART * (limits[1] - limits[0])), strict=True):
        axes.annotate(
            str(point.number),
            (point.mflops, point.mean),
            (point.mflops * 1.22, place),
            fontsize=7,
            va="center",
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2},
        )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:,.0f}"))
    axes.set_xlabel("MFLOPs per image")
    axes.set_ylabel("mAP (%)")


def label_places(points: Sequence[Point], apart: float) -> list[float]:
    """Height of each point's label: its own mAP, moved just so far that labels of about equal FLOPs are `apart` at least."""
    places = [point.mean for point in points]
    order = sorted(range(len(points)), key=lambda i: (points[i].mflops, i))
    groups: list[list[int]] = []
    for i in order:
        if groups and np.log10(points[i].mflops / points[groups[-1][0]].mflops) <= CLOSE:
            groups[-1].append(i)
        else:
            groups.append([i])
    for group in groups:
        ascending = sorted(group, key=lambda i: (points[i].mean, i))
        for members, middle in _blocks([points[i].mean for i in ascending], apart):
            for k, member in enumerate(members):
                places[ascending[member]] = middle + apart * (k - (len(members) - 1) / 2)
    return places


def _blocks(values: Sequence[float], apart: float) -> list[tuple[list[int], float]]:
    """Neighbours among ascending `values` that must share their room, each block with its middle, the mean of its values."""
    blocks: list[list[int]] = []
    for i in range(len(values)):
        blocks.append([i])
        while len(blocks) > 1:
            middles = [float(np.mean([values[k] for k in block])) for block in blocks[-2:]]
            if middles[1] - middles[0] >= apart * (len(blocks[-1]) + len(blocks[-2])) / 2:
                break
            last = blocks.pop()
            blocks[-1] += last
    return [(block, float(np.mean([values[k] for k in block]))) for block in blocks]


COMMON_RECIPE = (
    "Common recipe: input size, backbone, first weights, batches, augmentation, optimiser and epochs of the Bag-of-Tricks baseline for all; "
    "QAFM and its branches have the epochs of their stages. "
)


def caption_comparison(points: Sequence[Point], run: str, samples: int) -> str:
    """What is seen, and all numbers by recipe."""
    told = []
    for recipe, (label, _, _) in LOOKS.items():
        found = [point for point in points if point.recipe == recipe]
        if found:
            values = ", ".join(f"{point.name} {point.mean:.2f} [{point.low:.2f}, {point.high:.2f}] at {point.mflops:,.0f} MFLOPs" for point in found)
            told.append(f"{label[0].upper()}{label[1:]}: {values}.")
    common = COMMON_RECIPE if any(point.recipe != "own" for point in points) else ""
    return (
        f"Systems on one protocol, the standard gallery of {run}. Left: mAP, means over seeds, with 95 percent intervals over identities ({samples:,} draws). "
        "Dotted: QAFM's mAP. Right: the same against the floating-point operations of one image's descriptor (a multiplication and an addition are two), "
        f"numbers as on the left; QAFM's include the forward passes behind Q where a new image's Q is computed, not read from a file. {common}{' '.join(told)}"
    )
