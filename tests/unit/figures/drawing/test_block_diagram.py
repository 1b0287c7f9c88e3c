import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.block_diagram import HEAD, Box, Line, Page, count_text, shape_text, text_height, widest
from qafm.figures.drawing.style import figure_style, new_figure


@pytest.fixture
def page() -> Page:
    return Page(new_figure(StyleConfig(width_in=4), 0.5))


def test_counts_have_three_digits() -> None:
    texts = {0: "0", 97: "97", 999: "999", 1000: "1.00 k", 33_216: "33.2 k", 999_499: "999 k", 999_500: "1.00 M", 1_234_567: "1.23 M"}
    texts |= {9_999_999: "10.0 M", 23_508_032: "23.5 M", 108_571_607: "109 M", 2_345_000_000: "2.35 G"}
    assert {count: count_text(count) for count in texts} == texts


def test_shapes() -> None:
    assert [shape_text(shape) for shape in ([256, 16, 8], [512], [3, 4])] == ["256×16×8", "512-d", "3×4"]


def test_sides_of_a_box() -> None:
    box = Box(2, 1, 1, 0.5)
    assert (box.left, box.right, box.top, box.bottom) == ((1.5, 1), (2.5, 1), (2, 0.75), (2, 1.25))


def test_the_unit_is_the_inch_and_y_points_down(page: Page) -> None:
    figure = page.axes.get_figure()
    assert isinstance(figure, Figure)
    corner, inner = page.axes.transData.transform([(0, 0), (1, 0.5)])
    np.testing.assert_allclose(corner, (0, 2 * figure.dpi), atol=1e-6)
    np.testing.assert_allclose(inner, (figure.dpi, 1.5 * figure.dpi), atol=1e-6)


@pytest.mark.parametrize("dpi", [100, 120, 160, 200])
@pytest.mark.parametrize("kind", ["name", "plain", "loss"])
def test_text_fits_the_width_that_is_measured_for_it(dpi: int, kind: str) -> None:
    lines = [Line(text, kind) for text in ("2048×12×4", "pool, FC, BN", "$(1-w)\\,v_s]$", "ℒ: BCE, CE")]  # type: ignore[arg-type]
    with figure_style():
        page = Page(new_figure(StyleConfig(width_in=4, dpi=dpi), 0.5))
        page.box(Box(2, 1, 1, text_height(4)), lines)
        renderer = FigureCanvasAgg(page.axes.get_figure()).get_renderer()  # type: ignore[arg-type]
        extents = [text.get_window_extent(renderer) for text in page.axes.texts]
    assert max(extent.width for extent in extents) / dpi <= widest(lines) + 1e-6
    assert widest(lines) < 1
    tops = sorted(dpi * 2 - extent.y1 for extent in extents)
    assert tops[0] >= (1 - text_height(4) / 2) * dpi
    bottom = max(dpi * 2 - extent.y0 for extent in extents)
    assert bottom <= (1 + text_height(4) / 2) * dpi


def test_widths_grow_with_the_text() -> None:
    assert widest([]) == 0 < widest([Line("a")]) < widest([Line("a"), Line("aaa")]) < widest([Line("aaa", "name"), Line("a")])


def test_a_box_has_its_lines_in_order(page: Page) -> None:
    page.box(Box(1, 1, 0.8, 0.6), [Line("MFPM", "name"), Line("16×8×4"), Line("loss", "loss")], face="#e4e4e4")
    first, second, third = page.axes.texts
    assert [text.get_text() for text in (first, second, third)] == ["MFPM", "16×8×4", "loss"]
    assert first.get_position()[1] < second.get_position()[1] == 1 < third.get_position()[1]
    assert first.get_fontweight() == "bold" and third.get_fontstyle() == "italic" and second.get_fontweight() == "normal"
    (patch,) = [patch for patch in page.axes.patches if isinstance(patch, FancyBboxPatch)]
    assert patch.get_facecolor()[:3] == pytest.approx((0xE4 / 255,) * 3)


@pytest.mark.parametrize("dashed", [False, True])
def test_an_arrow_ends_at_its_last_point(page: Page, dashed: bool) -> None:
    page.arrow((0, 0), (0, 1), (1, 1), dashed=dashed)
    (line,), (head,) = page.axes.lines, [patch for patch in page.axes.patches if isinstance(patch, Polygon)]
    np.testing.assert_allclose(line.get_xydata(), [(0, 0), (0, 1), (1 - HEAD, 1)])
    np.testing.assert_allclose(head.get_xy()[0], (1, 1))
    assert line.is_dashed() == dashed
    assert (head.get_facecolor()[:3] == (1, 1, 1)) == dashed  # an open head says it where the line is too short


def test_a_short_arrow_has_a_short_head(page: Page) -> None:
    page.arrow((0, 0), (0.02, 0))
    (head,) = page.axes.patches
    assert head.get_xy()[1][0] > 0  # type: ignore[attr-defined]


def test_pictures_stand_upright_where_they_are_put(page: Page) -> None:
    pixels = np.zeros((2, 1, 3), np.uint8)
    pixels[0] = 255
    page.picture(pixels, 1, 0.5, 0.4, 0.8)
    (image,) = page.axes.images
    assert image.get_extent() == [1, 1.4, 1.3, 0.5]
    assert page.axes.get_ylim() == (2, 0)
    drawn = _render(page)
    dpi = int(page.axes.get_figure().dpi)  # type: ignore[union-attr]
    assert drawn[int(0.6 * dpi), int(1.2 * dpi), 0] == 255 and drawn[int(1.2 * dpi), int(1.2 * dpi), 0] == 0


def _render(page: Page) -> np.ndarray:
    canvas = FigureCanvasAgg(page.axes.get_figure())  # type: ignore[arg-type]
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())
