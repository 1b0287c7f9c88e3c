"""Figure 7: Q against the weight, with the linear fit, r, Spearman's rho and the curve itself."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import stats

from qafm.config.figures import FiguresConfig
from qafm.reporting.style import ACCENT, figure_style, new_figure, save_figure
from qafm.reporting.weights_table import Weights, read_weights


def describe(side: Weights) -> tuple[str, np.ndarray | None]:
    """Correlations of Q with paper_alpha in words, and slope and intercept of the linear fit; none where one of them is constant."""
    if np.ptp(side.q) == 0 or np.ptp(side.paper_alpha) == 0:
        return "the weight does not depend on Q", None
    r = np.corrcoef(side.q, side.paper_alpha)[0, 1]
    rho = np.corrcoef(stats.rankdata(side.q), stats.rankdata(side.paper_alpha))[0, 1]  # Spearman's, ties averaged
    return f"r = {r:.3f}, Spearman's rho = {rho:.3f}", np.polyfit(side.q, side.paper_alpha, 1)


def plot_q_against_alpha(embeddings: Path, run: str, config: FiguresConfig, paths: Sequence[Path]) -> None:
    """Draw Q against paper_alpha as hexagonal bins; since alpha is a function of Q alone, the dotted line is that function.

    Args:
        embeddings: embeddings.parquet of one seed.
        run: what the run is called in the title.
        config: size and bins.
        paths: files to write, one per format.

    Raises:
        InputError: queries or gallery have no Q.
    """
    sides = read_weights(embeddings)
    with figure_style():
        figure = new_figure(config, 0.5)
        for axes, (name, side) in zip(figure.subplots(1, 2, sharey=True), sides.items(), strict=True):
            text, fit = describe(side)
            drawn = axes.hexbin(side.q, side.paper_alpha, gridsize=max(10, config.bins // 2), mincnt=1, cmap="cividis", linewidths=0.2)
            order = np.argsort(side.q)
            axes.plot(side.q[order], side.paper_alpha[order], color="black", linestyle=":", linewidth=1, label="alpha(Q)")
            if fit is not None:
                ends = np.array([side.q.min(), side.q.max()])
                axes.plot(ends, np.polyval(fit, ends), color=ACCENT, label=f"fit: {fit[0]:+.3f} Q {fit[1]:+.3f}")
            axes.set_title(f"{name}: {text}")
            axes.set_xlabel("Q(I), lower = more stable")
            axes.legend(loc="best")
            figure.colorbar(drawn, ax=axes, label="images", pad=0.02)
        figure.axes[0].set_ylabel("alpha as published: weight of APAN\n(visual weight w = 1 - alpha)")
        figure.suptitle(f"Q against the fusion weight. {run}", fontsize=10)
        save_figure(figure, paths)
