from collections.abc import Iterator

import numpy as np
import pytest
from scipy import stats

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.style import figure_style
from qafm.figures.plot_q_against_alpha import caption_q_against_alpha, dependence, draw_q_against_alpha
from qafm.figures.weights_table import Weights

Q = np.linspace(-1, 1, 41)


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with figure_style():
        yield


def test_dependence_against_scipy() -> None:
    rng = np.random.default_rng(3)
    q = rng.integers(0, 9, 50) / 4  # with ties
    w = 0.5 - 0.1 * q + rng.normal(0, 0.05, 50)
    found = dependence(Weights(q, w))
    assert found is not None
    line = stats.linregress(q, 1 - w)
    assert found.r == pytest.approx(stats.pearsonr(q, 1 - w).statistic)
    assert found.rho == pytest.approx(stats.spearmanr(q, 1 - w).statistic)
    assert (found.slope, found.intercept) == (pytest.approx(line.slope), pytest.approx(line.intercept))


def test_dependence_in_words() -> None:
    assert str(dependence(Weights(Q, 0.5 - 0.1 * Q))) == "r = 1.000, Spearman's rho = 1.000"
    falling = dependence(Weights(Q, 1.5 + 0.1 * Q))
    assert falling is not None and falling.fit == "alpha = -0.1 Q - 0.5"
    assert dependence(Weights(Q, np.full(41, 0.5))) is None
    assert dependence(Weights(np.ones(41), 0.5 + Q / 4)) is None
    assert dependence(Weights(Q[:1], Q[:1])) is None


def test_curve_and_fit_are_drawn_over_all_images() -> None:
    order = np.random.default_rng(0).permutation(41)
    sides = {"query": Weights(Q[order], 0.7 - 0.1 * Q[order] ** 2), "gallery": Weights(Q[:2], 0.5 - Q[:2] / 10)}
    figure = draw_q_against_alpha(sides, "a run", StyleConfig())
    axes = figure.axes[0]
    curve, fit = axes.get_lines()
    np.testing.assert_allclose(curve.get_xydata(), np.column_stack([Q, 0.3 + 0.1 * Q**2]))
    np.testing.assert_allclose(fit.get_xydata(), [[-1, 0.335], [1, 0.335]], atol=1e-9)
    assert float(np.asarray(axes.collections[0].get_array()).sum()) == 41
    assert axes.get_title(loc="left").splitlines()[0].startswith("query (41): r = ")
    assert axes.get_title(loc="left").endswith("linear fit: alpha = 0 Q + 0.335")
    (right,) = axes.child_axes
    figure.draw_without_rendering()
    for alpha in (0.3, 0.4):
        assert right.transData.transform((0, 1 - alpha))[1] == pytest.approx(axes.transData.transform((0, alpha))[1])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["alpha(Q)", "linear fit"]


def test_a_constant_weight_is_flat_and_told() -> None:
    sides = {name: Weights(Q, np.full(41, 0.5)) for name in ("query", "gallery")}
    axes = draw_q_against_alpha(sides, "run", StyleConfig()).axes[0]
    assert axes.get_title(loc="left") == "query (41): alpha is 0.5000 whatever Q"
    assert len(axes.get_lines()) == 1
    low, high = axes.get_ylim()
    assert high - low >= 0.02
    assert "Query: alpha is 0.5000 whatever Q; Q: n = 41" in caption_q_against_alpha(sides, "run", market1501=False)


def test_caption_has_the_numbers() -> None:
    sides = {"query": Weights(Q, 0.7 - 0.1 * Q), "gallery": Weights(np.full(3, 2.0), np.full(3, 0.25), 1)}
    caption = caption_q_against_alpha(sides, "a run", market1501=False)
    assert "Query: r = 1.000, Spearman's rho = 1.000, linear fit alpha = 0.1 Q + 0.3; Q: n = 41, mean" in caption
    assert "alpha: n = 41, mean 0.3000, median 0.3000, sd 0.0592, range 0.2000 to 0.4000." in caption
    assert "Gallery: alpha is 0.7500 whatever Q; Q: n = 3, all 2.000; alpha: n = 3, all 0.7500." in caption
    assert "Run: a run." in caption and "1 of the gallery" in caption
