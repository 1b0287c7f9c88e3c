"""Figure 5: the distribution of Q, for queries as in the paper and for the gallery, whose images are weighted too."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qafm.config.figures import FiguresConfig
from qafm.reporting.style import ACCENT, GALLERY, QUERY, figure_style, new_figure, save_figure
from qafm.reporting.weights_table import read_weights


def plot_q(embeddings: Path, run: str, config: FiguresConfig, paths: Sequence[Path]) -> None:
    """Draw the histogram of Q with its mean and median.

    Args:
        embeddings: embeddings.parquet of one seed.
        run: what the run is called in the title, for example "synthetic, seed 1".
        config: size and bins.
        paths: files to write, one per format.

    Raises:
        InputError: queries or gallery have no Q.
    """
    sides = read_weights(embeddings)
    low, high = (extreme([extreme(side.q) for side in sides.values()]) for extreme in (np.min, np.max))
    edges = np.linspace(low, high if high > low else low + 1e-6, config.bins + 1)
    with figure_style():
        figure = new_figure(config, 0.62)
        subplots = figure.subplots(2, 1, sharex=True)
        for axes, (name, side), color in zip(subplots, sides.items(), (QUERY, GALLERY), strict=True):
            axes.hist(side.q, bins=edges, color=color, edgecolor="white", linewidth=0.4)
            mean, median = side.q.mean(), np.median(side.q)
            axes.axvline(mean, color=ACCENT, label=f"mean {mean:.3f}")
            axes.axvline(median, color="black", linestyle="--", label=f"median {median:.3f}")
            axes.set_title(f"{name}: {len(side.q):,} images, sd {side.q.std():.3f}")
            axes.set_ylabel("images")
            axes.legend(loc="upper right")
        subplots[-1].set_xlabel("Q(I): mean distance among the image's 35 variants (lower = more stable)")
        figure.suptitle(f"Distribution of Q. {run}", fontsize=10)
        save_figure(figure, paths)
