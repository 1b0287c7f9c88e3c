"""Boxes, arrows and pictures on a page whose unit is the inch, y downward from the top left corner."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle
from numpy.typing import NDArray

from qafm.figures.drawing.style import ACCENT, figure_style

INK = "#222222"
LINE_WIDTH = 0.9
LINE_PITCH = 0.135  # from one line of text to the next
PADDING = 0.045  # between a box and its text
HEAD = 0.065  # length of an arrow's head
MEASURED_AT = (100, 120, 160, 200)  # dots per inch: hinting makes a text up to 10 % wider at one than at another
DASHES = (0, (3.2, 1.8))
Point = tuple[float, float]


class Line(NamedTuple):
    """A line of text in a box."""

    text: str
    kind: Literal["name", "plain", "loss"] = "plain"


FONTS: dict[str, dict[str, Any]] = {
    "name": {"fontsize": 7, "fontweight": "bold", "color": INK},
    "plain": {"fontsize": 7, "color": INK},
    "loss": {"fontsize": 7, "fontstyle": "italic", "color": ACCENT},
}


class Box(NamedTuple):
    """A rectangle on the page, by its centre."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> Point:
        """Middle of the left side."""
        return self.x - self.width / 2, self.y

    @property
    def right(self) -> Point:
        """Middle of the right side."""
        return self.x + self.width / 2, self.y

    @property
    def top(self) -> Point:
        """Middle of the top side."""
        return self.x, self.y - self.height / 2

    @property
    def bottom(self) -> Point:
        """Middle of the bottom side."""
        return self.x, self.y + self.height / 2


def text_height(lines: int) -> float:
    """Height of a box with so many lines of text."""
    return lines * LINE_PITCH + 2 * PADDING


class Page:
    """Draws on axes that cover the whole figure.

    Args:
        figure: its size in inches is the size of the page.
    """

    def __init__(self, figure: Figure) -> None:
        figure.set_layout_engine("none")  # every place on the page is given
        width, height = figure.get_size_inches()
        self.axes = figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)

    def box(self, box: Box, lines: Sequence[Line], *, edge: str = INK, face: str = "white") -> Box:
        """Draw a box with its lines of text in the middle."""
        corner = (box.x - box.width / 2, box.y - box.height / 2)
        self.axes.add_patch(
            FancyBboxPatch(
                corner, box.width, box.height, boxstyle="round,pad=0,rounding_size=0.04", facecolor=face, edgecolor=edge, linewidth=LINE_WIDTH, zorder=3
            )
        )
        first = box.y - (len(lines) - 1) / 2 * LINE_PITCH
        for i, line in enumerate(lines):
            self.axes.text(box.x, first + i * LINE_PITCH, line.text, ha="center", va="center_baseline", zorder=4, **FONTS[line.kind])
        return box

    def panel(self, left: float, top: float, right: float, bottom: float, color: str) -> None:
        """Draw a tinted area behind the boxes that belong together."""
        style = "round,pad=0,rounding_size=0.08"
        self.axes.add_patch(FancyBboxPatch((left, top), right - left, bottom - top, boxstyle=style, facecolor=color, edgecolor="none", alpha=0.16, zorder=0))

    def arrow(self, *points: Point, dashed: bool = False, color: str = INK) -> None:
        """Draw an arrow along straight lines from the first point to the last; a dashed one has an open head, too."""
        corners = np.array(points)
        step = corners[-1] - corners[-2]
        length = float(np.hypot(*step))
        ahead, head_length = step / max(length, 1e-9), min(HEAD, 0.9 * length)
        base, across = corners[-1] - head_length * ahead, HEAD * 0.45 * np.array([-ahead[1], ahead[0]])
        line = np.vstack([corners[:-1], base])
        style: Any = DASHES if dashed else "solid"
        self.axes.plot(line[:, 0], line[:, 1], color=color, linewidth=LINE_WIDTH, linestyle=style, solid_capstyle="butt", dash_capstyle="butt", zorder=2)
        head = {"facecolor": "white" if dashed else color, "edgecolor": color, "linewidth": LINE_WIDTH * 0.8, "joinstyle": "miter", "zorder": 2.5}
        self.axes.add_patch(Polygon([corners[-1], base + across, base - across], closed=True, **head))

    def text(self, x: float, y: float, text: str, **settings: Any) -> None:
        """Write one or more lines; centred unless `ha` and `va` say otherwise."""
        self.axes.text(x, y, text, **{"ha": "center", "va": "center_baseline", "fontsize": 7, "color": INK, "linespacing": 1.25, "zorder": 4} | settings)

    def picture(self, pixels: NDArray[np.uint8], left: float, top: float, width: float, height: float) -> None:
        """Show uint8 [H, W, 3], stretched to this place, in a thin frame."""
        self.raster(pixels, left, top, width, height, "antialiased")
        self.axes.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor=INK, linewidth=0.4, zorder=4))

    def raster(self, pixels: NDArray[np.uint8], left: float, top: float, width: float, height: float, interpolation: str = "nearest") -> None:
        """Show uint8 [H, W, 3], or [H, W, 4] with transparency, stretched to this place: sharp squares where the interpolation is "nearest"."""
        extent = (left, left + width, top + height, top)
        self.axes.imshow(pixels, extent=extent, aspect="auto", interpolation=interpolation, zorder=3)

    def bar(self, left: float, top: float, width: float, height: float, color: str) -> None:
        """Fill a rectangle."""
        self.axes.add_patch(Rectangle((left, top), width, height, facecolor=color, edgecolor="none", zorder=3))


def widest(lines: Sequence[Line]) -> float:
    """Width in inches of the widest of these lines."""
    return max((_width(line) for line in lines), default=0.0)


@lru_cache(maxsize=1024)
def _width(line: Line) -> float:
    widths = []
    with figure_style():
        for dpi in MEASURED_AT:
            figure = Figure(figsize=(1, 1), dpi=dpi)
            text = figure.text(0, 0, line.text, **FONTS[line.kind])
            widths.append(text.get_window_extent(FigureCanvasAgg(figure).get_renderer()).width / dpi)
    return float(max(widths))


def shape_text(shape: Sequence[int]) -> str:
    """A tensor's shape: 256×16×8, 512-d."""
    return f"{shape[0]}-d" if len(shape) == 1 else "×".join(str(size) for size in shape)


def count_text(count: int) -> str:
    """A number of parameters with three digits: 97, 33.2 k, 1.23 M, 23.5 M."""
    value = float(count)
    for unit in ("", " k", " M", " G"):
        rounded = float(f"{value:.3g}")
        if rounded < 1000 or unit == " G":
            break
        value /= 1000
    return f"{count}" if not unit else f"{rounded:.{max(0, 3 - len(str(int(rounded))))}f}{unit}"
