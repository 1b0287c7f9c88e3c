"""Figure 5: the distribution of Q, for queries as in the paper and for the gallery, whose images are weighted too."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.distribution import Q_FORM, bin_edges, describe, is_constant
from qafm.figures.drawing.legend import add_legend
from qafm.figures.drawing.side_panels import describe_sides, histogram, side_panels
from qafm.figures.drawing.style import figure_style, save_figure
from qafm.figures.weights_table import Weights, read_weights

NARROWEST = 0.05  # of the largest Q: a narrower axis would make a constant look like a distribution


def plot_q(embeddings: Path, run: str, style: StyleConfig, paths: Sequence[Path], *, computed: bool, market1501: bool) -> None:
    """Draw the histogram of Q with its mean and median.

    Args:
        embeddings: embeddings.parquet of one seed.
        run: what the run is called, for example "synthetic, r10, small, seed 1".
        style: size and bins.
        paths: files to write, one per format; the .rst is the caption.
        computed: whether Q is this run's own; else it was read from a file.
        market1501: whether the run is on Market-1501, so that the published numbers may stand in the caption.

    Raises:
        InputError: queries or gallery have no Q.
    """
    sides = read_weights(embeddings)
    with figure_style():
        save_figure(draw_q(sides, run, style), caption_q(sides, run, computed=computed, market1501=market1501), paths)


def draw_q(sides: Mapping[str, Weights], run: str, style: StyleConfig) -> Figure:
    """The figure: one histogram per side over common bins."""
    figure, panels = side_panels(sides, style, 0.62, run)
    values = np.concatenate([side.q for side in sides.values()])
    edges = bin_edges(values, style.bins, NARROWEST * float(np.abs(values).max()) or NARROWEST)
    for panel in panels:
        q = panel.side.q
        histogram(panel, q, edges, Q_FORM)
        if is_constant(q):
            continue
        panel.axes.axvline(q.mean(), color="black", label="mean")
        panel.axes.axvline(float(np.median(q)), color="black", linestyle="--", label="median")
    panels[-1].axes.set_xlabel("Q(I), lower = more stable")
    add_legend(figure)
    return figure


def caption_q(sides: Mapping[str, Weights], run: str, *, computed: bool, market1501: bool) -> str:
    """What is seen, the numbers, and the paper's on Market-1501."""
    paper = " Paper, Figure 5 (queries of Market-1501): mean 11.13, median 11.14, range 9.1 to 13.1." if market1501 else ""
    q = "the mean distance among the features of an image and its perturbed variants (Eq. 1)" if computed else "computed elsewhere and read from a file"
    return (
        f"Distribution of Q(I), {q}: the lower, the more stable. Run: {run}. "
        "Above the queries, as in the paper's Figure 5; below the gallery, whose images are weighted by their Q too. "
        f"Solid line: mean; dashed line: median. {describe_sides(sides, lambda side: describe(side.q, Q_FORM))}{paper}"
    )
