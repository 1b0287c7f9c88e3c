"""The figure: which points it has, that labels do not cover each other, and what the caption says."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qafm.companions.comparison.plot_comparison import Point, caption_comparison, draw_comparison, label_places, plot_comparison
from qafm.config.ablation import AblationConfig
from qafm.config.figures import StyleConfig
from qafm.evaluation.bootstrap import identity_interval
from qafm.figures.drawing.caption import read_caption
from tests.unit.companions.comparison.test_tables import OTHER_AP, PIDS, QAFM_AP, counts, files, system

CONFIG = AblationConfig(bootstrap_samples=200, seed=2)
STYLE = StyleConfig(dpi=80)


def point(number: int, mean: float, mflops: float, recipe: str = "own") -> Point:
    return Point(number, f"system {number}", recipe, mean, mean - 5, mean + 5, mflops)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 100), st.floats(100, 120)), min_size=1, max_size=12))
def test_labels_of_about_equal_cost_keep_their_distance_and_their_order(values: list[tuple[float, float]]) -> None:
    points = [point(i, mean, mflops) for i, (mean, mflops) in enumerate(values)]
    places = label_places(points, 4.0)
    order = sorted(range(len(points)), key=lambda i: (points[i].mean, i))
    gaps = np.diff([places[i] for i in order])
    assert (gaps > 4 - 1e-6).all()
    assert abs(np.mean(places) - np.mean([p.mean for p in points])) < 1e-6


def test_labels_with_room_stay_where_they_are() -> None:
    assert label_places([point(1, 10, 100), point(2, 20, 100), point(3, 10.5, 1000)], 4.0) == [10, 20, 10.5]
    assert label_places([point(1, 10, 100), point(2, 11, 100)], 4.0) == [8.5, 12.5]


def test_one_point_for_a_system_whose_recipes_are_one(tmp_path: Path) -> None:
    qafm, own = system("qafm", {"own": "", "common": ""}), system("siamese", {"own": ""}, (1, 2))
    common = system("siamese-common", {"common": ""}).model_copy(update={"system": own.system})
    gone = system("gone", {"own": ""})
    measured = [files(tmp_path, qafm, [QAFM_AP]), files(tmp_path, own, OTHER_AP), files(tmp_path, common, [QAFM_AP]), files(tmp_path, gone, [[]])]
    paths = [tmp_path / f"comparison.{kind}" for kind in ("png", "svg", "rst")]
    plot_comparison(measured, counts(tmp_path, [each.system for each in measured]), "some people, r10, small", CONFIG, STYLE, paths)
    assert all(path.stat().st_size > 0 for path in paths)
    caption = read_caption(paths[2])
    ap = 100 * np.mean(OTHER_AP, axis=0)
    low, high = identity_interval(ap, np.array(PIDS), samples=200, seed=2)
    assert f"Own recipe: SIAMESE {ap.mean():.2f} [{low:.2f}, {high:.2f}] at 1 MFLOPs." in caption
    assert "Own recipe is the common one: QAFM 58.33 [" in caption and "Common recipe: SIAMESE 58.33" in caption
    assert "GONE" not in caption and "some people, r10, small" in caption and "200 draws" in caption
    before = paths[0].read_bytes()
    plot_comparison(measured, tmp_path / "counts.json", "some people, r10, small", CONFIG, STYLE, paths)
    assert paths[0].read_bytes() == before


def test_nothing_measured_gives_a_figure_that_says_so(tmp_path: Path) -> None:
    gone = system("gone", {"own": ""})
    measured = [files(tmp_path, gone, [[]])]
    plot_comparison(measured, counts(tmp_path, [gone]), "some people", CONFIG, STYLE, [tmp_path / "c.png", tmp_path / "c.rst"])
    assert "No system was measured" in read_caption(tmp_path / "c.rst")


@pytest.mark.parametrize(("width", "panels"), [(6.4, "beside"), (3.5, "below")])
def test_rows_are_numbered_from_the_top_and_both_panels_show_all(width: float, panels: str) -> None:
    points = [point(1, 60, 11000, "both"), point(2, 50, 400, "own"), point(2, 55, 460, "common"), point(3, 20, 440, "own")]
    figure = draw_comparison(points, "a run", StyleConfig(width_in=width))
    rows, scatter = figure.axes
    assert [label.get_text() for label in rows.get_yticklabels()] == ["1  system 1", "2  system 2", "3  system 3"]
    assert rows.get_ylim()[0] > rows.get_ylim()[1]
    shown = [(line.get_xdata()[0], line.get_ydata()[0]) for line in rows.lines if line.get_marker() != "None"]  # type: ignore[index]
    assert shown == [(60, 1), (50, pytest.approx(2 - 0.17)), (55, pytest.approx(2 + 0.17)), (20, 3)]
    assert scatter.get_xscale() == "log" and sorted(text.get_text() for text in scatter.texts) == ["1", "2", "2", "3"]
    boxes = [axes.get_position() for axes in figure.axes]
    figure.canvas.draw()
    boxes = [axes.get_position() for axes in figure.axes]
    assert (boxes[1].x0 > boxes[0].x1) == (panels == "beside")


def test_the_caption_names_every_number() -> None:
    text = caption_comparison([point(1, 60, 11000, "both"), point(2, 50.123, 400)], "a run", 2000)
    assert "system 1 60.00 [55.00, 65.00] at 11,000 MFLOPs" in text and "system 2 50.12 [45.12, 55.12] at 400 MFLOPs" in text and "2,000 draws" in text
    assert "Common recipe: input size" in text
    assert "Common recipe" not in caption_comparison([point(1, 60, 11000, "own")], "a run", 2000)
