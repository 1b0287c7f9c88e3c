"""The report's Figure 4: how the classes of each attribute are distributed, by identity and by image."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from qafm.companions.par.class_weights import class_counts
from qafm.companions.par.classes import head_classes, par_codes
from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.evaluation.attribute_accuracy import attribute_codes
from qafm.figures.drawing.heading import add_heading
from qafm.figures.drawing.legend import add_legend
from qafm.figures.drawing.style import GALLERY, GREY, QUERY, figure_style, new_figure, save_figure
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet

BAR = 0.38  # of the distance between two classes
CLASS_IN, PANEL_IN, LEGEND_IN = 0.2, 0.42, 0.5  # heights: a class, what a panel needs beside its classes, heading and legend
PER_ROW = 3
TITLES = {"up": "sleeves", "down": "length of lower clothes", "up_color": "upper colour", "down_color": "lower colour"}


class Shares(NamedTuple):
    """How the known labels of one attribute are distributed; K classes."""

    classes: tuple[str, ...]
    identities: np.ndarray  # int64 [K]
    images: np.ndarray  # int64 [K]


def plot_labels(images: Path, run: str, style: StyleConfig, paths: Sequence[Path], *, multi_color: bool) -> None:
    """Draw one panel per attribute: the share of each class among the train identities and among their images.

    Args:
        images: images.parquet.
        run: what the run is called.
        style: size.
        paths: files to write, one per format; the .rst is the caption.
        multi_color: whether an unknown colour is a class of its own.

    Raises:
        InputError: there is no train image.
    """
    shares, counts = count_labels(images, multi_color)
    with figure_style():
        save_figure(draw_labels(shares, run, style), caption_labels(shares, counts, run, multi_color=multi_color), paths)


def count_labels(images: Path, multi_color: bool) -> tuple[dict[str, Shares], tuple[int, int]]:
    """Shares of every attribute, and the numbers of identities and images of the train split; an identity is of the class that most of its images are of.

    Raises:
        InputError: there is no train image.
    """
    rows = read_parquet(images, IMAGES_SCHEMA).filter((pc.field("split") == "train") & ~pc.field("junk"))
    if rows.num_rows == 0:
        raise InputError(f"{images}: no train image")
    codes = par_codes(attribute_codes(rows), multi_color)
    identities, owner = np.unique(_column(rows, "pid"), return_inverse=True)
    shares = {}
    for column, (name, classes) in enumerate(head_classes(multi_color).items()):
        votes = np.zeros((len(identities), len(classes)), np.int64)
        known = codes[:, column] >= 0
        np.add.at(votes, (owner[known], codes[known, column]), 1)
        of_identity = np.where(votes.any(axis=1), votes.argmax(axis=1), -1)
        shares[name] = Shares(classes, class_counts(of_identity, len(classes)), class_counts(codes[:, column], len(classes)))
    return shares, (len(identities), rows.num_rows)


def _column(rows: pa.Table, name: str) -> np.ndarray:
    return rows[name].to_numpy()


def draw_labels(shares: Mapping[str, Shares], run: str, style: StyleConfig) -> Figure:
    """The figure; attributes of few classes first. A row is as high as its highest panel needs, and a class as high in each panel."""
    names = sorted(shares, key=lambda name: (len(shares[name].classes), ATTRIBUTE_NAMES.index(name)))
    rows = [names[i : i + PER_ROW] for i in range(0, len(names), PER_ROW)]
    tallest = [max(len(shares[name].classes) for name in row) for row in rows]
    heights = [PANEL_IN + CLASS_IN * classes for classes in tallest]
    figure = new_figure(style, (sum(heights) + LEGEND_IN) / style.width_in)
    grid = figure.add_gridspec(len(rows), PER_ROW, height_ratios=heights)
    for i, row in enumerate(rows):
        for j, name in enumerate(row):
            classes = len(shares[name].classes)
            place = grid[i, j].subgridspec(2, 1, height_ratios=[classes, tallest[i] - classes])[0] if classes < tallest[i] else grid[i, j]
            _draw_panel(figure.add_subplot(place), name, shares[name])
    add_heading(figure, run)
    add_legend(figure)
    return figure


def _draw_panel(axes: Axes, name: str, shares: Shares) -> None:
    axes.set_title(TITLES.get(name, name), fontsize=8)
    axes.tick_params(labelsize=7, length=2)
    places = np.arange(len(shares.classes))
    axes.set_yticks(places, shares.classes)
    axes.set_ylim(len(places) - 0.5, -0.5)
    axes.set_xlim(0, 118)  # room for the numbers
    axes.set_xticks([0, 50, 100])
    axes.xaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.grid(visible=False, axis="y")
    if not shares.images.any():
        axes.text(59, (len(places) - 1) / 2, "no known label", ha="center", va="center", fontsize=7, color=GREY)
        return
    for counts, offset, color, label in ((shares.identities, -BAR / 2, QUERY, "identities"), (shares.images, BAR / 2, GALLERY, "images")):
        percent = 100 * counts / counts.sum()
        axes.barh(places + offset, percent, height=BAR, color=color, label=label)
        for place, count, value in zip(places + offset, counts, percent, strict=True):
            axes.text(value + 1.5, place, f"{value:.1f}" if count else "0", va="center", fontsize=5)


def caption_labels(shares: Mapping[str, Shares], counts: tuple[int, int], run: str, *, multi_color: bool) -> str:
    """What is seen, the most uneven attributes, and what has no label."""
    identities, images = counts
    known = {name: of for name, of in shares.items() if of.images.any()}
    absent = [f"{TITLES.get(name, name)} {word}" for name, of in known.items() for word, count in zip(of.classes, of.images, strict=True) if not count]
    uneven = sorted(known, key=lambda name: -known[name].images.max() / known[name].images.sum())[:3]
    told = ", ".join(f"{TITLES.get(name, name)} ({_most(known[name])})" for name in uneven)
    unknown = [TITLES.get(name, name) for name in shares if name not in known]
    multi = "multi: clothes of several colours, an identity without a colour although its other attributes are known. " if multi_color else ""
    return (
        f"Labels of the train split, what the report's Figure 4 shows: the share of each class among the known labels, by identity and by image; "
        f"{identities:,} identities, {images:,} images. Run: {run}. Attributes belong to the identity, seen in an image or not. {multi}"
        + (f"Most uneven: {told}. " if told else "")
        + (f"Classes without any label: {', '.join(absent)}. " if absent else "")
        + (f"Attributes without any label: {', '.join(unknown)}." if unknown else "")
    )


def _most(shares: Shares) -> str:
    place = int(shares.images.argmax())
    return f"{shares.classes[place]} {100 * shares.images[place] / shares.images.sum():.1f} % of the images"
