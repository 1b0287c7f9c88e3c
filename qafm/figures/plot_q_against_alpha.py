"""Figure 7: Q against the weight, with the linear fit, r, Spearman's rho and the curve itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from qafm.config.figures import StyleConfig
from qafm.evaluation.bootstrap import spearman
from qafm.figures.drawing.distribution import ALPHA_FORM, Q_FORM, bin_edges, describe, is_constant
from qafm.figures.drawing.legend import add_legend
from qafm.figures.drawing.side_panels import Panel, describe_sides, side_panels
from qafm.figures.drawing.style import ACCENT, GREY, figure_style, save_figure
from qafm.figures.drawing.visual_axis import add_visual_axis
from qafm.figures.weights_table import Weights, read_weights

NARROWEST_ALPHA = 0.02  # a narrower axis would make a constant look like a dependence
NARROWEST_Q = 0.05  # of the largest Q
ROUNDING = 1e-9  # a fit that rises by less over all images is level
_OUTLINE = [effects.withStroke(linewidth=2.5, foreground="white")]  # lines stay visible on dark bins


class Dependence(NamedTuple):
    """How alpha depends on Q, as far as three numbers can tell."""

    r: float
    rho: float  # Spearman's, ties averaged
    slope: float
    intercept: float

    def __str__(self) -> str:
        return f"r = {self.r:.3f}, Spearman's rho = {self.rho:.3f}"

    @property
    def fit(self) -> str:
        """The linear fit as an equation."""
        return f"alpha = {self.slope:.3g} Q {'-' if self.intercept < 0 else '+'} {abs(self.intercept):.4g}"


def dependence(side: Weights) -> Dependence | None:
    """Correlations of Q with paper_alpha and the linear fit; None where one of them is constant."""
    if is_constant(side.q) or is_constant(side.paper_alpha):
        return None
    r = np.corrcoef(side.q, side.paper_alpha)[0, 1]
    rho = spearman(side.q, side.paper_alpha)
    assert rho is not None  # neither is constant
    slope, intercept = np.polyfit(side.q, side.paper_alpha, 1)
    level = abs(slope) * np.ptp(side.q) < ROUNDING
    return Dependence(float(r), rho, 0.0 if level else float(slope), float(intercept))


def plot_q_against_alpha(embeddings: Path, run: str, style: StyleConfig, paths: Sequence[Path], *, market1501: bool) -> None:
    """Draw Q against paper_alpha as hexagonal bins; since alpha is a function of Q alone, the line through all images is that function.

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
        save_figure(draw_q_against_alpha(sides, run, style), caption_q_against_alpha(sides, run, market1501=market1501), paths)


def draw_q_against_alpha(sides: Mapping[str, Weights], run: str, style: StyleConfig) -> Figure:
    """The figure: both sides over common axes."""
    figure, panels = side_panels(sides, style, 0.9, run, sharey=True)
    q = np.concatenate([side.q for side in sides.values()])
    alpha = np.concatenate([side.paper_alpha for side in sides.values()])
    (left, right), (low, high) = bin_edges(q, 1, NARROWEST_Q * float(np.abs(q).max()) or NARROWEST_Q), bin_edges(alpha, 1, NARROWEST_ALPHA)
    for panel in panels:
        _draw_side(figure, panel, (left, right, low, high), max(10, style.bins // 2))
    panels[-1].axes.set_xlabel("Q(I), lower = more stable")
    add_legend(figure)
    return figure


def _draw_side(figure: Figure, panel: Panel, extent: tuple[float, float, float, float], bins: int) -> None:
    name, side, axes, _ = panel
    grid = (bins, max(4, bins // 3))
    drawn = axes.hexbin(side.q, side.paper_alpha, gridsize=grid, extent=extent, mincnt=1, vmin=1, cmap="cividis_r", linewidths=0.3, edgecolors=GREY)
    order = np.argsort(side.q)
    axes.plot(side.q[order], side.paper_alpha[order], color="black", linewidth=1, label="alpha(Q)", path_effects=_OUTLINE)
    found = dependence(side)
    if found is not None:
        ends = np.array([side.q.min(), side.q.max()])
        axes.plot(ends, found.slope * ends + found.intercept, color=ACCENT, linestyle="--", label="linear fit", path_effects=_OUTLINE)
    axes.set_title(f"{name} ({len(side.q):,}): {_in_words(side, found)}" + ("" if found is None else f"\nlinear fit: {found.fit}"), fontsize=8)
    axes.set_ylabel("alpha (of APAN)")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    add_visual_axis(axes, "right")
    figure.colorbar(drawn, ax=axes, label="images", pad=0.03, ticks=MaxNLocator(nbins=4, integer=True))


def _in_words(side: Weights, found: Dependence | None) -> str:
    if found is not None:
        return str(found)
    return f"alpha is {side.paper_alpha.mean():{ALPHA_FORM}} whatever Q" if is_constant(side.paper_alpha) else "all images have the same Q"


def caption_q_against_alpha(sides: Mapping[str, Weights], run: str, *, market1501: bool) -> str:
    """What is seen, the numbers, and the paper's on Market-1501."""
    paper = " Paper, Figure 7 (queries of Market-1501): r = -0.090, linear fit alpha = -0.000 Q + 0.378; in truth a deterministic curve, not monotone, "
    paper += "with maxima at Q of about 10.25, 11.1 and 12.2."
    return (
        "Q(I) against alpha, the weight of the attribute branch APAN as the paper prints it; the visual weight is w = 1 - alpha (axis at the right). "
        f"Run: {run}. Above the queries, as in the paper's Figure 7; below the gallery. Hexagons: number of images. "
        "Solid: the line through all images, the curve alpha(Q) itself; dashed: linear fit. Alpha depends on Q alone, so a small r or rho means a curve that "
        f"rises and falls, or is flat, but never noise. {describe_sides(sides, _numbers)}{paper if market1501 else ''}"
    )


def _numbers(side: Weights) -> str:
    found = dependence(side)
    fit = "" if found is None else f", linear fit {found.fit}"
    return f"{_in_words(side, found)}{fit}; Q: {describe(side.q, Q_FORM)}; alpha: {describe(side.paper_alpha, ALPHA_FORM)}"
