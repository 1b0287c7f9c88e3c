"""Figure 8: what both backbones respond to, and which places of an image drive its match through either branch.

Lengths are inches, from the upper left corner of the figure. Shapes: H x W an image as it is drawn, h x w a map as it was measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.figures.drawing.image_grid import blank_figure, draw_text, fit_text, load_pixels, text_height, text_width
from qafm.figures.drawing.map_colors import map_colors
from qafm.figures.drawing.style import GALLERY, QUERY, RIGHT, WRONG, figure_style, save_figure
from qafm.figures.plot_nothing import plot_nothing
from qafm.tables.activation_maps import ACTIVATION_MAPS_SCHEMA, ACTIVATIONS, KINDS, MATCHES, ROLES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet

TITLES = (("image",), ("APN", "backbone"), ("APAN", "backbone"), ("match", "by APN"), ("match", "by APAN"))
# What the rule chooses for its two examples; said of a pair only where it fits.
_CHOSEN = {("success", True): "the query of Figure 9 and its first right match", ("failure", False): "the query of Figure 10 and its first wrong match"}
_LABEL, _GAP, _TITLE, _HEAD, _NOTE, _BAR, _FOOT = 0.95, 0.07, 0.3, 0.24, 0.16, 0.1, 0.58
_ROW = (0.85, 0.25)  # a row's height: at least, inches, and at most, share of the figure's width
_SMALL, _NORMAL = 7.0, 8.0  # points
_ADDED = "adds to the similarity:"
Range = tuple[float, float]


@dataclass(frozen=True)
class Picture:
    """One image of a pair.

    Args:
        image_id: as in images.parquet.
        pid: identity.
        camid: camera; None without cameras.
        distractor: of no identity, never a right match.
        weight: visual weight w.
        visual_part: what its visual vector adds to the similarity; None where that is not defined.
        pixels: uint8 [H, W, 3].
        maps: kind -> float32 [H, W], enlarged bilinearly.
    """

    image_id: str
    pid: int
    camid: int | None
    distractor: bool
    weight: float
    visual_part: float | None
    pixels: np.ndarray
    maps: dict[str, np.ndarray]


@dataclass(frozen=True)
class Pair:
    """An example: a query, a gallery image and the cosine of their descriptors."""

    name: str
    query: Picture
    gallery: Picture
    similarity: float

    @property
    def right(self) -> bool:
        """Whether both show the same identity."""
        return self.query.pid == self.gallery.pid and not self.gallery.distractor

    @property
    def pictures(self) -> tuple[Picture, Picture]:
        """Query and gallery image."""
        return self.query, self.gallery


def plot_activation(maps: Path, images: Path, run: str, style: StyleConfig, paths: Sequence[Path]) -> None:
    """Draw image, both backbones' activations and both match maps for the two images of every example.

    Args:
        maps: activation_maps.parquet; without any example the figure says so.
        images: images.parquet.
        run: what the run is called in the caption.
        style: size and resolution.
        paths: files to write, one per format, and the caption (.rst).

    Raises:
        InputError: a table is damaged, lacks an image or a map, or an image cannot be read.
    """
    pairs = read_pairs(maps, images)
    if not pairs:
        plot_nothing("No query of the run is a success or a failure, so there is no pair of images whose activations could be shown.", run, style, paths)
        return
    with figure_style():
        save_figure(draw_pairs(pairs, style), describe_pairs(pairs, run), paths)


def read_pairs(maps: Path, images: Path) -> list[Pair]:
    """The examples of `maps`, in their order, with their images.

    Raises:
        InputError: as `plot_activation`.
    """
    examples: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for row in read_parquet(maps, ACTIVATION_MAPS_SCHEMA).to_pylist():
        examples.setdefault(row["example"], {})[row["role"], row["kind"]] = row
    known = {row["image_id"]: row for row in read_parquet(images, IMAGES_SCHEMA).to_pylist()}
    pairs = []
    for name, rows in examples.items():
        missing = [f"{kind} of the {role}" for role in ROLES for kind in KINDS if (role, kind) not in rows]
        unknown = [row["image_id"] for row in rows.values() if row["image_id"] not in known]
        if missing:
            raise InputError(f"{maps}: example {name!r} has no {missing[0]}")
        if unknown:
            raise InputError(f"{images}: has no image {unknown[0]!r}, which {maps} maps")
        query, gallery = (_load(maps, [rows[role, kind] for kind in KINDS], known) for role in ROLES)
        pairs.append(Pair(name, query, gallery, rows["query", KINDS[0]]["similarity"]))
    return pairs


def _load(maps: Path, rows: Sequence[dict[str, Any]], known: Mapping[str, dict[str, Any]]) -> Picture:
    """One image and its maps."""
    first, image = rows[0], known[rows[0]["image_id"]]
    pixels = load_pixels(Path(image["path"]))  # [H, W, 3]
    enlarged = {}
    for row in rows:
        if len(row["values"]) != row["height"] * row["width"] or not row["values"]:
            raise InputError(f"{maps}: {row['kind']} of {row['image_id']} has {len(row['values'])} values, expected {row['height']} x {row['width']}")
        values = np.array(row["values"], np.float32).reshape(row["height"], row["width"])  # [h, w]
        enlarged[row["kind"]] = cv2.resize(values, (pixels.shape[1], pixels.shape[0]), interpolation=cv2.INTER_LINEAR)  # [H, W]
    of_image = first["image_id"], image["pid"], image["camid"], image["distractor"]
    return Picture(*of_image, first["visual_weight"], first["visual_part"], pixels, enlarged)


def draw_pairs(pairs: Sequence[Pair], style: StyleConfig) -> Figure:
    """Draw two rows per pair, a column per map, and the colour bars below."""
    pictures = [picture for pair in pairs for picture in pair.pictures]
    column = (style.width_in - _LABEL - 5 * _GAP) / 5
    lefts = [_LABEL + i * (column + _GAP) for i in range(5)]
    shape = float(np.median([picture.pixels.shape[0] / picture.pixels.shape[1] for picture in pictures]))
    row = max(_ROW[0], min(column * shape, _ROW[1] * style.width_in))
    block = _HEAD + 2 * (row + _NOTE)
    figure = blank_figure(style, _TITLE + len(pairs) * block + _FOOT)
    for left, lines in zip(lefts, TITLES, strict=True):
        for i, line in enumerate(lines):
            draw_text(figure, line, left + column / 2, 0.03 + text_height(i, _NORMAL), size=_NORMAL, centered=True)
    activations = {kind: _range([picture.maps[kind] for picture in pictures]) for kind in ACTIVATIONS}
    for i, pair in enumerate(pairs):
        top = _TITLE + i * block
        _draw_head(figure, pair, top, style.width_in)
        for j, picture in enumerate(pair.pictures):
            y = top + _HEAD + j * (row + _NOTE)
            ranges = activations | dict.fromkeys(MATCHES, (0.0, strongest(picture) or 1.0))
            _draw_maps([_axes(figure, left, y, column, row) for left in lefts], picture, ranges)
            _draw_label(figure, ROLES[j], picture, y, row)
            _draw_parts(figure, pair, picture, [left + column / 2 for left in lefts[-2:]], y + row)
    _draw_bars(figure, activations, lefts, column, _TITLE + len(pairs) * block + 0.04)
    return figure


def strongest(picture: Picture) -> float:
    """The largest value of the image's two match maps, the end of their common scale."""
    return max(float(picture.maps[kind].max()) for kind in MATCHES)


def _range(maps: Sequence[np.ndarray]) -> Range:
    low, high = min(float(values.min()) for values in maps), max(float(values.max()) for values in maps)
    return low, high if high > low else low + 1.0


def _axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    whole_x, whole_y = figure.get_size_inches()
    axes = figure.add_axes((left / whole_x, 1 - (top + height) / whole_y, width / whole_x, height / whole_y))
    axes.set_axis_off()
    return axes


def _draw_maps(boxes: Sequence[Axes], picture: Picture, ranges: Mapping[str, Range]) -> None:
    """Draw the image, then each map over its grey; a line runs where the map passes half of its scale, for those who see no colour."""
    boxes[0].imshow(picture.pixels)
    grey = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)  # [H, W]
    for axes, kind in zip(boxes[1:], KINDS, strict=True):
        low, high = ranges[kind]
        values = picture.maps[kind]
        axes.imshow(grey, cmap="gray", vmin=0, vmax=255)
        axes.imshow(values, cmap=map_colors(kind), vmin=low, vmax=high)
        if values.min() < (low + high) / 2 < values.max():
            lines = axes.contour(values, levels=[(low + high) / 2], colors="white", linewidths=0.7)
            lines.set_path_effects([withStroke(linewidth=1.6, foreground="black")])


def _draw_head(figure: Figure, pair: Pair, top: float, width: float) -> None:
    verdict = f": {'✓ same' if pair.right else '✗ another'} identity, similarity {pair.similarity:.3f}"
    name = fit_text(pair.name, width - 0.1 - text_width(verdict, _NORMAL, bold=True), _NORMAL, bold=True)
    draw_text(figure, name + verdict, 0.05, top + 0.06, size=_NORMAL, bold=True, color=RIGHT if pair.right else WRONG)


def _draw_label(figure: Figure, role: str, picture: Picture, top: float, height: float) -> None:
    """What the row shows, left of it, centred in its height."""
    lines = [role, "distractor" if picture.distractor else f"pid {picture.pid}"]
    lines += [] if picture.camid is None else [f"camera {picture.camid}"]
    lines += [f"alpha {1 - picture.weight:.2f}", f"w {picture.weight:.2f}", picture.image_id.rsplit("/", maxsplit=1)[-1]]
    first = top + max(0.0, height - text_height(len(lines))) / 2
    for i, line in enumerate(lines):
        color = {"query": QUERY, "gallery": GALLERY}[role] if i == 0 else "black"
        draw_text(figure, fit_text(line, _LABEL - 0.1), 0.05, first + text_height(i), bold=i == 0, color=color)


def _draw_parts(figure: Figure, pair: Pair, picture: Picture, centers: Sequence[float], top: float) -> None:
    """Below both match maps, what each branch's vector adds to the similarity."""
    if picture.visual_part is None:
        return
    draw_text(figure, _ADDED, centers[0] - (centers[1] - centers[0]) / 2 - 0.05 - text_width(_ADDED), top + 0.02)
    for center, part in zip(centers, (picture.visual_part, pair.similarity - picture.visual_part), strict=True):
        draw_text(figure, f"{part:+.3f}", center, top + 0.02, size=_SMALL, centered=True)


def _draw_bars(figure: Figure, activations: Mapping[str, Range], lefts: Sequence[float], column: float, top: float) -> None:
    """One bar below each activation column, one below both match columns, over the grey that the images are drawn in."""
    bars = [
        (kind, left, column, [f"{value:.2g}" for value in activations[kind]], ("mean", "activation"))
        for kind, left in zip(ACTIVATIONS, lefts[1:3], strict=True)
    ]
    bars.append((MATCHES[0], lefts[3], lefts[4] + column - lefts[3], ["0", "most"], ("drives the match,", "one scale per image")))
    for kind, left, width, ends, lines in bars:
        axes = _axes(figure, left, top, width, _BAR)
        axes.imshow(np.full((1, 1), 0.5), cmap="gray", vmin=0, vmax=1, extent=(0, 1, 0, 1), aspect="auto")
        axes.imshow(np.linspace(0, 1, 256)[None], cmap=map_colors(kind), extent=(0, 1, 0, 1), aspect="auto")
        axes.text(0, -0.2, ends[0], transform=axes.transAxes, ha="left", va="top", fontsize=_SMALL)
        axes.text(1, -0.2, ends[1], transform=axes.transAxes, ha="right", va="top", fontsize=_SMALL)
        for i, line in enumerate(lines):
            draw_text(figure, line, left + width / 2, top + _BAR + 0.15 + text_height(i), size=_SMALL, centered=True)


def describe_pairs(pairs: Sequence[Pair], run: str) -> str:
    """The caption."""
    sentences = [
        f"What the branches look at ({run}).",
        *(_describe(pair) for pair in pairs),
        *(f"No pair stands for a {name}." for name, _ in _CHOSEN if name not in {pair.name for pair in pairs}),
        "Second and third column: the activation of the last map of the backbone before APN (layer3) and before APAN (layer4), the mean of its channels, "
        "laid over the image; bright is strong, one scale per column. This is what the paper's Figure 8 shows (there of 0425_c1s2_031841_00.jpg), and it says "
        "nothing of any decision.",
        "The last two columns do: Grad-CAM, at the last map of APN and of APAN, of the similarity by which QAFM ranks: the cosine of both fused descriptors, "
        "each image with its own weight, the other image held fixed. A bright place raises the image's similarity with the other one through that branch, a "
        "bare grey one does not. Both maps of an image share one scale, so a branch that drives nothing looks empty.",
        "A line runs where a map passes half of its scale.",
    ]
    if any(picture.visual_part is not None for pair in pairs for picture in pair.pictures):
        sentences.append(
            "The numbers below are what the image's visual and its attribute vector add to the similarity; they sum to it: "
            "the numbers tell what the similarity is made of, the maps where a change of the image would change it."
        )
    return " ".join(sentences)


def _describe(pair: Pair) -> str:
    """Sentences on one example."""
    chosen = _CHOSEN.get((pair.name, pair.right))
    verdict = "the same identity, a right match" if pair.right else "not the same identity, a wrong match"
    query, gallery = (_name(role, picture) for role, picture in zip(ROLES, pair.pictures, strict=True))
    title = f"{pair.name[:1].upper()}{pair.name[1:]}{f' ({chosen})' if chosen else ''}"
    ends = " and ".join(f"{strongest(picture):.2g}" for picture in pair.pictures)
    return f"{title}: {query} and {gallery}, {verdict}, similarity {pair.similarity:.3f}; the scales of their match maps end at {ends}."


def _name(role: str, picture: Picture) -> str:
    identity = "distractor" if picture.distractor else f"pid {picture.pid}"
    camera = "" if picture.camid is None else f", camera {picture.camid}"
    return f"{role} {picture.image_id} ({identity}{camera}, alpha {1 - picture.weight:.3f}, w {picture.weight:.3f})"
