from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.caption import read_caption
from qafm.figures.drawing.style import figure_style
from qafm.figures.histories import read_histories
from qafm.figures.plot_training import caption_training, draw_training, over_seeds, plot_training
from qafm.figures.training_panels import kind_of, look_of, panels_of

FUSION = "epoch,apn_identity,global_identity,apan_attributes,apn_stripes,alpha,weight_mean,weight_sd,target_mean,weight_q_r\n"


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with figure_style():
        yield


@pytest.fixture
def histories(tmp_path: Path) -> list[tuple[str, int, Path]]:
    """Every stage, two seeds of all but the extractor; the weight learns from epoch 2 on."""
    texts = {
        "extractor": ["epoch,identity,triplet\n1,4,1\n2,3,0.5\n"],
        "apan": ["epoch,attributes\n1,9\n", "epoch,attributes\n1,7\n"],
        "apn": ["epoch,apn_identity,apn_triplet\n1,4,2\n2,3,1\n", "epoch,apn_identity,apn_triplet\n1,6,2\n2,5,1\n"],
        "fusion": [FUSION + "1,4,5,1,3,,,,,\n2,3,4,0.5,2,0.6,0.7,0.1,0.8,-0.5\n", FUSION + "1,6,5,1,3,,,,,\n2,5,4,0.5,2,0.4,0.5,0.1,0.8,0.5\n"],
        "mspa": ["epoch,global_identity,unheard\n1,5,2\n2,4,1\n"] * 2,
    }
    rows = []
    for stage, contents in texts.items():
        for seed, text in enumerate(contents, 1):
            path = tmp_path / f"{stage}-{seed}.csv"
            path.write_text(text)
            rows.append((stage, seed, path))
    return rows


def panel(figure: Figure, title: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_title(loc="left") == title)


def test_every_column_is_drawn_once_in_its_panel(histories: list[tuple[str, int, Path]]) -> None:
    curves = read_histories(histories)
    figure = draw_training(curves, "run", StyleConfig())
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        *("extractor: identity", "extractor: triplet", "apan: attributes", "apn: identity", "apn: triplet", "fusion: identity", "fusion: attributes"),
        *("fusion: loss of w", "fusion: mean and sd of w", "fusion: r of w and Q", "mspa: identity", "mspa: unheard"),
    ]
    assert sum(len(axes.get_lines()) for axes in figure.axes) == sum(len(stage.values) for stage in curves)
    assert {str(line.get_label()) for line in panel(figure, "fusion: identity").get_lines()} == {"APN", "APN's stripes", "fused"}


def test_lines_are_means_and_bands_the_range_of_the_seeds(histories: list[tuple[str, int, Path]]) -> None:
    figure = draw_training(read_histories(histories), "run", StyleConfig())
    axes = panel(figure, "apn: identity")
    np.testing.assert_array_equal(axes.get_lines()[0].get_xydata(), [[1, 5], [2, 4]])
    extent = axes.collections[0].get_paths()[0].get_extents()
    assert (extent.ymin, extent.ymax) == (3, 6)
    assert not panel(figure, "extractor: identity").collections


def test_the_weight_is_drawn_from_where_it_learns(histories: list[tuple[str, int, Path]]) -> None:
    figure = draw_training(read_histories(histories), "run", StyleConfig())
    axes = panel(figure, "fusion: mean and sd of w")
    lines = {str(line.get_label()): np.asarray(line.get_xydata()) for line in axes.get_lines()}
    np.testing.assert_allclose(lines["w"], [[2, 0.6]])
    np.testing.assert_allclose(lines["sd of w"], [[2, 0.1]])
    np.testing.assert_allclose(lines["target of w"], [[2, 0.8]])
    assert all(line.get_marker() == "o" for line in axes.get_lines())  # a line of one point would not be seen
    assert axes.get_ylim() == (0, 1)
    assert panel(figure, "fusion: r of w and Q").get_ylim() == (-1, 1)


def test_caption_has_last_values_seeds_and_epochs(histories: list[tuple[str, int, Path]]) -> None:
    caption = caption_training(read_histories(histories), "a run")
    assert "Run: a run." in caption and "bands: from the lowest to the highest seed" in caption
    assert "extractor (seed 1; last epoch 2): identity 3, triplet 0.5." in caption
    assert "apan (seeds 1, 2; last epoch 1): attributes 8 (7 to 9)." in caption
    assert "weight mean 0.6 (0.5 to 0.7)" in caption and "weight q r 0 (-0.5 to 0.5)" in caption
    assert "The weight learns from epoch 2 on" in caption


def test_without_a_weight_or_several_seeds_the_caption_is_silent_on_them(histories: list[tuple[str, int, Path]]) -> None:
    caption = caption_training(read_histories(histories[:1]), "run")
    assert "bands" not in caption and "learns" not in caption


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("width", [2.0, 4.0, 6.4, 12.0])
def test_any_width_has_room(width: float, histories: list[tuple[str, int, Path]]) -> None:
    figure = draw_training(read_histories(histories), "run", StyleConfig(width_in=width, dpi=50))
    figure.draw_without_rendering()
    boxes = [axes.get_window_extent() for axes in figure.axes]
    assert len(boxes) == 12 and all(box.width > 30 and box.height > 15 for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_each_format_is_written_and_equal_data_give_equal_bytes(histories: list[tuple[str, int, Path]], tmp_path: Path) -> None:
    kinds = ("png", "svg", "pdf", "rst")
    for name, rows in (("one", histories), ("two", histories[::-1])):
        plot_training(rows, "run of three", StyleConfig(dpi=60), [tmp_path / f"{name}.{kind}" for kind in kinds])
    for kind in kinds:
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert "run of three" in (tmp_path / "one.svg").read_text()
    assert "run of three" in read_caption(tmp_path / "one.rst")


def test_over_seeds_against_loops() -> None:
    values = np.array([[1.0, np.nan, np.nan, 4.0], [3.0, 5.0, np.nan, 2.0]])
    for found, expected in zip(over_seeds(values), ([1, 5, np.nan, 2], [2, 5, np.nan, 3], [3, 5, np.nan, 4]), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_panels_keep_losses_before_the_weight_and_unknown_columns_alone() -> None:
    groups = [list(group) for group in panels_of(["target_mean", "odd", "apn_triplet", "weight_sd", "other", "apan_identity", "apn_stripes"])]
    assert groups == [["apan_identity", "apn_stripes"], ["apn_triplet"], ["odd"], ["other"], ["target_mean", "weight_sd"]]
    assert kind_of("odd").title == "odd" and look_of("odd").label == ""


def test_a_line_is_of_the_network_its_column_is_named_after() -> None:
    for part, label in {"apn": "APN", "apan": "APAN", "global": "fused"}.items():
        for loss in ("identity", "triplet"):
            assert (kind_of(f"{part}_{loss}").title, look_of(f"{part}_{loss}").label) == (loss, label)
    assert kind_of("apan_attributes") == kind_of("attributes") and look_of("apan_attributes").label == "APAN"
    for part, (mean, sd) in {"weight": ("w", "sd of w"), "target": ("target of w", "sd of target")}.items():
        assert [look_of(f"{part}_{what}").label for what in ("mean", "sd", "q_r")] == [mean, sd, mean]


def test_no_two_lines_of_a_panel_look_the_same_without_colour() -> None:
    names = ["apn_identity", "apn_stripes", "apan_identity", "global_identity"], ["weight_mean", "weight_sd", "target_mean", "target_sd"]
    for columns in names:
        assert len({look_of(column).line for column in columns}) == 4
