"""Pictures in a grid, each in a frame with small text below it.

All lengths are inches; `left` and `top` are measured from the upper left corner of the figure, so that a figure's height can be summed up before it is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextToPath

from qafm.config.figures import StyleConfig
from qafm.datasets.read_image import read_image
from qafm.figures.drawing.style import GREY, new_figure

MARGIN, GAP = 0.08, 0.1  # around the figure; between cells
TEXT, TITLE = 7.0, 9.0  # points
_FAMILY = "DejaVu Sans"
_LEADING = 1.3  # line height / font size
_FRAME_GAP, _TEXT_GAP = 0.03, 0.03  # between a picture and its frame; between the frame and the text
_LARGEST_PX = 1000  # a picture's longer side: more is never seen
_THINNEST = 0.02  # of a picture of extreme shape
_ASPECTS = (0.5, 2.5)  # lowest and tallest cell, height / width


class Frame(NamedTuple):
    """How a picture is framed; the line style says the same as the colour."""

    color: str = GREY
    linestyle: str = "solid"
    linewidth: float = 0.6


THIN = Frame()


@dataclass(frozen=True)
class Picture:
    """One cell of a grid.

    Args:
        pixels: uint8 [H, W, 3], RGB, any size and shape.
        lines: text below the picture.
        heading: first line below it, bold, in the frame's colour; "" for none.
        frame: frame around it.
    """

    pixels: np.ndarray
    lines: tuple[str, ...] = ()
    heading: str = ""
    frame: Frame = THIN


@dataclass(frozen=True)
class Grid:
    """Pictures in rows of equal cells.

    Args:
        pictures: in reading order; None leaves a cell empty.
        columns: cells per row.
        width: of the whole grid.
        aspect: height / width of the part of a cell that holds the picture.
    """

    pictures: Sequence[Picture | None]
    columns: int
    width: float
    aspect: float

    @property
    def cell_width(self) -> float:
        """Width of one cell, the gap beside it excluded."""
        return (self.width - GAP * (self.columns - 1)) / self.columns

    @property
    def row_height(self) -> float:
        """Height of one row with its text, the gap below it excluded."""
        lines = max((len(picture.lines) + bool(picture.heading) for picture in self.pictures if picture), default=0)
        return self.cell_width * self.aspect + (_TEXT_GAP + text_height(lines) if lines else 0)

    @property
    def height(self) -> float:
        """Height of the whole grid; 0 without pictures."""
        rows = -(-len(self.pictures) // self.columns)
        return max(0.0, rows * (self.row_height + GAP) - GAP)


def load_pixels(path: Path) -> np.ndarray:
    """Read an image file, made smaller where a figure would not show its pixels.

    Returns:
        uint8 [height, width, 3], RGB, the longer side at most 1000.

    Raises:
        InputError: the file cannot be read or decoded.
    """
    pixels = read_image(path)
    height, width = pixels.shape[:2]
    scale = _LARGEST_PX / max(height, width)
    if scale >= 1:
        return pixels
    return cv2.resize(pixels, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA)


def common_aspect(pictures: Sequence[Picture]) -> float:
    """The median height / width of the pictures, within what a cell may be; 2 (a person) without pictures."""
    if not pictures:
        return 2.0
    return float(np.clip(np.median([picture.pixels.shape[0] / picture.pixels.shape[1] for picture in pictures]), *_ASPECTS))


def fill_columns(cells: int, width: float, narrowest: float) -> int:
    """In how many columns so many cells fill as few rows, as evenly, as cells of at least the width `narrowest` allow; at least 1."""
    rows = -(-cells // max(1, int((width + GAP) / (narrowest + GAP))))
    return -(-cells // max(1, rows)) or 1


def grid_width(columns: int, width: float, widest: float) -> float:
    """Width of a grid within `width` whose cells are no wider than `widest`."""
    return min(width, columns * (widest + GAP) - GAP)


def text_height(lines: float, size: float = TEXT) -> float:
    """Height of so many lines of text."""
    return lines * size * _LEADING / 72


def text_width(text: str, size: float = TEXT, bold: bool = False) -> float:
    """Width of one line of text."""
    font = FontProperties(family=_FAMILY, size=size, weight="bold" if bold else "normal")
    return TextToPath().get_text_width_height_descent(_drawable(text), font, ismath=False)[0] / 72


def fit_text(text: str, width: float, size: float = TEXT, bold: bool = False) -> str:
    """`text`, its middle replaced by an ellipsis as far as `width` asks for it."""
    for kept in range(len(text), 0, -1):
        short = text if kept == len(text) else f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"
        if text_width(short, size, bold) <= width:
            return short
    return "…"


def wrap_text(text: str, width: float, size: float = TEXT) -> list[str]:
    """`text` in lines no wider than `width`, broken at spaces (not at no-break ones); a longer word is shortened in its middle."""
    lines: list[str] = []
    for word in filter(None, text.split(" ")):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(joined, size) <= width:
            lines[-1] = joined
        else:
            lines.append(fit_text(word, width, size))
    return lines


def blank_figure(style: StyleConfig, height: float) -> Figure:
    """An empty figure of the configured width and this height, on which every artist is placed by hand."""
    figure = new_figure(style, height / style.width_in)
    figure.set_layout_engine("none")
    return figure


def draw_text(
    figure: Figure, text: str, left: float, top: float, *, size: float = TEXT, bold: bool = False, color: str = "black", centered: bool = False
) -> None:
    """Draw one line of text, literally: what looks like a formula is none."""
    figure.text(
        left,
        figure.get_figheight() - top - size / 72,  # the baseline
        _drawable(text),
        transform=figure.dpi_scale_trans,
        size=size,
        weight="bold" if bold else "normal",
        color=color,
        ha="center" if centered else "left",
        va="baseline",
        parse_math=False,
    )


def draw_grid(figure: Figure, grid: Grid, left: float, top: float) -> None:
    """Draw the pictures, each at its own aspect ratio, standing on the lower edge of its part of the cell."""
    for i, picture in enumerate(grid.pictures):
        if picture is None:
            continue
        row, column = divmod(i, grid.columns)
        cell_left, cell_top = left + column * (grid.cell_width + GAP), top + row * (grid.row_height + GAP)
        bottom = cell_top + grid.cell_width * grid.aspect
        _draw_picture(figure, picture, cell_left, bottom, grid.cell_width, grid.cell_width * grid.aspect)
        texts = [(picture.heading, True), *((line, False) for line in picture.lines)]
        for j, (text, bold) in enumerate(texts if picture.heading else texts[1:]):
            fitted = fit_text(text, grid.cell_width + 0.7 * GAP, bold=bold)
            color = picture.frame.color if bold else "black"
            draw_text(figure, fitted, cell_left + grid.cell_width / 2, bottom + _TEXT_GAP + text_height(j), bold=bold, color=color, centered=True)


def _draw_picture(figure: Figure, picture: Picture, left: float, bottom: float, width: float, height: float) -> None:
    """Draw picture and frame into a box; `bottom` is measured from the top of the figure."""
    rows, columns = picture.pixels.shape[:2]
    room_x, room_y = width - 2 * _FRAME_GAP, height - 2 * _FRAME_GAP
    scale = min(room_x / columns, room_y / rows)
    shown_x, shown_y = max(_THINNEST, columns * scale), max(_THINNEST, rows * scale)
    x, y = left + (width - shown_x) / 2, figure.get_figheight() - bottom + _FRAME_GAP
    size_x, size_y = figure.get_size_inches()
    axes = figure.add_axes((x / size_x, y / size_y, shown_x / size_x, shown_y / size_y))
    axes.imshow(picture.pixels, aspect="auto", interpolation="hanning")
    axes.set_axis_off()
    corner, frame = (x - _FRAME_GAP, y - _FRAME_GAP), picture.frame
    outline = Rectangle(corner, shown_x + 2 * _FRAME_GAP, shown_y + 2 * _FRAME_GAP, fill=False, edgecolor=frame.color, linestyle=frame.linestyle)
    outline.set(linewidth=frame.linewidth, transform=figure.dpi_scale_trans)
    figure.add_artist(outline)


def _drawable(text: str) -> str:
    """`text` on one line, a question mark for every character that the font lacks."""
    font = get_font(findfont(_FAMILY))
    return "".join(character if font.get_char_index(ord(character)) else "?" for character in " ".join(text.split()))
