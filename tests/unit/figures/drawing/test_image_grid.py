from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.figures.drawing.image_grid import (
    GAP,
    TITLE,
    Frame,
    Grid,
    Picture,
    blank_figure,
    common_aspect,
    draw_grid,
    draw_text,
    fill_columns,
    fit_text,
    grid_width,
    load_pixels,
    text_height,
    text_width,
    wrap_text,
)
from qafm.figures.drawing.style import figure_style


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def frames(figure: Figure) -> list[Rectangle]:
    return [artist for artist in figure.get_children() if isinstance(artist, Rectangle) and artist is not figure.patch]


def inches(figure: Figure, artist: Text | Rectangle) -> Bbox:
    """Where an artist lies, in inches from the lower left corner."""
    return artist.get_window_extent(figure.canvas.get_renderer()).transformed(figure.dpi_scale_trans.inverted())  # pyright: ignore


def assert_legible(figure: Figure) -> None:
    """Nothing is cut off, no two texts overlap, no text lies on a picture."""
    width, height = figure.get_size_inches()
    words, outlines = [inches(figure, text) for text in figure.texts], [inches(figure, frame) for frame in frames(figure)]
    for box, what in [*zip(words, texts(figure), strict=True), *((box, "frame") for box in outlines)]:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, what
    for (box, what), (other, name) in combinations([*zip(words, texts(figure), strict=True)], 2):
        assert not box.shrunk(0.98, 0.98).overlaps(other.shrunk(0.98, 0.98)), (what, name)
    for box, what in zip(words, texts(figure), strict=True):
        assert not any(box.shrunk(0.9, 0.9).overlaps(outline) for outline in outlines), what


def drawn(grid: Grid, width_in: float = 5.0) -> Figure:
    with figure_style():
        figure = blank_figure(StyleConfig(width_in=width_in, dpi=200), grid.height + 1)
        draw_grid(figure, grid, 0.5, 0.25)
    return figure


def test_load_pixels_keeps_small_images_and_shrinks_large_ones_in_shape(tmp_path: Path) -> None:
    small = noise(30, 20)
    cv2.imwrite(str(tmp_path / "small.png"), small[..., ::-1])
    np.testing.assert_array_equal(load_pixels(tmp_path / "small.png"), small)
    cv2.imwrite(str(tmp_path / "large.png"), np.full((3000, 1500, 3), (10, 20, 200), np.uint8))  # BGR
    large = load_pixels(tmp_path / "large.png")
    assert large.shape == (1000, 500, 3)
    assert large[500, 250].tolist() == [200, 20, 10]
    cv2.imwrite(str(tmp_path / "line.png"), noise(1, 4000))
    assert load_pixels(tmp_path / "line.png").shape == (1, 1000, 3)


def test_load_pixels_names_a_file_that_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "torn.jpg").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"torn\.jpg: cannot be decoded"):
        load_pixels(tmp_path / "torn.jpg")


def test_common_aspect_is_the_median_within_limits() -> None:
    assert common_aspect([Picture(noise(20, 10)), Picture(noise(10, 10)), Picture(noise(90, 60))]) == pytest.approx(1.5)
    assert common_aspect([Picture(noise(900, 2))]) == 2.5
    assert common_aspect([Picture(noise(2, 900))]) == 0.5
    assert common_aspect([]) == 2.0


@given(cells=st.integers(1, 40), width=st.floats(0.2, 8), narrowest=st.floats(0.1, 2))
def test_columns_are_the_fewest_rows_filled_evenly(cells: int, width: float, narrowest: float) -> None:
    columns = fill_columns(cells, width, narrowest)
    fitting = [n for n in range(1, cells + 1) if n * narrowest + (n - 1) * GAP <= width + 1e-9] or [1]
    rows = -(-cells // fitting[-1])
    assert -(-cells // columns) == rows
    assert columns == 1 or -(-cells // (columns - 1)) > rows  # one column less would need another row


def test_no_cells_have_one_column_and_no_height() -> None:
    assert fill_columns(0, 3.0, 0.5) == 1
    assert Grid([], 5, 3.0, 2.0).height == 0


def test_grid_width_bounds_the_cells() -> None:
    assert grid_width(2, 6.0, 1.0) == pytest.approx(2 + GAP)
    assert grid_width(2, 1.5, 1.0) == 1.5


def test_grid_height_is_the_sum_of_its_rows() -> None:
    pictures = [Picture(noise(4, 2), ("a", "b"), "head"), Picture(noise(4, 2)), None]
    grid = Grid(pictures, 2, 2 + GAP, 1.5)
    assert grid.cell_width == pytest.approx(1.0)
    text = text_height(3)
    assert 1.5 + text < grid.row_height < 1.5 + text + 0.1
    assert grid.height == pytest.approx(2 * grid.row_height + GAP)
    assert Grid([Picture(noise(4, 2))], 1, 1.0, 1.5).height == pytest.approx(1.5)


@pytest.mark.parametrize("text", ["rank 10", "✗ α 0.123", "Wide WWW"])
@pytest.mark.parametrize("bold", [False, True])
def test_text_width_is_what_is_drawn(text: str, bold: bool) -> None:
    with figure_style():
        figure = blank_figure(StyleConfig(dpi=200), 1)
        draw_text(figure, text, 0.5, 0.25, size=TITLE, bold=bold)
    box = inches(figure, figure.texts[0])
    assert box.width == pytest.approx(text_width(text, TITLE, bold), rel=0.06)
    assert 1 - 0.25 - text_height(1, TITLE) < box.y0 < box.y1 < 1 - 0.25 + 0.01
    assert box.x0 == pytest.approx(0.5, abs=0.02)


def test_text_can_be_centered_colored_and_is_never_a_formula() -> None:
    with figure_style():
        figure = blank_figure(StyleConfig(dpi=200), 1)
        draw_text(figure, "a$x^2$_b", 2.0, 0.5, centered=True, color="#0072B2")
        draw_text(figure, "line\nbreak 人", 2.0, 0.8)
    box = inches(figure, figure.texts[0])
    assert (box.x0 + box.x1) / 2 == pytest.approx(2.0, abs=0.02)
    assert box.width == pytest.approx(text_width("a$x^2$_b"), rel=0.06)
    assert figure.texts[0].get_color() == "#0072B2"
    assert texts(figure)[1] == "line break ?"  # the font has no such character


@given(text=st.text("abcWi. ", min_size=1, max_size=40), width=st.floats(0.1, 3))
def test_fitted_text_fits_and_keeps_both_ends(text: str, width: float) -> None:
    fitted = fit_text(text, width)
    assert text_width(fitted) <= max(width, text_width("…"))
    if fitted != text:
        assert text_width(text) > width
        start, end = fitted.split("…")
        assert text.startswith(start) and text.endswith(end) and 0 <= len(start) - len(end) <= 1


def test_fitting_depends_on_size_and_weight() -> None:
    name = "query/0174_c2s6_017743_00.jpg"
    lengths = [len(fit_text(name, 1.0, size, bold)) for size, bold in ((5.0, False), (7.0, False), (7.0, True))]
    assert lengths[0] > lengths[1] > lengths[2]


def test_wrapped_text_keeps_all_words_in_order() -> None:
    text = "Query images of lowest and highest Q. synthetic, r10, small, seed 1"
    lines = wrap_text(text, 2.0)
    assert len(lines) > 1 and " ".join(lines) == text
    assert all(text_width(line) <= 2.0 for line in lines)
    assert len(wrap_text(text, 2.0, TITLE)) > len(lines)
    assert wrap_text("x" * 99, 0.5)[0].count("…") == 1
    assert wrap_text("", 1.0) == [] and wrap_text(" a  b ", 1.0) == ["a b"]
    assert wrap_text("AP 82.9\u00a0%", text_width("AP 82.9")) == ["AP", "82.9\u00a0%"]


def test_pictures_keep_their_shape_and_their_place() -> None:
    shapes = [(40, 20), (20, 40), (30, 30), (3000, 3), (3, 3000)]
    pictures = [Picture(noise(*shape, seed=i), (f"number {i}",)) for i, shape in enumerate(shapes)]
    grid = Grid([*pictures[:2], None, *pictures[2:]], 3, 3.6, 2.0)
    figure = drawn(grid)
    assert len(figure.axes) == len(shapes)
    size = figure.get_size_inches()
    for cell, axes, picture in zip([0, 1, 3, 4, 5], figure.axes, pictures, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), picture.pixels)
        box = axes.get_position()
        left, bottom, width, height = box.x0 * size[0], box.y0 * size[1], box.width * size[0], box.height * size[1]
        rows, columns = picture.pixels.shape[:2]
        if max(rows / columns, columns / rows) < 10:
            assert height / width == pytest.approx(rows / columns)
        assert min(width, height) > 0.01
        cell_left = 0.5 + (cell % 3) * (grid.cell_width + GAP)
        floor = size[1] - 0.25 - (cell // 3) * (grid.row_height + GAP) - grid.cell_width * grid.aspect
        assert cell_left < left < left + width < cell_left + grid.cell_width
        assert (left + width / 2) == pytest.approx(cell_left + grid.cell_width / 2)
        assert floor < bottom < floor + 0.1 and height < grid.cell_width * grid.aspect
    assert texts(figure) == [f"number {i}" for i in range(5)]
    figure.canvas.draw()
    assert_legible(figure)


def test_frame_and_heading_say_the_same() -> None:
    dashed = Frame("#D55E00", "dashed", 1.5)
    figure = drawn(Grid([Picture(noise(40, 20), ("below",), "✗ rank 3", dashed), Picture(noise(40, 20))], 2, 3.0, 2.0))
    first, second = frames(figure)
    assert first.get_linestyle() in ("dashed", "--") and first.get_linewidth() == 1.5
    assert second.get_linestyle() in ("solid", "-") and second.get_linewidth() < 1
    heading, line = figure.texts
    assert (heading.get_text(), heading.get_color(), heading.get_fontweight()) == ("✗ rank 3", "#D55E00", "bold")
    assert (line.get_text(), line.get_color(), line.get_fontweight()) == ("below", "black", "normal")
    outline = inches(figure, first)
    axes = figure.axes[0].get_position()
    assert outline.x0 < axes.x0 * 5 < axes.x1 * 5 < outline.x1


def test_text_too_long_for_its_cell_is_shortened() -> None:
    figure = drawn(Grid([Picture(noise(40, 20), ("a_very_long_name_of_an_image.jpg",)), Picture(noise(40, 20), ("another_long_name.jpg",))], 2, 1.5, 2.0))
    assert all("…" in text for text in texts(figure))
    assert_legible(figure)
