"""One style for all figures: readable in print and for colour-blind people, the same bytes for the same data."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.caption import write_caption
from qafm.runtime.files import whole_file

# Okabe and Ito's palette, by role. Right and wrong never differ in colour alone: a mark or a line style says it too.
QUERY, GALLERY, ACCENT, GREY = "#0072B2", "#E69F00", "#D55E00", "#666666"
RIGHT, WRONG = "#009E73", "#D55E00"
VISUAL, ATTRIBUTE = "#56B4E9", "#CC79A7"  # the branches, APN and APAN
_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.hashsalt": "qafm",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}
# Dates and versions in a file would make equal figures differ.
_METADATA: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}


@contextmanager
def figure_style() -> Iterator[None]:
    """matplotlib's settings for the body of a with statement."""
    with mpl.rc_context(rc=_RC):  # pyright: ignore[reportArgumentType]
        yield


def new_figure(style: StyleConfig, aspect: float) -> Figure:
    """An empty figure of the configured width; `aspect` is height / width. It needs no display."""
    figure = Figure(figsize=(style.width_in, style.width_in * aspect), dpi=style.dpi, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, caption: str, paths: Sequence[Path]) -> None:
    """Write the figure, or for the ending .rst its caption, once per path, each whole or not at all."""
    for path in paths:
        kind = path.suffix.removeprefix(".")
        if kind == "rst":
            write_caption(path, caption)
            continue
        with figure_style(), whole_file(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=_METADATA[kind])
