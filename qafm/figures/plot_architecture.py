"""Figure 2: the architecture. Every name, shape and number in it is read from architecture.json, so it shows the networks that a run builds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from qafm.config.figures import StyleConfig
from qafm.figures.architecture_blocks import (
    APAN,
    APAN_HEADS,
    APN,
    APN_HEADS,
    FC,
    LANES,
    MEETING,
    MIDDLE,
    NECK,
    START,
    STEPS,
    Architecture,
    Place,
    build_architecture,
)
from qafm.figures.architecture_caption import architecture_caption
from qafm.figures.drawing.block_diagram import LINE_PITCH, PADDING, Box, Line, Page, Point, count_text, text_height, widest
from qafm.figures.drawing.style import ATTRIBUTE, GALLERY, RIGHT, VISUAL, figure_style, new_figure, save_figure
from qafm.figures.model_description import ModelDescription, read_description

GAP, ROW_GAP = 0.075, 0.19  # least mean distance of boxes side by side, and one above the other, inches
MARGIN, LEAST_ROW = 0.05, 0.4
TRAINING_ONLY = "#e4e4e4"
# What belongs together: colour, first and last step, first and last lane, title and its place.
PANELS = {
    "visual": (VISUAL, (START, MEETING), (APN_HEADS, APN), "Visual branch, APN", Place(START, APN_HEADS)),
    "attribute": (ATTRIBUTE, (START, MEETING), (APAN, APAN_HEADS), "Attribute branch, APAN", Place(START, APAN_HEADS)),
    "head": (GALLERY, (FC, NECK), (APN, MIDDLE), "Fusion head", Place(FC, APN)),
    "weight_mlp": (RIGHT, (START + 1, MEETING - 1), (MIDDLE, MIDDLE), "", Place(START, MIDDLE)),
}


def plot_architecture(description: Path, run: str, style: StyleConfig, paths: Sequence[Path], *, computed: bool) -> None:
    """Draw both branches, the weight and the fusion head, each block with its name, its output shape and its parameters.

    Args:
        description: architecture.json of the run.
        run: what the run is called in the caption.
        style: size and formats. The flow runs from left to right where the width allows it, else downward.
        paths: files to write, one per format, and the caption.
        computed: whether Q is this run's own; else it is read from a file.

    Raises:
        InputError: `description` is missing or damaged.
    """
    model = read_description(description)
    save_figure(draw_architecture(model, style, computed=computed), architecture_caption(model, run, computed=computed), paths)


def draw_architecture(model: ModelDescription, style: StyleConfig, *, computed: bool = True) -> Figure:
    """The figure of `plot_architecture`; wider than asked for where its text needs it."""
    drawn = build_architecture(model, computed=computed)
    with figure_style():
        layout = _Layout(drawn, style.width_in)
        figure = new_figure(style.model_copy(update={"width_in": layout.width}), layout.height / layout.width)
        page = Page(figure)
        for name, (color, steps, lanes, title, place) in PANELS.items():
            if model.has("weight_mlp") or name != "weight_mlp":
                page.panel(*layout.area(steps, lanes), color)
            if title:
                _write_title(page, layout, title, f"{count_text(model.totals[name]['all'])} par.", place)
        boxes = {name: layout.box(block.place, len(block.lines)) for name, block in drawn.blocks.items()}
        for name, block in drawn.blocks.items():
            page.box(boxes[name], block.lines, face=TRAINING_ONLY if block.training_only else "white")
        for flow in drawn.flows:
            places = drawn.blocks[flow.start].place, drawn.blocks[flow.end].place
            page.arrow(*_route(boxes[flow.start], boxes[flow.end], *places, rightward=layout.rightward), dashed=flow.dashed)
        _draw_legend(page, *layout.area((FC, NECK), (APAN, APAN_HEADS))[:2])
    return figure


class _Layout:
    """From places of the grid to boxes on the page: rightward where eight steps fit side by side, else downward.

    Args:
        drawn: the blocks, whose texts decide.
        width: of the page, inches; made larger where even the lanes do not fit side by side.
    """

    def __init__(self, drawn: Architecture, width: float) -> None:
        by_lane = [[line for block in drawn.blocks.values() if block.place.lane == lane for line in block.lines] for lane in range(LANES)]
        lanes = np.array([widest(lines) + 2 * PADDING for lines in by_lane])
        columns = np.full(STEPS, lanes.max())
        self.rightward = _least_width(columns) <= width
        self.columns = columns if self.rightward else lanes  # widths of the boxes
        self.width = max(width, _least_width(self.columns))
        self.column_edges = MARGIN + np.concatenate([[0], np.cumsum(self.columns + self._room())])
        heights = [LEAST_ROW] * (LANES if self.rightward else STEPS)
        for block in drawn.blocks.values():
            row = block.place.lane if self.rightward else block.place.step
            if row == int(row):
                heights[int(row)] = max(heights[int(row)], text_height(len(block.lines)))
        self.row_edges = MARGIN + np.concatenate([[0], np.cumsum([height + ROW_GAP for height in heights])])
        self.height = float(self.row_edges[-1]) + MARGIN

    def _room(self) -> np.ndarray:
        """Free width of each column: even for steps; of the lanes the middle one gets most, for the arrows into it tell solid from dashed."""
        shares = np.ones(STEPS) if self.rightward else np.array([1, 3, 4, 3, 1])
        return (self.width - 2 * MARGIN - self.columns.sum()) * shares / shares.sum()

    def box(self, place: Place, lines: int) -> Box:
        """The box of a block with so many lines."""
        column, row = (place.step, place.lane) if self.rightward else (place.lane, place.step)
        return Box(_between(self.column_edges, column), _between(self.row_edges, row), float(self.columns[int(column)]), text_height(lines))

    def area(self, steps: tuple[int, int], lanes: tuple[int, int]) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the cells from the first to the last step and lane."""
        columns, rows = (steps, lanes) if self.rightward else (lanes, steps)
        inset = 0.02
        left, right = self.column_edges[columns[0]] + inset, self.column_edges[columns[1] + 1] - inset
        return left, self.row_edges[rows[0]] + inset, right, self.row_edges[rows[1] + 1] - inset


def _least_width(columns: np.ndarray) -> float:
    """Width of a page with boxes of these widths side by side."""
    return float(columns.sum()) + GAP * len(columns) + 2 * MARGIN


def _between(edges: np.ndarray, cell: float) -> float:
    """Centre of a cell, or a point between the centres of two."""
    centres = (edges[:-1] + edges[1:]) / 2
    return float(np.interp(cell, np.arange(len(centres)), centres))


def _write_title(page: Page, layout: _Layout, title: str, total: str, place: Place) -> None:
    """Write a panel's title into its free cells: one line rightward, a word per line downward; its parameters below."""
    words = [title] if layout.rightward else title.split(" ")
    box = layout.box(place, 1)
    x, align = (box.left[0], "left") if layout.rightward else (box.x, "center")
    first = box.y - len(words) / 2 * LINE_PITCH
    for i, word in enumerate([*words, total]):
        page.text(x, first + i * LINE_PITCH, word, ha=align, fontweight="normal" if word == total else "bold")


def _route(start: Box, end: Box, of_start: Place, of_end: Place, *, rightward: bool) -> list[Point]:
    """Corners of the arrow between two boxes: straight within a step or a lane; else out of the lane first, and into the other box along the flow
    where that lies ahead, across the flow where it lies behind."""
    outward = of_end.lane > of_start.lane
    if of_start.lane == of_end.lane:
        return [start.right, end.left] if rightward else [start.bottom, end.top]
    if rightward:
        leave, enter = (start.bottom, end.top) if outward else (start.top, end.bottom)
    else:
        leave, enter = (start.right, end.left) if outward else (start.left, end.right)
    if of_start.step == of_end.step:
        return [leave, enter]
    if of_end.step > of_start.step:
        return [leave, (leave[0], end.y), end.left] if rightward else [leave, (end.x, leave[1]), end.top]
    if rightward:
        middle = (leave[1] + enter[1]) / 2
        return [leave, (leave[0], middle), (enter[0], middle), enter]
    middle = (leave[0] + enter[0]) / 2
    return [leave, (middle, leave[1]), (middle, enter[1]), enter]


def _draw_legend(page: Page, left: float, top: float) -> None:
    sample, pitch = 0.24, 0.19
    x, text = left + 0.08, left + 0.08 + sample + 0.08
    rows = [top + 0.16 + i * pitch for i in range(3)]
    for y, dashed, words in ((rows[0], False, "with gradient"), (rows[1], True, "no gradient back")):
        page.arrow((x, y), (x + sample, y), dashed=dashed)
        page.text(text, y, words, ha="left")
    page.box(Box(x + sample / 2, rows[2], sample, 0.12), [], face=TRAINING_ONLY)
    page.text(text, rows[2], "training only", ha="left")
    lines = [Line("name", "name"), Line("output shape"), Line("parameters"), Line("ℒ: loss", "loss")]
    page.box(Box(x + 0.4, rows[2] + 0.2 + text_height(4) / 2, 0.8, text_height(4)), lines)
