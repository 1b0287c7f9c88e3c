"""Figure 6: the distribution of the weight, beside the fixed 0.5 of the MSPA baseline."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.distribution import ALPHA_FORM, bin_edges, describe, is_constant
from qafm.figures.drawing.legend import add_legend
from qafm.figures.drawing.side_panels import describe_sides, histogram, side_panels
from qafm.figures.drawing.style import ACCENT, figure_style, save_figure
from qafm.figures.drawing.visual_axis import ALPHA_LABEL, add_visual_axis
from qafm.figures.weights_table import Weights, read_weights

NARROWEST = 0.02  # a narrower axis would make a constant look like a distribution
MSPA_ALPHA = 0.5


def plot_alpha(embeddings: Path, run: str, style: StyleConfig, paths: Sequence[Path], *, market1501: bool) -> None:
    """Draw the histogram of paper_alpha, the weight of APAN; the visual weight stands on a second axis.

    Args:
        embeddings: embeddings.parquet of one seed.
        run: what the run is called.
        style: size and bins.
        paths: files to write, one per format; the .rst is the caption.
        market1501: whether the run is on Market-1501, so that the published numbers may stand in the caption.

    Raises:
        InputError: queries or gallery have no Q.
    """
    sides = read_weights(embeddings)
    with figure_style():
        save_figure(draw_alpha(sides, run, style), caption_alpha(sides, run, market1501=market1501), paths)


def draw_alpha(sides: Mapping[str, Weights], run: str, style: StyleConfig) -> Figure:
    """The figure: one histogram per side over common bins."""
    figure, panels = side_panels(sides, style, 0.68, run)
    edges = bin_edges(np.concatenate([side.paper_alpha for side in sides.values()]), style.bins, NARROWEST)
    for panel in panels:
        alpha = panel.side.paper_alpha
        histogram(panel, alpha, edges, ALPHA_FORM)
        if not is_constant(alpha):
            panel.axes.axvline(alpha.mean(), color="black", label="mean")
        panel.axes.axvline(MSPA_ALPHA, color=ACCENT, linestyle="--", label=f"fixed {MSPA_ALPHA} of the MSPA baseline")
    panels[-1].axes.set_xlabel(ALPHA_LABEL)
    add_visual_axis(panels[0].axes, "top")
    add_legend(figure)
    return figure


def caption_alpha(sides: Mapping[str, Weights], run: str, *, market1501: bool) -> str:
    """What is seen, the numbers, and the paper's on Market-1501."""
    constant = " The weight is the same for every image." if is_constant(np.concatenate([side.paper_alpha for side in sides.values()])) else ""
    paper = " Paper, Figure 6 (queries of Market-1501): mean 0.375, range 0.3575 to 0.379." if market1501 else ""
    return (
        "Distribution of alpha, the weight of the attribute branch APAN as the paper prints it; the visual weight of APN is w = 1 - alpha (axis on top). "
        f"Run: {run}. Above the queries, as in the paper's Figure 6; below the gallery, whose images have weights of their own. "
        f"Solid line: mean; dashed line: the fixed {MSPA_ALPHA} of the MSPA baseline. "
        f"{describe_sides(sides, lambda side: describe(side.paper_alpha, ALPHA_FORM))}{constant}{paper}"
    )
