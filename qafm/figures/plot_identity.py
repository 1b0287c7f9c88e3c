"""Figure 1: one identity as its cameras see it, and its 12 attributes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.figures.choose_identity import IDENTITY_RULE, choose_identity, shows_identity
from qafm.figures.drawing.image_grid import (
    MARGIN,
    TITLE,
    Grid,
    Picture,
    blank_figure,
    common_aspect,
    draw_grid,
    draw_text,
    fill_columns,
    grid_width,
    load_pixels,
    text_height,
    text_width,
    wrap_text,
)
from qafm.figures.drawing.style import GREY, figure_style, save_figure
from qafm.tables.attributes import ATTRIBUTE_NAMES, ATTRIBUTES
from qafm.tables.images import IMAGES_SCHEMA, SPLITS
from qafm.tables.parquet import read_parquet

WITHOUT_CAMERAS = 8  # pictures of an identity whose cameras are unknown
TWICE_UP_TO = 6  # cameras: with more, each gives one picture
MOST_CAMERAS = 15
NO_ATTRIBUTES = "no attribute of this identity is known"
_NARROWEST, _WIDEST = 0.5, 0.9  # a picture's cell, inches
_COLUMN_GAP = 0.12  # between pictures, attributes and their words


@dataclass(frozen=True)
class Identity:
    """What Figure 1 shows.

    Args:
        pid: raw identity.
        rows: all its images, rows of images.parquet sorted by image_id.
        shown: those that are drawn, cameras in ascending order.
        rule: how it was chosen.
    """

    pid: int
    rows: list[dict[str, Any]]
    shown: list[dict[str, Any]]
    rule: str

    @property
    def cameras(self) -> list[int]:
        """Its known cameras, ascending."""
        return sorted({row["camid"] for row in self.rows if row["camid"] is not None})

    @property
    def attributes(self) -> list[tuple[str, str]]:
        """Name and word of the 12 attributes; empty if not one is known."""
        row = self.rows[0]
        if all(row[name] is None for name in ATTRIBUTE_NAMES):
            return []
        return [(attribute_label(a.name), "unknown" if row[a.name] is None else a.classes[row[a.name]]) for a in ATTRIBUTES]


def plot_identity(images: Path, pid: int | None, run: str, style: StyleConfig, paths: Sequence[Path]) -> None:
    """Draw Figure 1: pictures of one identity by camera, beside them its attributes in words.

    Args:
        images: images.parquet.
        pid: raw identity; None: the one of `IDENTITY_RULE`.
        run: what the run is called in title and caption.
        style: size and resolution.
        paths: files to write, one per format; .rst is the caption.

    Raises:
        InputError: the identity has no image, no query shows a known identity, or an image cannot be read.
    """
    identity = find_identity(images, pid)
    with figure_style():
        figure = draw_identity(identity, run, style)
        save_figure(figure, describe_identity(identity, run), paths)


def attribute_label(name: str) -> str:
    """An attribute's column name as words: "upper colour" for up_color."""
    first, *rest = name.split("_")
    return " ".join([{"up": "upper", "down": "lower"}.get(first, first), *("colour" if word == "color" else word for word in rest)])


def find_identity(images: Path, pid: int | None) -> Identity:
    """Choose an identity and those of its images that are drawn.

    Raises:
        InputError: the identity has no image, or no query shows a known identity.
    """
    rows = [row for row in read_parquet(images, IMAGES_SCHEMA).to_pylist() if shows_identity(row)]
    chosen = choose_identity(rows) if pid is None else pid
    if chosen is None:
        raise InputError(f"{images}: no query shows a known identity, so none can be drawn")
    own = sorted((row for row in rows if row["pid"] == chosen), key=lambda row: row["image_id"])
    if not own:
        raise InputError(f"{images}: identity {chosen} has no image (junk and distractors are none)")
    return Identity(chosen, own, choose_images(own), IDENTITY_RULE if pid is None else "named in the configuration")


def choose_images(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The first and last image of each camera, cameras ascending and images of unknown camera last.

    With more than `TWICE_UP_TO` cameras only the first image of each, of at most `MOST_CAMERAS`; without any camera the first `WITHOUT_CAMERAS` images.

    Args:
        rows: images of one identity, columns image_id and camid, sorted by image_id.
    """
    by_camera: dict[int | None, list[dict[str, Any]]] = {}
    for row in rows:
        by_camera.setdefault(row["camid"], []).append(dict(row))
    cameras = sorted(by_camera, key=lambda camid: (camid is None, camid or 0))
    if cameras == [None]:
        return by_camera[None][:WITHOUT_CAMERAS]
    last = len(cameras) <= TWICE_UP_TO
    return [row for camid in cameras[:MOST_CAMERAS] for row in (by_camera[camid][:1] + by_camera[camid][1:][-1:] * last)]


def draw_identity(identity: Identity, run: str, style: StyleConfig) -> Figure:
    """Figure 1 of this identity.

    Raises:
        InputError: an image cannot be read.
    """
    titles = wrap_text(f"Identity {identity.pid}{' and its attributes' if identity.attributes else ''}. {run}", style.width_in - 2 * MARGIN, TITLE)
    labels, words = _columns(identity)
    panel = max(map(text_width, labels)) + (max(map(text_width, words)) + _COLUMN_GAP if words else 0)
    room = style.width_in - 2 * MARGIN - panel - 2 * _COLUMN_GAP
    grid = _grid(identity, room)
    top = MARGIN + text_height(len(titles) + 0.5, TITLE)
    figure = blank_figure(style, top + max(grid.height, text_height(len(labels) + 1)) + MARGIN)
    for i, line in enumerate(titles):
        draw_text(figure, line, MARGIN, MARGIN + text_height(i, TITLE), size=TITLE)
    draw_grid(figure, grid, MARGIN, top)
    _draw_attributes(figure, labels, words, MARGIN + grid.width + 2 * _COLUMN_GAP, top)
    return figure


def describe_identity(identity: Identity, run: str) -> str:
    """The caption."""
    counts = Counter(row["split"] for row in identity.rows)
    splits = ", ".join(f"{counts[split]} {split}" for split in SPLITS if counts[split])
    known = identity.attributes
    words = ", ".join(f"{name}: {word}" for name, word in known)
    beside = f"Beside them its 12 attributes as annotated for the identity, seen in a picture or not: {words}." if known else f"{NO_ATTRIBUTES.capitalize()}."
    return (
        f"One person as the cameras see it, and its attributes; {run}. Identity {identity.pid}: {_count(len(identity.rows), 'image')} ({splits}), "
        f"{_cameras(identity)}. {_what_is_shown(identity)} {beside} How the identity was chosen: {identity.rule}. "
        "The paper's Figure 1 shows such multi-view pictures of a person of Market-1501 with the person's attributes."
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _cameras(identity: Identity) -> str:
    cameras = identity.cameras
    unknown = sum(row["camid"] is None for row in identity.rows)
    if not cameras:
        return "cameras unknown"
    names = f"{_count(len(cameras), 'camera')} ({', '.join(map(str, cameras))})"
    return f"{names}, {unknown} of unknown camera" if unknown else names


def _what_is_shown(identity: Identity) -> str:
    shown, cameras = len(identity.shown), len(identity.cameras)
    if not cameras:
        return f"Shown: the first {shown} by image_id." if shown > 1 else "Shown: the first by image_id."
    groups = cameras + any(row["camid"] is None for row in identity.rows)
    which = "the first and the last picture of each camera by image_id" if groups <= TWICE_UP_TO else "the first picture of each camera by image_id"
    some = f", of the first {MOST_CAMERAS} cameras" if groups > MOST_CAMERAS else ""
    return f"Shown, cameras in ascending order: {which}{some}."


def _grid(identity: Identity, room: float) -> Grid:
    """The pictures, those of one camera below each other."""
    pictures: dict[int | None, list[Picture | None]] = {}
    for i, row in enumerate(identity.shown):
        column = row["camid"] if identity.cameras else i
        pictures.setdefault(column, []).append(Picture(load_pixels(Path(row["path"])), _camera_line(row, identity)))
    tallest = max(map(len, pictures.values()))
    stacks = [stack + [None] * (tallest - len(stack)) for stack in pictures.values()]
    columns = fill_columns(len(stacks), room, _NARROWEST)
    cells: list[Picture | None] = []
    for start in range(0, len(stacks), columns):
        block = stacks[start : start + columns]
        missing = [None] * (columns - len(block))
        for level in range(tallest):
            cells += [stack[level] for stack in block] + missing
    return Grid(cells, columns, grid_width(columns, room, _WIDEST), common_aspect([cell for cell in cells if cell]))


def _camera_line(row: Mapping[str, Any], identity: Identity) -> tuple[str, ...]:
    if row["camid"] is not None:
        return (f"camera {row['camid']}",)
    return ("camera ?",) if identity.cameras else ()


def _columns(identity: Identity) -> tuple[list[str], list[str]]:
    """The two columns of the panel: names and words; one of prose where no attribute is known."""
    known = identity.attributes
    if not known:
        return wrap_text(NO_ATTRIBUTES, text_width("no attribute of this")), []
    return [f"{name}:" for name, _ in known], [word for _, word in known]


def _draw_attributes(figure: Figure, labels: list[str], words: list[str], left: float, top: float) -> None:
    second = left + max(map(text_width, labels)) + _COLUMN_GAP
    for i, label in enumerate(labels):
        draw_text(figure, label, left, top + text_height(i), color=GREY)
    for i, word in enumerate(words):
        draw_text(figure, word, second, top + text_height(i), color=GREY if word == "unknown" else "black")
