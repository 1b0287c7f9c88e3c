"""The training curves: every loss of every stage over the epochs, and what the weight learned."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.heading import add_heading
from qafm.figures.drawing.legend import add_legend
from qafm.figures.drawing.style import figure_style, new_figure, save_figure
from qafm.figures.histories import Curves, History, read_histories
from qafm.figures.training_panels import Look, kind_of, panels_of

PANEL_IN, ROW_IN = 1.9, 1.45  # least width and height of a panel with its labels
LEGEND_IN = 0.6
Drawn = tuple[Curves, dict[str, Look]]


def plot_training(histories: Sequence[History], run: str, style: StyleConfig, paths: Sequence[Path]) -> None:
    """Draw one panel per stage and kind of loss; with several seeds the mean over seeds and a band from the lowest to the highest.

    Args:
        histories: (stage, seed, history.csv); stages as in `histories.STAGES`, in any order, none of them needed.
        run: what the run is called.
        style: size.
        paths: files to write, one per format; the .rst is the caption.

    Raises:
        InputError: no history, two of one stage and seed, or a file that is none.
    """
    curves = read_histories(histories)
    with figure_style():
        save_figure(draw_training(curves, run, style), caption_training(curves, run), paths)


def draw_training(curves: Sequence[Curves], run: str, style: StyleConfig) -> Figure:
    """The figure: a stage begins a new row unless all of it fits beside the one before; so do the statistics of the weight."""
    per_row = max(1, int(style.width_in / PANEL_IN))
    rows = list(_rows(curves, per_row))
    figure = new_figure(style, (ROW_IN * len(rows) + LEGEND_IN) / style.width_in)
    grid = figure.add_gridspec(len(rows), per_row)
    for i, row in enumerate(rows):
        for j, (stage, lines) in enumerate(row):
            _draw_panel(figure.add_subplot(grid[i, j]), stage, lines)
    add_heading(figure, run)
    add_legend(figure, per_row)
    return figure


def _rows(curves: Sequence[Curves], per_row: int) -> Iterator[list[Drawn]]:
    row: list[Drawn] = []
    for stage in curves:
        panels = panels_of(stage.values)
        for weight in (False, True):
            group = [(stage, lines) for lines in panels if kind_of(next(iter(lines))).weight is weight]
            if row and len(row) + len(group) > per_row:
                yield row
                row = []
            row = row + group
            while len(row) > per_row:
                yield row[:per_row]
                row = row[per_row:]
    if row:
        yield row


def _draw_panel(axes: Axes, curves: Curves, lines: dict[str, Look]) -> None:
    kind = kind_of(next(iter(lines)))
    for column, look in lines.items():
        lowest, mean, highest = over_seeds(curves.values[column])
        there = np.isfinite(mean)
        marker = "o" if there.sum() == 1 else ""  # a line of one point would not be seen
        axes.plot(curves.epochs[there], mean[there], color=look.color, linestyle=look.line, linewidth=1.3, marker=marker, markersize=3, label=look.label)
        if len(curves.seeds) > 1:
            axes.fill_between(curves.epochs[there], lowest[there], highest[there], color=look.color, alpha=0.2, linewidth=0)
    axes.set_title(f"{curves.stage}: {kind.title}", fontsize=8)
    axes.set_ylabel(kind.unit, fontsize=7)
    axes.set_xlabel("epoch", fontsize=7)
    axes.tick_params(labelsize=7)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    axes.margins(x=0.02)  # no tick below the first epoch
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    if kind.limits is not None:
        axes.set_ylim(*kind.limits)


def over_seeds(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lowest, mean and highest of [S, E] over the seeds that have a value, each [E]; NaN where none has."""
    there = np.isfinite(values)
    n = there.sum(axis=0)
    mean = np.where(n > 0, np.where(there, values, 0).sum(axis=0) / np.maximum(n, 1), np.nan)
    lowest, highest = np.where(there, values, np.inf).min(axis=0), np.where(there, values, -np.inf).max(axis=0)
    return np.where(n > 0, lowest, np.nan), mean, np.where(n > 0, highest, np.nan)


def caption_training(curves: Sequence[Curves], run: str) -> str:
    """What is seen, and the last value of each curve."""
    several = any(len(stage.seeds) > 1 for stage in curves)
    band = " Lines: mean over seeds; bands: from the lowest to the highest seed." if several else ""
    last = " ".join(_last_values(stage) for stage in curves)
    return (
        f"Training curves, one panel per stage and kind of loss; each point is the mean over an epoch. Run: {run}.{band} Identity: cross-entropy of the "
        "identity classifiers, of a branch (APN, APAN), of APN's horizontal and vertical stripes, and of the fused vector. Triplet: batch-hard, on Euclidean "
        "distances. Attributes: cross-entropy of APAN's attribute heads, their weighted mean, or their sum where stage 1 of APAN is attributes alone. "
        "In the fusion, branches trained before stay frozen at first: their curves jump where they begin to learn again, since their batch norms then follow "
        "the batch. "
        f"{_about_weight(curves)}Last values: {last}"
    )


def _about_weight(curves: Sequence[Curves]) -> str:
    """What the weight's panels show, if there are any."""
    starts = [stage.epochs[np.isfinite(values).any(axis=0)][0] for stage in curves for name, values in stage.values.items() if kind_of(name).weight]
    if not starts:
        return ""
    return (
        "w is the visual weight (alpha as published is 1 - w), its target the share of APAN in both branches' identity losses; their mean, sd and correlation "
        "with Q are over the images the weight learns from, at the start of the epoch. sd and r near 0: the weight is the same for every image. "
        f"The weight learns from epoch {min(starts)} on; before, it is 0.5. "
    )


def _last_values(stage: Curves) -> str:
    told = []
    for name, values in stage.values.items():
        lowest, mean, highest = (found[np.isfinite(found)][-1] for found in over_seeds(values))
        told.append(
            f"{'loss of w' if name == 'alpha' else name.replace('_', ' ')} {mean:.3g}" + (f" ({lowest:.3g} to {highest:.3g})" if len(stage.seeds) > 1 else "")
        )
    seeds = f"seed{'s' if len(stage.seeds) > 1 else ''} {', '.join(map(str, stage.seeds))}"
    return f"{stage.stage} ({seeds}; last epoch {stage.epochs[-1]}): {', '.join(told) or 'no value'}."
