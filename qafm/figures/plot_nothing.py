"""A figure that cannot be drawn says why: a missing file would stop the report, an empty picture would be a riddle."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.style import figure_style, new_figure, save_figure


def plot_nothing(reason: str, run: str, style: StyleConfig, paths: Sequence[Path]) -> None:
    """Write a figure that holds one sentence.

    Args:
        reason: the sentence.
        run: what the run is called.
        style: width and dots per inch.
        paths: files to write; the .rst gets the same sentence.
    """
    text = f"{reason} Run: {run}."
    with figure_style():
        figure = new_figure(style, 0.25)
        figure.text(0.5, 0.5, textwrap.fill(text, 70), ha="center", va="center")
        save_figure(figure, text, paths)
