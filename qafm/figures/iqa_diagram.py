"""The drawing of Figure 3: above an image and its perturbations, below the extractor, the vectors, their distances and Q(I)."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qafm.config.figures import StyleConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.quality import QualityConfig
from qafm.figures.drawing.block_diagram import LINE_PITCH, PADDING, Box, Line, Page, count_text, shape_text, text_height, widest
from qafm.figures.drawing.style import ACCENT, GREY, figure_style, new_figure
from qafm.figures.model_description import ModelDescription, network_name
from qafm.figures.variant_grid import arrange_variants
from qafm.perturbations.catalog import variant_families
from qafm.perturbations.stack import perturb as perturb_image

MARGIN, INSET = 0.05, 0.1
ORIGINAL = 0.8, 1.25  # largest width and height of the original's picture
NAME = Line("image I", "name")
LEAST_WIDTH = 3.8  # of the figure: below it the lower half does not fit
ARROW = 0.3  # from the original to its variants, and down to the extractor
HEADING, EQUATION = 0.36, 0.5  # heights above and below vectors and distances
SIDE = 1.3  # height of vectors and distances
LEAST_GAP, VECTOR = 0.1, 0.3  # between the parts of the lower half; width of the vectors
LEAST_LABEL_PITCH = 0.115
SHADES = ("#8c8c8c", "#bdbdbd")  # families in turn; their names stand beside them
ACROSS = "#e6e6e6"  # pairs of two families
EQUATIONS = {
    "all_pairs": r"Eq. 1:$\quad Q(I)\;=\;\dfrac{2}{N(N-1)}\;\sum_{i<j}\;\Vert f_i-f_j\Vert,\quad N=%d$",
    "reference": r"$Q(I)\;=\;\dfrac{1}{N-1}\;\sum_{i>0}\;\Vert f_0-f_i\Vert,\quad N=%d$",
}


def pair_count(variants: int, quality: QualityConfig) -> int:
    """Number of distances among the original and so many variants."""
    return variants if quality.mode == "reference" else variants * (variants + 1) // 2


def draw_iqa_branch(
    model: ModelDescription, pixels: NDArray[np.uint8], image_id: str, perturb: PerturbConfig, quality: QualityConfig, style: StyleConfig
) -> Figure:
    """Draw one image's way to Q(I).

    Args:
        model: the extractor's shapes and parameters.
        pixels: the image, uint8 [H, W, 3].
        image_id: with the seed, what its noise depends on.
        perturb: stage 2.
        quality: which distances are averaged, and of which vectors.
        style: size; a width below 3.8 inches is not drawn.
    """
    style = style.model_copy(update={"width_in": max(style.width_in, LEAST_WIDTH)})
    aspect = pixels.shape[1] / pixels.shape[0]
    scale = min(ORIGINAL[0] / aspect, ORIGINAL[1])  # height of the original
    original = scale * aspect, scale
    column = max(original[0], widest([NAME]))
    centre, grid_left = MARGIN + INSET + column / 2, MARGIN + INSET + column + ARROW
    with figure_style():
        grid = arrange_variants(perturb, aspect, style.width_in - MARGIN - INSET - grid_left)
        panel = MARGIN + 2 * INSET + max(grid.height, original[1] + HEADING)
        height = panel + ARROW + HEADING + SIDE + EQUATION
        figure = new_figure(style, height / style.width_in)
        page = Page(figure)
        page.panel(MARGIN, MARGIN, style.width_in - MARGIN, panel, GREY)
        middle = (MARGIN + panel) / 2
        page.picture(pixels, centre - original[0] / 2, middle - original[1] / 2, *original)
        page.text(centre, middle - original[1] / 2 - 0.09, NAME.text, fontweight="bold")
        page.arrow((centre + original[0] / 2 + 0.04, middle), (grid_left - 0.06, middle))
        stack = perturb_image(pixels, image_id, perturb)
        top = middle - grid.height / 2
        for shown in grid.pictures:
            page.picture(stack[shown.variant], grid_left + shown.left, top + shown.top, *grid.picture)
        for title in grid.titles:
            page.text(grid_left + title.x, top + title.y, title.text, ha="left", fontweight="bold")
        for label in grid.labels:
            page.text(grid_left + label.x, top + label.y, label.text)
        _draw_flow(page, model, variant_families(perturb), quality, panel, style.width_in)
    return figure


def _draw_flow(page: Page, model: ModelDescription, families: tuple[str, ...], quality: QualityConfig, panel: float, width: float) -> None:
    """Extractor -> vectors -> distances -> Q(I), spread over the width; `panel` is where the upper half ends."""
    count = 1 + len(families)
    feature = shape_text(model.input("extractor.neck.norm"))
    parameters = f"{count_text(model.parameters('extractor.trunk', 'extractor.pool'))} par."
    extractor = [
        Line("extractor", "name"),
        Line(network_name(model.config["extractor"]["name"])),
        Line(shape_text(model.inputs["extractor"])),
        Line(parameters),
    ]
    score = [Line("Q(I)", "name"), Line("mean distance"), Line("low: stable"), Line("high: unstable")]
    names = ["original", *dict.fromkeys(families)]
    widths = [widest(extractor) + 2 * PADDING, widest([Line(name) for name in names]) + 0.04 + VECTOR, 0.0, widest(score) + 2 * PADDING]
    room = width - 2 * (MARGIN + INSET) - sum(widths)
    widths[2] = min(SIDE, room - 3 * LEAST_GAP)
    gap = (room - widths[2]) / 3
    lefts = MARGIN + INSET + np.concatenate([[0], np.cumsum(np.array(widths[:-1]) + gap)])
    top = panel + ARROW + HEADING
    middle = top + SIDE / 2
    box = page.box(Box(lefts[0] + widths[0] / 2, middle, widths[0], text_height(len(extractor))), extractor)
    page.arrow((box.x, panel), box.top)
    page.text(box.x + 0.06, panel + ARROW / 2, f"{count} images", ha="left")
    page.arrow(box.right, (lefts[1], middle))
    _draw_vectors(page, families, lefts[1], top)
    unit = "L2-normalised" if quality.normalize == "l2" else "as they are"
    _write_heading(page, lefts[1] + widths[1] / 2, top, f"{count} vectors, {feature}", unit)
    page.arrow((lefts[1] + widths[1], middle), (lefts[2], middle))
    page.raster(distance_picture(families, quality), lefts[2], top, widths[2], SIDE)
    which = "of all pairs" if quality.mode == "all_pairs" else "to the original"
    _write_heading(page, lefts[2] + widths[2] / 2, top, f"{pair_count(len(families), quality)} distances", which)
    page.arrow((lefts[2] + widths[2] / 2 + 0.06, middle), (lefts[3], middle))
    page.box(Box(lefts[3] + widths[3] / 2, middle, widths[3], text_height(len(score))), score)
    page.text(width / 2, top + SIDE + EQUATION / 2, EQUATIONS[quality.mode] % count, fontsize=9)


def _write_heading(page: Page, x: float, top: float, *lines: str) -> None:
    """Two lines above what begins at `top`."""
    for i, line in enumerate(lines):
        page.text(x, top - 0.13 - (len(lines) - 1 - i) * LINE_PITCH, line)


def _draw_vectors(page: Page, families: tuple[str, ...], left: float, top: float) -> None:
    """A bar for each vector, the original's first, and the families' names beside them."""
    row = SIDE / (1 + len(families))
    labels: dict[str, list[int]] = {"original": [0]}
    for variant, family in enumerate(families, 1):
        labels.setdefault(family, []).append(variant)
    for number, (name, members) in enumerate(labels.items()):
        for member in members:
            page.bar(left, top + (member + 0.12) * row, VECTOR, 0.76 * row, ACCENT if name == "original" else SHADES[number % 2])
    below = -np.inf
    for name, members in labels.items():
        y = max(top + (members[0] + members[-1] + 1) / 2 * row, below + LEAST_LABEL_PITCH)
        page.text(left + VECTOR + 0.04, y, name, ha="left")
        below = y


def distance_picture(families: tuple[str, ...], quality: QualityConfig) -> NDArray[np.uint8]:
    """Which pairs are measured, below the diagonal: uint8 [N, N, 4], pairs with the original in colour, pairs within a family in its shade."""
    names = ["original", *families]
    order = {name: number for number, name in enumerate(dict.fromkeys(names))}
    picture = np.zeros((len(names), len(names), 4), np.uint8)
    for i, of_i in enumerate(names):
        for j, of_j in enumerate(names[:i]):
            if j and quality.mode == "reference":
                continue
            color = ACCENT if j == 0 else SHADES[order[of_i] % 2] if of_i == of_j else ACROSS
            picture[i, j] = (*bytes.fromhex(color[1:]), 255)
    return picture
