from collections.abc import Iterator

import numpy as np
import pytest

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.style import figure_style
from qafm.figures.plot_alpha import caption_alpha, draw_alpha
from qafm.figures.weights_table import Weights

SIDES = {"query": Weights(np.arange(3.0), np.array([0.6, 0.7, 0.8])), "gallery": Weights(np.arange(2.0), np.array([0.1, 0.3]))}
CONSTANT = {"query": Weights(np.arange(3.0), np.full(3, 0.5)), "gallery": Weights(np.arange(2.0), np.full(2, 0.5))}


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with figure_style():
        yield


def test_alpha_is_the_weight_of_apan_and_w_stands_on_top() -> None:
    figure = draw_alpha(SIDES, "run", StyleConfig(bins=10))
    query, gallery = figure.axes
    lines = [{str(line.get_label()): round(float(np.asarray(line.get_xdata())[0]), 6) for line in axes.get_lines()} for axes in (query, gallery)]
    assert lines == [{"mean": 0.3, "fixed 0.5 of the MSPA baseline": 0.5}, {"mean": 0.8, "fixed 0.5 of the MSPA baseline": 0.5}]
    (top,) = query.child_axes
    figure.draw_without_rendering()
    for alpha in (0.2, 0.3):
        assert top.transData.transform((1 - alpha, 0))[0] == pytest.approx(query.transData.transform((alpha, 0))[0])
    assert top.get_xlabel().startswith("visual weight")


def test_numbers_are_told() -> None:
    assert draw_alpha(SIDES, "run", StyleConfig()).axes[0].get_title(loc="left") == "query (3): mean 0.3000, median 0.3000, sd 0.0816"
    caption = caption_alpha(SIDES, "run", market1501=False)
    assert "Query: n = 3, mean 0.3000, median 0.3000, sd 0.0816, range 0.2000 to 0.4000." in caption
    assert "Gallery: n = 2, mean 0.8000, median 0.8000, sd 0.1000, range 0.7000 to 0.9000." in caption
    assert "same for every image" not in caption


def test_a_constant_weight_is_told_and_drawn_as_one_bar() -> None:
    query = draw_alpha(CONSTANT, "run", StyleConfig(bins=10)).axes[0]
    assert query.get_title(loc="left") == "query (3): all 0.5000"
    assert [line.get_label() for line in query.get_lines()] == ["fixed 0.5 of the MSPA baseline"]
    left, right = query.get_xlim()
    assert right - left >= 0.02
    caption = caption_alpha(CONSTANT, "run", market1501=False)
    assert "Query: n = 3, all 0.5000. Gallery: n = 2, all 0.5000. The weight is the same for every image." in caption
