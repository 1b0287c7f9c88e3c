from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib.axes import Axes

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.style import figure_style
from qafm.figures.plot_q import caption_q, draw_q
from qafm.figures.weights_table import Weights

QUERY_Q = np.array([1.0, 1.1, 1.2, 1.9])
GALLERY_Q = np.array([2.0, 2.0, 1.5])
SIDES = {"query": Weights(QUERY_Q, np.full(4, 0.5)), "gallery": Weights(GALLERY_Q, np.full(3, 0.5), 2)}


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with figure_style():
        yield


def drawn_counts(axes: Axes) -> list[float]:
    """Heights of the filled histogram, bin by bin."""
    (outline,) = axes.patches
    return [float(y) for y in np.asarray(outline.get_path().vertices)[1:-1:2, 1]][:10]


def levels(axes: Axes) -> dict[str, float]:
    return {str(line.get_label()): float(np.asarray(line.get_xdata())[0]) for line in axes.get_lines()}


def test_histograms_share_their_bins() -> None:
    figure = draw_q(SIDES, "run", StyleConfig(bins=10))
    query, gallery = figure.axes
    assert drawn_counts(query) == np.histogram(QUERY_Q, 10, (1.0, 2.0))[0].tolist()
    assert drawn_counts(gallery) == np.histogram(GALLERY_Q, 10, (1.0, 2.0))[0].tolist()
    assert query.get_xlim() == gallery.get_xlim()


def test_mean_and_median_are_drawn_and_told() -> None:
    figure = draw_q(SIDES, "a run", StyleConfig())
    query, gallery = figure.axes
    assert levels(query) == {"mean": QUERY_Q.mean(), "median": np.median(QUERY_Q)}
    assert levels(gallery) == {"mean": GALLERY_Q.mean(), "median": 2.0}
    assert query.get_title(loc="left") == "query (4): mean 1.300, median 1.150, sd 0.3536"
    assert [text.get_text() for legend in figure.legends for text in legend.get_texts()] == ["mean", "median"]
    assert figure.get_suptitle() == "a run"


def test_equal_q_looks_equal_and_is_told() -> None:
    sides = {"query": Weights(np.full(5, 11.0), np.full(5, 0.5)), "gallery": Weights(np.full(9, 11.0), np.full(9, 0.5))}
    query = draw_q(sides, "run", StyleConfig(bins=10)).axes[0]
    assert query.get_title(loc="left") == "query (5): all 11.00"
    assert not levels(query)
    left, right = query.get_xlim()
    assert right - left > 0.5
    assert "Query: n = 5, all 11.00." in caption_q(sides, "run", computed=True, market1501=False)


def test_caption_has_the_numbers_of_both_sides() -> None:
    caption = caption_q(SIDES, "synthetic, seed 1", computed=False, market1501=False)
    assert caption.startswith("Distribution of Q(I), computed elsewhere and read from a file: the lower, the more stable. Run: synthetic, seed 1.")
    assert "Query: n = 4, mean 1.300, median 1.150, sd 0.3536, range 1.000 to 1.900." in caption
    assert "Gallery: n = 3, mean 1.833, median 2.000, sd 0.2357, range 1.500 to 2.000." in caption
    assert caption.endswith("no Q: 2 of the gallery.")


def test_a_long_name_is_broken_into_lines() -> None:
    figure = draw_q(SIDES, "name " * 30, StyleConfig(width_in=4))
    assert max(map(len, figure.get_suptitle().splitlines())) <= 56
