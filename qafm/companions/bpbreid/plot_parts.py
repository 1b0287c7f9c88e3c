"""Companion c3: a query and its first ranks, each image beside what every compared embedding attends to."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from qafm.companions.bpbreid.part_distance import NOTHING_COMMON
from qafm.companions.bpbreid.ranked_parts import PartFiles, RankedParts, ShownImage, read_ranked_parts
from qafm.config.figures import ExamplesConfig, StyleConfig
from qafm.evaluation.choose_examples import choose_examples
from qafm.figures.drawing.answer_frames import FRAMES, MARKS, QUERY_FRAME
from qafm.figures.drawing.image_grid import GAP, MARGIN, TITLE, Frame, Grid, Picture, blank_figure, draw_grid, draw_text, text_height, wrap_text
from qafm.figures.drawing.map_colors import map_colors
from qafm.figures.drawing.style import GREY, figure_style, save_figure
from qafm.figures.plot_nothing import plot_nothing
from qafm.tables.activation_maps import MATCHES
from qafm.tables.examples import Example, Kind, read_examples

_SHOWN, _HIDDEN = Frame(GREY, "solid", 0.6), Frame(GREY, "dotted", 1.2)
_ASPECTS = (1.6, 2.4)  # lowest and tallest cell, height / width


def plot_parts(
    files: PartFiles,
    examples: ExamplesConfig,
    depth: int,
    run: str,
    style: StyleConfig,
    chosen: Path,
    paths: Mapping[Kind, Sequence[Path]],
    *,
    foreground: bool,
) -> None:
    """Draw a success and a failure: the query and its first ranks, a row each; beside each image the map of every embedding that is compared.

    Args:
        files: the images, and the tables of one variant and seed.
        examples: the named examples; without a name a stated rule chooses.
        depth: ranks to draw.
        run: what the run is called in title and caption.
        style: size and resolution.
        chosen: JSON to write: which queries were chosen, and how.
        paths: per kind the files to write, one per format; .rst is the caption.
        foreground: whether the ranking compares the first embedding beside the others.

    Raises:
        InputError: a table is damaged, a named query is not ranked, or an image cannot be read.
    """
    choose_examples(files.ranking, examples, chosen)
    found = read_examples(chosen)
    for kind, targets in paths.items():
        if kind not in found:
            plot_nothing(f"No query of this run has a {'right' if kind == 'success' else 'wrong'} first rank: no {kind} to show.", run, style, targets)
            continue
        ranked = read_ranked_parts(files, found[kind].query, depth, foreground=foreground)
        with figure_style():
            save_figure(draw_parts(ranked, kind, run, style), describe_parts(ranked, found[kind], run), targets)


def draw_parts(ranked: RankedParts, kind: Kind, run: str, style: StyleConfig) -> Figure:
    """The picture of one query."""
    width, columns = style.width_in - 2 * MARGIN, 1 + len(ranked.compared)
    aspect = float(np.clip(np.median([image.pixels.shape[0] / image.pixels.shape[1] for image in ranked.shown]), *_ASPECTS))
    rows = [Grid(_row(image, ranked.shown[0]), columns, width, aspect) for image in ranked.shown]
    cell_width = rows[0].cell_width
    titles = wrap_text(f"BPBReID, example of a {kind}: {_score(ranked)}. {run}", width, TITLE)
    headings = [wrap_text(name, cell_width) for name in ("image", *ranked.compared)]
    above = MARGIN + text_height(len(titles) + 0.3, TITLE)
    top = above + text_height(max(len(lines) for lines in headings) + 0.3)
    figure = blank_figure(style, top + sum(row.height + GAP for row in rows) - GAP + MARGIN)
    for i, line in enumerate(titles):
        draw_text(figure, line, MARGIN, MARGIN + text_height(i, TITLE), size=TITLE)
    for column, lines in enumerate(headings):
        middle = MARGIN + column * (cell_width + GAP) + cell_width / 2
        for i, line in enumerate(lines):
            draw_text(figure, line, middle, above + text_height(i), bold=True, centered=True)
    for row in rows:
        draw_grid(figure, row, MARGIN, top)
        top += row.height + GAP
    return figure


def _row(image: ShownImage, query: ShownImage) -> list[Picture]:
    """The image, then one map per embedding."""
    camera = () if image.camid is None else (f"camera {image.camid}",)
    if image.role == "query":
        first = Picture(image.pixels, camera, "query", QUERY_FRAME)
    else:
        right = image.role == "right"
        common = f"{(image.visible & query.visible).sum()} of {len(image.visible)} common"
        first = Picture(image.pixels, (f"d {image.distance:.3f}", common, *camera), f"{MARKS[right]} rank {image.rank}", FRAMES[right])
    return [first, *(_overlay(image, e) for e in range(len(image.maps)))]


def _overlay(image: ShownImage, e: int) -> Picture:
    """The image in grey under the map of embedding `e`; dotted where the image does not show it."""
    height, width = image.pixels.shape[:2]
    strength = cv2.resize(image.maps[e], (width, height), interpolation=cv2.INTER_LINEAR)  # [H, W]
    color = map_colors(MATCHES[0])(strength)  # RGBA [H, W, 4]
    grey = np.repeat(cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    mixed = grey * (1 - color[..., 3:]) + 255 * color[..., :3] * color[..., 3:]
    seen = f"{100 * image.confidence[e]:.0f} %" if image.visible[e] else f"hidden ({100 * image.confidence[e]:.0f} %)"
    apart = () if np.isnan(image.apart[e]) else (f"d {image.apart[e]:.3f}",)
    return Picture(mixed.round().astype(np.uint8), (seen, *apart), frame=_SHOWN if image.visible[e] else _HIDDEN)


def _score(ranked: RankedParts) -> str:
    right = sum(image.role == "right" for image in ranked.shown)
    found = "excluded, nothing right is in the gallery" if ranked.ap is None else f"AP {100 * ranked.ap:.1f} %"
    return f"{right} of the first {len(ranked.shown) - 1} ranks right, {found}"


def describe_parts(ranked: RankedParts, example: Example, run: str) -> str:
    """The caption."""
    query, *answers = ranked.shown
    of_ranks = "; ".join(f"rank {image.rank} {MARKS[image.role == 'right']} {'distractor' if image.pid == 0 else f'identity {image.pid}'}" for image in answers)
    hidden = sorted({name for image in ranked.shown for name, visible in zip(ranked.compared, image.visible, strict=True) if not visible})
    here = f"here: {'; '.join(hidden)}" if hidden else "none here"
    return (
        f"BPBReID, example of a {example.kind}; {run}. First row, in a blue frame, the query, image {query.image_id} (identity {query.pid}): {_score(ranked)}. "
        f"Below it the nearest gallery images, those that the protocol removes left out: {of_ranks or 'none'}. A green solid frame and ✓ mean the same "
        "identity, a vermillion dashed frame and ✗ another. Beside each image, in grey, the map of every embedding that is compared (bright: probability 1; "
        "bare grey: 0), the largest probability in it, and d, the Euclidean distance of the L2-normalised embedding to the query's. A dotted frame and "
        f"the word hidden mean that the part is nowhere the likeliest ({here}); it does not count then. d below an "
        f"image is the mean over what it has in common with the query, {NOTHING_COMMON:g} where that is nothing. {example.rule.strip().rstrip('.')}."
    )
