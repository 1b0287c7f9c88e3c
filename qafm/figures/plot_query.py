"""Figures 9 and 10: a query and its first ranks, right and wrong ones, with Q and the weight of every image."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

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
    fit_text,
    load_pixels,
    text_height,
    wrap_text,
)
from qafm.figures.drawing.style import GREY, figure_style, save_figure
from qafm.tables.examples import Kind
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet
from qafm.tables.ranking import RANKING_SCHEMA

RANKS, COLUMNS = 10, 5
QUERY_WIDTH = 1.8  # the query's cell in cells of the grid
_PAPER = {
    "success": "The paper's Figure 9 shows a query with alpha 0.374 and Q 10.70 whose ranks 1 to 9 are right and rank 10 is wrong",
    "failure": "The paper's Figure 10 shows a query with alpha 0.375 and Q 11.81 that is right at ranks 1, 2, 4, 5 and 7; the other five show one person",
}


@dataclass(frozen=True)
class Rank:
    """One gallery image; `alpha` is the published one, the weight of APAN."""

    rank: int
    image_id: str
    path: str
    pid: int
    camid: int | None
    right: bool
    distance: float
    q: float | None
    alpha: float


@dataclass(frozen=True)
class RankedQuery:
    """A query with its first ranks, nearest first."""

    image_id: str
    path: str
    pid: int
    camid: int | None
    q: float | None
    alpha: float
    n_relevant: int
    ap: float | None
    first_rank: int | None
    ranks: list[Rank]

    def at(self, right: bool) -> list[Rank]:
        """The ranks that are right, or those that are wrong."""
        return [rank for rank in self.ranks if rank.right == right]


def plot_query(images: Path, ranking: Path, query: str, kind: Kind, rule: str, run: str, style: StyleConfig, paths: Sequence[Path]) -> None:
    """Draw Figure 9 or 10: a query beside its first ten ranks.

    Args:
        images: images.parquet.
        ranking: ranking.parquet.
        query: image_id of the query.
        kind: "success" for Figure 9, "failure" for Figure 10.
        rule: a sentence that says how the query was chosen.
        run: what the run is called in title and caption.
        style: size and resolution.
        paths: files to write, one per format; .rst is the caption.

    Raises:
        InputError: the query is not in `ranking`, an image is not in `images` or cannot be read.
    """
    found = find_query(images, ranking, query)
    with figure_style():
        figure = draw_ranking(found, kind, run, style)
        save_figure(figure, describe_ranking(found, kind, rule, run), paths)


def find_query(images: Path, ranking: Path, query: str) -> RankedQuery:
    """Read a query and its first ranks.

    Raises:
        InputError: the query is not in `ranking`, or an image is not in `images`.
    """
    row = next((row for row in read_parquet(ranking, RANKING_SCHEMA).to_pylist() if row["image_id"] == query), None)
    if row is None:
        raise InputError(f"{ranking}: no query {query}")
    table = read_parquet(images, IMAGES_SCHEMA, ["image_id", "path"])
    files = dict(zip(table["image_id"].to_pylist(), table["path"].to_pylist(), strict=True))
    missing = [name for name in (query, *row["gallery_id"][:RANKS]) if name not in files]
    if missing:
        raise InputError(f"{images}: no image {missing[0]}, which {ranking} ranks")
    own = {name: row[name] for name in ("image_id", "pid", "camid", "q", "n_relevant", "ap", "first_rank")}
    return RankedQuery(**own, path=files[query], alpha=1 - row["visual_weight"], ranks=_ranks(row, files))


def _ranks(row: dict[str, Any], files: dict[str, str]) -> list[Rank]:
    lists = (row[name][:RANKS] for name in ("gallery_id", "gallery_pid", "gallery_camid", "right", "distance", "gallery_q", "gallery_weight"))
    return [
        Rank(rank, name, files[name], pid, camid, right, distance, q, 1 - weight)
        for rank, (name, pid, camid, right, distance, q, weight) in enumerate(zip(*lists, strict=True), start=1)
    ]


def draw_ranking(found: RankedQuery, kind: Kind, run: str, style: StyleConfig) -> Figure:
    """Figure 9 or 10 of this query.

    Raises:
        InputError: an image cannot be read.
    """
    width = style.width_in - 2 * MARGIN
    unit = (width - (COLUMNS - 1) * GAP - 2 * GAP) / (COLUMNS + QUERY_WIDTH)
    asked, answers = _query_picture(found), [_rank_picture(rank) for rank in found.ranks]
    left_grid = Grid([asked], 1, QUERY_WIDTH * unit, common_aspect([asked]))
    grid = Grid(answers, COLUMNS, COLUMNS * unit + (COLUMNS - 1) * GAP, common_aspect(answers))
    titles = wrap_text(f"Example of a {kind}: {_headline(found)}. {run}", width, TITLE)
    top = MARGIN + text_height(len(titles) + 0.2, TITLE)
    below = top + text_height(1.8)
    figure = blank_figure(style, below + max(left_grid.height, grid.height) + MARGIN)
    for i, line in enumerate(titles):
        draw_text(figure, line, MARGIN, MARGIN + text_height(i, TITLE), size=TITLE)
    draw_text(figure, fit_text(f"query: {found.image_id}", width), MARGIN, top, color=GREY)
    draw_grid(figure, left_grid, MARGIN, below)
    answers_left = MARGIN + left_grid.width + 2 * GAP
    draw_grid(figure, grid, answers_left, below)
    if not answers:
        draw_text(figure, "no gallery image is ranked", answers_left, below, color=GREY)
    return figure


def _headline(found: RankedQuery) -> str:
    unbroken = _ap(found).replace(" ", "\N{NO-BREAK SPACE}")
    return f"{len(found.at(right=True))} of the first {len(found.ranks)} ranks right, {unbroken}" if found.ranks else "nothing is ranked"


def _query_picture(found: RankedQuery) -> Picture:
    lines = (_q(found.q), f"α {found.alpha:.3f}", _ap(found), *_camera(found.camid), f"{found.n_relevant} right image{'s' * (found.n_relevant != 1)}")
    return Picture(load_pixels(Path(found.path)), lines, "query", QUERY_FRAME)


def _rank_picture(rank: Rank) -> Picture:
    lines = (f"d {rank.distance:.3f}", _q(rank.q), f"α {rank.alpha:.3f}", *_camera(rank.camid))
    return Picture(load_pixels(Path(rank.path)), lines, f"{MARKS[rank.right]} rank {rank.rank}", FRAMES[rank.right])


def _q(q: float | None) -> str:
    return "no Q" if q is None else f"Q {q:#.4g}"


def _ap(found: RankedQuery) -> str:
    return "AP excluded" if found.ap is None else f"AP {100 * found.ap:.1f} %"


def _camera(camid: int | None) -> tuple[str, ...]:
    return () if camid is None else (f"camera {camid}",)


def describe_ranking(found: RankedQuery, kind: Kind, rule: str, run: str) -> str:
    """The caption."""
    camera = "" if found.camid is None else f", camera {found.camid}"
    number = len(found.ranks)
    return (
        f"Example of a {kind}; {run}. Left, in a blue frame, the query, image {found.image_id} (identity {found.pid}{camera}): {_q(found.q)}, "
        f"alpha {found.alpha:.3f}, {_score(found)}. Beside it the {number} nearest gallery images, nearest first, those that the protocol removes left out: "
        f"a green solid frame and ✓ mean the same identity, a vermillion dashed frame and ✗ another. {_where(found)} d is the Euclidean distance of the "
        "L2-normalised descriptors, in [0, 2]; α, alpha, is the weight of the attribute branch APAN as published, the visual weight is w = 1 - alpha; "
        f"lower Q = more stable features. {rule.strip().rstrip('.')}. {_PAPER[kind]}; it prints cosine distances, which are d²/2."
    )


def _score(found: RankedQuery) -> str:
    count = f"{found.n_relevant} right gallery image{'s' * (found.n_relevant != 1)}"
    if found.ap is None:
        return f"{count}, so it is excluded from the metrics"
    return f"{_ap(found)} over {count}, the first of them at rank {found.first_rank}"


def _where(found: RankedQuery) -> str:
    """At which ranks the query is right and wrong, and whom the wrong ones show."""
    right, wrong = found.at(right=True), found.at(right=False)
    if not found.ranks:
        return "No gallery image is ranked."
    if not wrong:
        return "All are right."
    wrongly = f"wrong at {_numbers(rank.rank for rank in wrong)} ({_people(wrong)})."
    return f"Right at ranks {_numbers(rank.rank for rank in right)}; {wrongly}" if right else f"None is right: {wrongly}"


def _people(wrong: Sequence[Rank]) -> str:
    """Whom wrong images show, in the order of their first rank."""
    pids = list(dict.fromkeys(rank.pid for rank in wrong if rank.pid != 0))
    names = [f"identit{'y' if len(pids) == 1 else 'ies'} {_numbers(pids)}"] if pids else []
    return " and ".join([*names, *["distractors"] * any(rank.pid == 0 for rank in wrong)])


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
