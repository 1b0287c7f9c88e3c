"""Figure 4: the query images of lowest and of highest Q."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.figures.choose_identity import shows_identity
from qafm.figures.drawing.image_grid import (
    GAP,
    MARGIN,
    TITLE,
    Grid,
    Picture,
    blank_figure,
    common_aspect,
    draw_grid,
    draw_text,
    fill_columns,
    fit_text,
    grid_width,
    load_pixels,
    text_height,
    wrap_text,
)
from qafm.figures.drawing.style import figure_style, save_figure
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet
from qafm.tables.quality import QUALITY_SCHEMA

BAND = 8  # images at either end
_NARROWEST, _WIDEST = 0.48, 0.75  # a picture's cell, inches


class Scored(NamedTuple):
    """A query image: its Q, its image_id and its file; they sort by Q, ties by image_id."""

    q: float
    image_id: str
    path: str


@dataclass(frozen=True)
class Bands:
    """The two ends of the queries' Q.

    Args:
        low: of lowest Q, ascending.
        high: of highest Q, descending.
        scored: queries that have a Q.
        queries: queries of a known identity.
        mean: of all queries' Q.
    """

    low: list[Scored]
    high: list[Scored]
    scored: int
    queries: int
    mean: float


def plot_identifiability(images: Path, quality: Path, run: str, style: StyleConfig, paths: Sequence[Path], *, computed: bool) -> None:
    """Draw Figure 4: the 8 query images of lowest Q (stable features) above the 8 of highest Q, each with its Q.

    Args:
        images: images.parquet.
        quality: quality.parquet; the figure shows its column q, which the weight is computed from.
        run: what the run is called in title and caption.
        style: size and resolution.
        paths: files to write, one per format; .rst is the caption.
        computed: whether Q is this run's own; else it was read from a file.

    Raises:
        InputError: fewer than two queries have a Q, or an image cannot be read.
    """
    bands = find_bands(images, quality)
    with figure_style():
        figure = draw_bands(bands, run, style, computed=computed)
        save_figure(figure, describe_bands(bands, run, computed=computed), paths)


def find_bands(images: Path, quality: Path) -> Bands:
    """The queries of lowest and highest Q, at most 8 each and none in both; fewer than 16 queries are halved, a middle one is left out.

    Raises:
        InputError: fewer than two queries have a Q.
    """
    columns = ["image_id", "path", "split", "junk", "distractor"]
    rows = [row for row in read_parquet(images, IMAGES_SCHEMA, columns).to_pylist() if row["split"] == "query" and shows_identity(row)]
    table = read_parquet(quality, QUALITY_SCHEMA, ["image_id", "q"])
    scores = dict(zip(table["image_id"].to_pylist(), table["q"].to_pylist(), strict=True))
    scored = [Scored(q, row["image_id"], row["path"]) for row in rows if (q := scores.get(row["image_id"])) is not None and np.isfinite(q)]
    if len(scored) < 2:
        raise InputError(f"{quality}: {len(scored)} query images of {images} have a Q, two bands need at least 2")
    size = min(BAND, len(scored) // 2)
    ascending, descending = sorted(scored), sorted(scored, key=lambda row: (-row.q, row.image_id))
    low = ascending[:size]
    high = [row for row in descending if row not in low][:size]
    return Bands(low, high, len(scored), len(rows), float(np.mean([row.q for row in scored])))


def draw_bands(bands: Bands, run: str, style: StyleConfig, *, computed: bool) -> Figure:
    """Figure 4 of these bands.

    Raises:
        InputError: an image cannot be read.
    """
    room = style.width_in - 2 * MARGIN
    titles = wrap_text(f"Query images of lowest and highest Q. {run}", room, TITLE)
    most, least = (", most stable features", ", least stable features") if computed else ("", "")
    labelled = {f"lowest Q{most}: mean Q {format_q(_mean(bands.low))}": bands.low, f"highest Q{least}: mean Q {format_q(_mean(bands.high))}": bands.high}
    grids = {label: _grid(band, room) for label, band in labelled.items()}
    labels_height, between = text_height(1.4, TITLE - 1), 1.5 * GAP
    top = MARGIN + text_height(len(titles) + 0.5, TITLE)
    figure = blank_figure(style, top + sum(labels_height + grid.height for grid in grids.values()) + between + MARGIN)
    for i, line in enumerate(titles):
        draw_text(figure, line, MARGIN, MARGIN + text_height(i, TITLE), size=TITLE)
    for label, grid in grids.items():
        draw_text(figure, fit_text(label, room, TITLE - 1, bold=True), MARGIN, top, size=TITLE - 1, bold=True)
        draw_grid(figure, grid, MARGIN, top + labels_height)
        top += labels_height + grid.height + between
    return figure


def describe_bands(bands: Bands, run: str, *, computed: bool) -> str:
    """The caption."""
    size = len(bands.low)
    left_out = bands.queries - bands.scored
    count = f"{bands.scored:,} queries" if left_out == 0 else f"{bands.scored:,} of {bands.queries:,} queries that have a Q"
    least, most = (": their features change least when the image is perturbed", ": theirs change most") if computed else ("", "")
    own = "is the mean distance among the features of the image and its perturbed variants: lower Q = more stable"
    return (
        f"The most and the least identifiable query images; {run}. Above: the {size} of lowest Q, in ascending order, {_range(bands.low)}{least}. "
        f"Below: the {size} of highest Q, in descending order, {_range(bands.high)}{most}. "
        f"Taken from the {count} (mean Q {format_q(bands.mean)}); equal Q are ordered by image_id. "
        f"Q(I) {own if computed else 'was computed elsewhere and read from a file; low values count as good'}. "
        "In the paper's Figure 4 the eight lowest are plain shirts, seen frontally and cleanly; the eight highest have backpacks, patterns or rear views."
    )


def format_q(q: float) -> str:
    """Q with four significant digits, whatever its scale."""
    return f"{q:#.4g}"


def _mean(band: Sequence[Scored]) -> float:
    return float(np.mean([row.q for row in band]))


def _range(band: Sequence[Scored]) -> str:
    values = [row.q for row in band]
    return f"Q {format_q(min(values))} to {format_q(max(values))} (mean {format_q(_mean(band))})"


def _grid(band: Sequence[Scored], room: float) -> Grid:
    pictures = [Picture(load_pixels(Path(row.path)), (f"Q {format_q(row.q)}",)) for row in band]
    columns = fill_columns(len(pictures), room, _NARROWEST)
    return Grid(pictures, columns, grid_width(columns, room, _WIDEST), common_aspect(pictures))
