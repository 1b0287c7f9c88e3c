"""One style for all figures: readable in print and for colour-blind people, the same bytes for the same data."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from qafm.config.figures import FiguresConfig
from qafm.runtime.files import whole_file

# Okabe and Ito's palette, by role.
QUERY, GALLERY, ACCENT, GREY = "#0072B2", "#E69F00", "#D55E00", "#666666"
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


def new_figure(config: FiguresConfig, aspect: float) -> Figure:
    """An empty figure of the configured width; `aspect` is height / width. It needs no display."""
    figure = Figure(figsize=(config.width_in, config.width_in * aspect), dpi=config.dpi, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, paths: Sequence[Path]) -> None:
    """Write the figure once per path, in the format of its ending, whole or not at all."""
    for path in paths:
        kind = path.suffix.removeprefix(".")
        with figure_style(), whole_file(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=_METADATA[kind])
