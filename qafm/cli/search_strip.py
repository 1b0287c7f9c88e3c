"""Search results as a picture: one row per query, the query in front."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qafm.cli.found import FoundHit, FoundQuery
from qafm.cli.image_files import shown
from qafm.config.figures import StyleConfig
from qafm.figures.drawing.image_grid import (
    MARGIN,
    TITLE,
    Frame,
    Grid,
    Picture,
    blank_figure,
    common_aspect,
    draw_grid,
    draw_text,
    fit_text,
    load_pixels,
    text_height,
)
from qafm.figures.drawing.style import GREY, QUERY, RIGHT, WRONG, figure_style, save_figure
from qafm.runtime.errors import InputError

_CELL = 0.85  # inches
_NARROWEST = 6.4  # inches, for the title
_DPI = 160
_FRAMES = {True: Frame(RIGHT, "solid", 1.8), False: Frame(WRONG, "dashed", 1.8), None: Frame()}
_ABSENT = np.full((64, 32, 3), 235, np.uint8)  # where the picture is not found


def draw_search_strip(found: Sequence[FoundQuery], subtitle: str, path: Path) -> None:
    """Write a PNG.

    Args:
        found: queries with their hits.
        subtitle: what was searched by what.
        path: the file.

    Raises:
        InputError: a picture cannot be read.
    """
    columns = 1 + max(len(query.hits) for query in found)
    cells = [cell for query in found for cell in _row(query, columns, named=len(found) > 1)]
    width = columns * _CELL
    grid = Grid(cells, columns, width, common_aspect([cell for cell in cells if cell is not None]))
    top = MARGIN + text_height(1.4, TITLE) + text_height(1.6)
    style = StyleConfig(width_in=max(width, _NARROWEST) + 2 * MARGIN, dpi=_DPI)
    with figure_style():
        figure = blank_figure(style, top + grid.height + MARGIN)
        draw_text(figure, fit_text(_title(found), style.width_in - 2 * MARGIN, TITLE, bold=True), MARGIN, MARGIN, size=TITLE, bold=True)
        draw_text(figure, fit_text(subtitle, style.width_in - 2 * MARGIN), MARGIN, MARGIN + text_height(1.4, TITLE), color=GREY)
        draw_grid(figure, grid, MARGIN, top)
        save_figure(figure, "", [path])


def _title(found: Sequence[FoundQuery]) -> str:
    return f"Nearest images of {shown(found[0].image)}" if len(found) == 1 else f"Nearest images of {len(found)} queries"


def _row(query: FoundQuery, columns: int, *, named: bool) -> list[Picture | None]:
    q = () if np.isnan(query.q) else (f"Q {query.q:.3f}",)
    name = (fit_text(shown(Path(query.image.name)), 0.9 * _CELL),) if named else ()
    asked = Picture(load_pixels(query.image), (*q, f"w {query.visual_weight:.3f}", *name), "query", Frame(QUERY, "solid", 1.8))
    cells: list[Picture | None] = [asked, *(_hit(one) for one in query.hits)]
    return cells + [None] * (columns - len(cells))


def _hit(one: FoundHit) -> Picture:
    pixels = _pixels(one.file)
    who = [f"{name} {value}" for name, value in (("id", one.hit.pid), ("cam", one.hit.camid)) if value is not None]
    lost = ("no picture",) if pixels is None else ()
    return Picture(_ABSENT if pixels is None else pixels, (f"d {one.hit.distance:.3f}", *who, *lost), f"{one.mark} {one.hit.rank}".strip(), _FRAMES[one.right])


def _pixels(file: Path | None) -> np.ndarray | None:
    """The picture; None where there is none, or where what was embedded once is no picture any more."""
    try:
        return None if file is None else load_pixels(file)
    except InputError:
        return None
