"""The report's Figure 3: distances between queries and gallery, of right pairs and of all."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qafm.companions.par.filters import squared_distances
from qafm.companions.par.query_gallery import choose_queries
from qafm.config.choices import SameCamera
from qafm.config.figures import StyleConfig
from qafm.config.par import SearchConfig
from qafm.errors import InputError
from qafm.evaluation.load_descriptors import DescriptorSide, load_descriptors
from qafm.evaluation.ranking import Matches
from qafm.figures.drawing.distribution import bin_edges, is_constant
from qafm.figures.drawing.heading import add_heading
from qafm.figures.drawing.legend import add_legend
from qafm.figures.drawing.style import ACCENT, GREY, RIGHT, figure_style, new_figure, save_figure
from qafm.figures.plot_nothing import plot_nothing

PANEL_IN, LEGEND_IN = 1.9, 0.8
LEGEND_COLUMNS = 3
NARROWEST = 0.2  # a narrower axis would make a constant look like a distribution
FORM = ".3f"


class Distances(NamedTuple):
    """Distances of the pairs of one arm, float64 [P] and [A]; the right pairs are among all."""

    right: np.ndarray
    all: np.ndarray


def plot_distances(arms: Sequence[tuple[str, str, Path]], images: Path, search: SearchConfig, run: str, style: StyleConfig, paths: Sequence[Path]) -> None:
    """Draw one panel per arm: both distributions, each with the normal curve of its mean and sd. Where nothing can be measured the figure says why.

    Args:
        arms: (arm, what it started from, descriptors.parquet).
        images: images.parquet.
        search: how the validation identities are split into queries and gallery.
        run: what the run is called.
        style: size and bins.
        paths: files to write, one per format; the .rst is the caption.

    Raises:
        InputError: a bad file.
    """
    sides = {f"{arm} (start: {start})": validation_sides(images, path, search) for arm, start, path in arms}
    try:
        found = {name: measure_distances(*queries_and_gallery, search.same_camera) for name, queries_and_gallery in sides.items()}
    except InputError as error:
        plot_nothing(f"Not measured: {error}.", run, style, paths)
        return
    if not any(len(distances.right) for distances in found.values()):
        plot_nothing("No validation identity has two images: there is no right pair whose distance could be drawn.", run, style, paths)
        return
    with figure_style():
        save_figure(draw_distances(found, run, style), caption_distances(found, run), paths)


def validation_sides(images: Path, descriptors: Path, search: SearchConfig) -> tuple[DescriptorSide, DescriptorSide]:
    """Queries and gallery among the validation identities.

    Raises:
        InputError: a bad file, or no validation image in it.
    """
    side = load_descriptors(images, descriptors).holdout
    if side is None:
        raise InputError(f"{descriptors}: no validation image in it")
    is_query = choose_queries(side.labels, search.queries_per_camera, search.seed)
    return side.take(is_query), side.take(~is_query)


def measure_distances(query: DescriptorSide, gallery: DescriptorSide, same_camera: SameCamera) -> Distances:
    """Distances between each query and the gallery; what the protocol removes is left out.

    Raises:
        InputError: an image without a camera where those of the query's camera are dropped.
    """
    matches = Matches(query.labels, gallery.labels, same_camera)
    right, every = [np.empty(0)], [np.empty(0)]
    for i in range(len(query)):
        relevant, removed = matches.of(i)
        lengths = np.sqrt(squared_distances(query.descriptor[i], gallery.descriptor))  # [G]
        right.append(lengths[relevant])
        every.append(np.delete(lengths, removed))
    return Distances(np.concatenate(right), np.concatenate(every))


def draw_distances(arms: Mapping[str, Distances], run: str, style: StyleConfig) -> Figure:
    """The figure, over common bins."""
    figure = new_figure(style, (PANEL_IN * len(arms) + LEGEND_IN) / style.width_in)
    panels = figure.subplots(len(arms), 1, sharex=True, squeeze=False)[:, 0]
    edges = bin_edges(np.concatenate([distances.all for distances in arms.values()]), style.bins, NARROWEST)
    for axes, (name, distances) in zip(panels, arms.items(), strict=True):
        _draw_panel(axes, name, distances, edges)
    panels[-1].set_xlabel("Euclidean distance of the L2-normalised descriptors")
    add_heading(figure, run)
    add_legend(figure, LEGEND_COLUMNS)
    return figure


def _draw_panel(axes: Axes, name: str, distances: Distances, edges: np.ndarray) -> None:
    axes.hist(distances.all, bins=list(edges), density=True, color=GREY, alpha=0.35, label="all pairs")
    axes.hist(distances.right, bins=list(edges), density=True, histtype="step", color=RIGHT, linewidth=1.4, label="right pairs")
    for values, label, color in ((distances.all, "all pairs", GREY), (distances.right, "right pairs", RIGHT)):
        if not is_constant(values):
            x = np.linspace(edges[0], edges[-1], 400)
            normal = np.exp(-0.5 * ((x - values.mean()) / values.std()) ** 2) / (values.std() * np.sqrt(2 * np.pi))
            axes.plot(x, normal, color=color, linestyle="--", linewidth=1.2, label=f"{label}, normal curve")
    axes.axvline(float(distances.all.mean()), color=ACCENT, linestyle=":", linewidth=1.4, label="mean of all pairs")
    axes.set_title(name, fontsize=8)
    axes.set_ylabel("density")


def caption_distances(arms: Mapping[str, Distances], run: str) -> str:
    """What is seen, and the numbers of each arm."""
    told = " ".join(f"{name[0].upper()}{name[1:]}: {_tell(distances)}" for name, distances in arms.items())
    return (
        "Distances between the queries and the gallery of the validation identities, what the report's Figure 3 shows: pairs of one identity, and all pairs, "
        f"each scaled to an area of 1, with the normal curve of the same mean and sd. Run: {run}. Dotted: the mean of all pairs; the report's distance filter "
        f"keeps what is closer than such a mean, taken for each query alone. {told}"
    )


def _tell(distances: Distances) -> str:
    right, every = distances
    pooled = np.sqrt((right.var() + every.var()) / 2)
    apart = f"; the means are {(every.mean() - right.mean()) / pooled:.2f} pooled sd apart" if pooled > 0 else ""
    closer = 100 * float(np.mean(right < every.mean()))
    return (
        f"right pairs n = {len(right):,}, mean {right.mean():{FORM}}, sd {right.std():{FORM}}; all pairs n = {len(every):,}, mean {every.mean():{FORM}}, "
        f"sd {every.std():{FORM}}{apart}; {closer:.1f} % of the right pairs are closer than the mean of all."
    )
