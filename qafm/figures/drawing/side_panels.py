"""The frame that Figures 5 to 7 share: queries, as in the paper, above the gallery, whose images are weighted too."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.distribution import describe_briefly
from qafm.figures.drawing.heading import add_heading
from qafm.figures.drawing.style import GALLERY, QUERY, new_figure
from qafm.figures.weights_table import Weights

LOWEST_IN = 3.4  # height in inches below which the text of two panels would overlap


class Panel(NamedTuple):
    """One side and where it is drawn."""

    name: str
    side: Weights
    axes: Axes
    color: str


def side_panels(sides: Mapping[str, Weights], style: StyleConfig, aspect: float, run: str, *, sharey: bool = False) -> tuple[Figure, list[Panel]]:
    """An empty figure with one panel per side, one above the other, on one x axis; `run` is its heading."""
    figure = new_figure(style, max(aspect, LOWEST_IN / style.width_in))
    subplots = figure.subplots(len(sides), 1, sharex=True, sharey=sharey)
    add_heading(figure, run)
    colors = (QUERY, GALLERY)
    return figure, [Panel(name, side, axes, color) for (name, side), axes, color in zip(sides.items(), subplots, colors, strict=True)]


def histogram(panel: Panel, values: np.ndarray, edges: np.ndarray, form: str) -> None:
    """Draw how often each of `values` [N] occurs; mean, median and sd stand above the panel."""
    panel.axes.hist(values, bins=list(edges), color=panel.color, histtype="stepfilled", edgecolor=panel.color, linewidth=0.5)
    panel.axes.set_title(f"{panel.name} ({len(values):,}): {describe_briefly(values, form)}", fontsize=8)
    panel.axes.set_ylabel("images")
    panel.axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))


def describe_sides(sides: Mapping[str, Weights], tell: Callable[[Weights], str]) -> str:
    """A sentence per side, what `tell` says of it, and one on the images that have no Q."""
    sentences = [f"{name.capitalize()}: {tell(side)}." for name, side in sides.items()]
    missing = [f"{side.without_q:,} of the {name}" for name, side in sides.items() if side.without_q]
    if missing:
        sentences.append(f"Images left out because they have no Q: {' and '.join(missing)}.")
    return " ".join(sentences)
