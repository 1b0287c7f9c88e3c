"""The report's Figures 1 to 4: one query and its first ranks by two systems, one above the other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from qafm.companions.slicenet.cases import Case, Kind, Place, SystemRanks, read_cases
from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.figures.drawing.answer_frames import FRAMES, MARKS, QUERY_FRAME
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
    load_pixels,
    text_height,
    wrap_text,
)
from qafm.figures.drawing.style import GREY, figure_style, save_figure
from qafm.figures.plot_nothing import plot_nothing
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet

QUERY_WIDTH, NARROWEST = 0.85, 0.4  # inches: the query's picture; a rank's


def plot_slicenet_cases(images: Path, cases: Path, described: Mapping[str, str], run: str, style: StyleConfig, paths: Mapping[Kind, Sequence[Path]]) -> None:
    """Draw a figure per kind of case; of a kind that no query is of, the figure says so.

    Args:
        images: images.parquet.
        cases: cases.json.
        described: system -> what it is, in words, for the caption.
        run: what the run is called in title and caption.
        style: size and resolution.
        paths: per kind the files to write, one per format; .rst is the caption.

    Raises:
        InputError: `cases` is damaged, an image is not in `images` or cannot be read.
    """
    systems, found = read_cases(cases)
    table = read_parquet(images, IMAGES_SCHEMA, ["image_id", "path"])
    files = dict(zip(table["image_id"].to_pylist(), table["path"].to_pylist(), strict=True))
    for kind, outputs in paths.items():
        if kind not in found:
            plot_nothing(f"No query of this run is right at rank 1 by {_by(kind, *systems)}.", run, style, outputs)
            continue
        case = found[kind]
        shown = (case.query, *(place.image_id for system in (case.first, case.second) for place in system.places))
        missing = next((name for name in shown if name not in files), None)
        if missing is not None:
            raise InputError(f"{images}: no image {missing}, which {cases} names")
        with figure_style():
            figure = draw_case(case, files, run, style)
            save_figure(figure, describe_case(case, described, run), outputs)


def draw_case(case: Case, files: Mapping[str, str], run: str, style: StyleConfig) -> Figure:
    """The figure of one case; `files` gives the path of each image."""
    width = style.width_in - 2 * MARGIN
    asked = Grid([_query_picture(case, files)], 1, QUERY_WIDTH, common_aspect([_query_picture(case, files)]))
    left = MARGIN + QUERY_WIDTH + 2 * GAP
    grids = [_grid(system, files, style.width_in - MARGIN - left) for system in (case.first, case.second)]
    titles = wrap_text(f"Right at rank 1 by {_by(case.kind, case.first.system, case.second.system)}. {run}", width, TITLE)
    top = MARGIN + text_height(len(titles) + 0.3, TITLE)
    below, heading = top + text_height(1.9), text_height(2.4)  # the query's name; a system's name and result
    answers = sum(heading + max(grid.height, text_height(1)) for grid in grids) + 2 * GAP
    figure = blank_figure(style, below + max(asked.height, answers) + MARGIN)
    for i, line in enumerate(titles):
        draw_text(figure, line, MARGIN, MARGIN + text_height(i, TITLE), size=TITLE)
    draw_text(figure, fit_text(f"query: {case.query}", width), MARGIN, top, color=GREY)
    draw_grid(figure, asked, MARGIN, below)
    for system, grid in zip((case.first, case.second), grids, strict=True):
        draw_text(figure, fit_text(system.system, style.width_in - MARGIN - left, bold=True), left, below, bold=True)
        draw_text(figure, fit_text(_result(system), style.width_in - MARGIN - left), left, below + text_height(1))
        draw_grid(figure, grid, left, below + heading)
        if not system.places:
            draw_text(figure, "no gallery image is ranked", left, below + heading, color=GREY)
        below += heading + max(grid.height, text_height(1)) + 2 * GAP
    return figure


def _grid(system: SystemRanks, files: Mapping[str, str], width: float) -> Grid:
    pictures = [_place_picture(rank, place, files) for rank, place in enumerate(system.places, start=1)]
    columns = fill_columns(max(len(pictures), 10), width, NARROWEST)
    return Grid(pictures, columns, width, common_aspect(pictures))


def _query_picture(case: Case, files: Mapping[str, str]) -> Picture:
    lines = (*_camera(case.camid), f"{case.n_relevant} right image{'s' * (case.n_relevant != 1)}")
    return Picture(load_pixels(Path(files[case.query])), lines, "query", QUERY_FRAME)


def _place_picture(rank: int, place: Place, files: Mapping[str, str]) -> Picture:
    lines = (f"d {place.distance:.2f}", *_camera(place.camid))
    return Picture(load_pixels(Path(files[place.image_id])), lines, f"{MARKS[place.right]} {rank}", FRAMES[place.right])


def _camera(camid: int | None) -> tuple[str, ...]:
    return () if camid is None else (f"cam {camid}",)


def _result(system: SystemRanks) -> str:
    right = sum(place.right for place in system.places)
    return f"AP {100 * system.ap:.1f} %, {right} of {len(system.places)} ranks right, the first at rank {system.first_rank}"


def _by(kind: Kind, first: str, second: str) -> str:
    alone = {"first_helps": first, "second_helps": second}.get(kind)
    return f"{alone} alone" if alone else f"{kind} {first} {'and' if kind == 'both' else 'nor'} {second}"


def describe_case(case: Case, described: Mapping[str, str], run: str) -> str:
    """The caption."""
    both = (case.first, case.second)
    camera = "" if case.camid is None else f", camera {case.camid}"
    systems = " and ".join(f"{system.system} ({described[system.system]})" for system in both)
    results = "; ".join(f"{system.system}: {_result(system)}" for system in both)
    return (
        "One query ranked by two systems, as in the Figures 1 to 4 of COL780's report: right at rank 1 by "
        f"{_by(case.kind, case.first.system, case.second.system)}; {run}. Left, in a blue frame, the query, image {case.query} (identity {case.pid}{camera}), "
        f"which has {case.n_relevant} right gallery image{'s' * (case.n_relevant != 1)}. Beside it the nearest gallery images by {systems}, nearest first, "
        "those that the protocol removes left out: a green solid frame and ✓ mean the same identity, a vermillion dashed frame and ✗ another. d is the "
        f"Euclidean distance of the L2-normalised descriptors, in [0, 2]; AP is over the whole list. {results}. {case.rule}"
    )
