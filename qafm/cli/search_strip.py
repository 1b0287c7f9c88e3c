"""Search results as a picture: a query in front, its hits beside it, in rows of at most HITS_PER_ROW; no more than ROWS rows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qafm.cli.found import FoundHit, FoundQuery
from qafm.cli.image_files import shown
from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.figures.drawing.answer_frames import FRAMES, QUERY_FRAME
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
from qafm.figures.drawing.style import GREY, figure_style, save_figure

HITS_PER_ROW = 12
ROWS = 30  # a picture of more is no picture: at 160 dpi these are some 10,000 pixels
_CELL = 0.85  # inches
_NARROWEST = 6.4  # inches, for the title
_DPI = 160
_FRAMES = {**FRAMES, None: Frame()}
_ABSENT = np.full((64, 32, 3), 235, np.uint8)  # where the picture is not found


def draw_search_strip(found: Sequence[FoundQuery], subtitle: str, path: Path) -> None:
    """Write a PNG. Where the queries take more than ROWS rows, the first ones are drawn and the title says so.

    Args:
        found: queries with their hits.
        subtitle: what was searched by what.
        path: the file.

    Raises:
        InputError: a picture cannot be read.
    """
    drawn = _that_fit(found)
    columns = 1 + min(HITS_PER_ROW, max(len(query.hits) for query in drawn))
    cells = [cell for query in drawn for cell in _rows(query, columns, named=len(found) > 1)]
    width = columns * _CELL
    grid = Grid(cells, columns, width, common_aspect([cell for cell in cells if cell is not None]))
    top = MARGIN + text_height(1.4, TITLE) + text_height(1.6)
    style = StyleConfig(width_in=max(width, _NARROWEST) + 2 * MARGIN, dpi=_DPI)
    with figure_style():
        figure = blank_figure(style, top + grid.height + MARGIN)
        draw_text(figure, fit_text(_title(found, len(drawn)), style.width_in - 2 * MARGIN, TITLE, bold=True), MARGIN, MARGIN, size=TITLE, bold=True)
        draw_text(figure, fit_text(subtitle, style.width_in - 2 * MARGIN), MARGIN, MARGIN + text_height(1.4, TITLE), color=GREY)
        draw_grid(figure, grid, MARGIN, top)
        save_figure(figure, "", [path])


def _that_fit(found: Sequence[FoundQuery]) -> Sequence[FoundQuery]:
    """The first queries whose rows are ROWS at most; always one."""
    ends = np.cumsum([max(1, -(-len(query.hits) // HITS_PER_ROW)) for query in found])
    return found[: max(1, int((ends <= ROWS).sum()))]


def _title(found: Sequence[FoundQuery], drawn: int) -> str:
    if len(found) == 1:
        return f"Nearest images of {shown(found[0].image)}"
    return f"Nearest images of {len(found)} queries" if drawn == len(found) else f"Nearest images of the first {drawn} of {len(found)} queries"


def _rows(query: FoundQuery, columns: int, *, named: bool) -> list[Picture | None]:
    """The query's cells, row after row; below the query nothing."""
    q = () if np.isnan(query.q) else (f"Q {query.q:.3f}",)
    name = (fit_text(shown(Path(query.image.name)), 0.9 * _CELL),) if named else ()
    asked = Picture(load_pixels(query.image), (*q, f"w {query.visual_weight:.3f}", *name), "query", QUERY_FRAME)
    cells: list[Picture | None] = []
    per_row, hits = max(1, columns - 1), query.hits[: ROWS * HITS_PER_ROW]
    for start in range(0, max(1, len(hits)), per_row):
        row = [None if start else asked, *(_hit(one) for one in hits[start : start + per_row])]
        cells += row + [None] * (columns - len(row))
    return cells


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
