"""The run's name above a figure, so that a picture without its caption still says what it belongs to."""

import textwrap

from matplotlib.figure import Figure

from qafm.figures.drawing.style import GREY

CHARACTERS_PER_INCH = 14


def add_heading(figure: Figure, run: str) -> None:
    """Put `run` above all panels, in as many lines as the width needs."""
    figure.suptitle(textwrap.fill(run, int(CHARACTERS_PER_INCH * figure.get_figwidth())), fontsize=8, color=GREY)
