"""Figure 6: the distribution of the weight, beside the fixed 0.5 of the MSPA baseline."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from qafm.config.figures import FiguresConfig
from qafm.reporting.style import ACCENT, GALLERY, QUERY, figure_style, new_figure, save_figure
from qafm.reporting.weights_table import read_weights

SMALLEST_SPAN = 0.02  # narrower axes would make a constant look like a distribution


def plot_alpha(embeddings: Path, run: str, config: FiguresConfig, paths: Sequence[Path]) -> None:
    """Draw the histogram of paper_alpha, the weight of APAN; the visual weight stands on a second axis.

    Args:
        embeddings: embeddings.parquet of one seed.
        run: what the run is called in the title.
        config: size and bins.
        paths: files to write, one per format.

    Raises:
        InputError: queries or gallery have no Q.
    """
    sides = read_weights(embeddings)
    values = np.concatenate([side.paper_alpha for side in sides.values()])
    margin = max(0.0, SMALLEST_SPAN - np.ptp(values)) / 2
    edges = np.linspace(values.min() - margin, values.max() + margin, config.bins + 1)
    with figure_style():
        figure = new_figure(config, 0.66)
        subplots = figure.subplots(2, 1, sharex=True)
        for axes, (name, side), color in zip(subplots, sides.items(), (QUERY, GALLERY), strict=True):
            alpha = side.paper_alpha
            axes.hist(alpha, bins=edges, color=color, edgecolor="white", linewidth=0.4)
            axes.axvline(alpha.mean(), color="black", label=f"mean {alpha.mean():.3f}")
            axes.axvline(0.5, color=ACCENT, linestyle="--", label="0.5, MSPA baseline")
            axes.set_title(f"{name}: {len(alpha):,} images, sd {alpha.std():.4f}")
            axes.set_ylabel("images")
            axes.legend(loc="best")
        subplots[-1].set_xlabel("alpha as published: weight of the attribute branch APAN")
        add_visual_axis(subplots[0])
        figure.suptitle(f"Distribution of the fusion weight. {run}", fontsize=10)
        save_figure(figure, paths)


def add_visual_axis(axes: Axes) -> None:
    """A second horizontal axis on top: the visual weight w = 1 - alpha."""
    top = axes.secondary_xaxis("top", functions=(_complement, _complement))
    top.set_xlabel("visual weight w = 1 - alpha")


def _complement(values: ArrayLike) -> np.ndarray:
    return 1 - np.asarray(values)
