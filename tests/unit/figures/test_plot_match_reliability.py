"""The figure of the probability of a match: what is drawn where, the caption's numbers, and a reason instead of an empty picture."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.figures.drawing.caption import read_caption
from qafm.figures.plot_match_reliability import draw_match_reliability, plot_match_reliability
from qafm.tables.calibration import CalibrationFile

STYLE = StyleConfig(dpi=60)


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value / 2, "high": min(1.0, value * 1.5)}


CONTENT = {
    "format": 1,
    "set": "made-up pairs",
    "reason": None,
    "prior": 0.25,
    "identities": 30,
    "images": 200,
    "cameras": 3,
    "genuine_pairs": 1500,
    "impostor_pairs": 22000,
    "identity_pairs": 435,
    "model": {"distance": [0.5, 1.5], "llr": [2, -2]},
    "false_matches": {"distance": [0.4, 1.8], "pairs": [0, 22000]},
    "measures": {"cllr": interval(0.3), "cllr_min": 0.25, "ece": 0.012, "ece_by_chance": 0.02, "eer": interval(0.08)},
    "reliability": [
        {"start": 0.1, "end": 0.2, "predicted": 0.15, "observed": interval(0.2), "genuine": 5, "impostor": 80},
        {"start": 0.8, "end": 0.9, "predicted": 0.86, "observed": interval(0.6), "genuine": 90, "impostor": 5},
    ],
    "det": [
        {"distance": 0.5, "false_match_rate": interval(0.01), "false_non_match_rate": interval(0.4)},
        {"distance": 0.9, "false_match_rate": interval(0.1), "false_non_match_rate": interval(0.05)},
        {"distance": 1.7, "false_match_rate": interval(0.9), "false_non_match_rate": interval(0.0)},  # no error left to draw
    ],
}


def test_both_panels_show_the_numbers() -> None:
    figure = draw_match_reliability(CalibrationFile.model_validate(CONTENT), "my run", STYLE)
    reliability, det = figure.axes
    points = next(line for line in reliability.lines if line.get_label().startswith("pairs"))
    np.testing.assert_allclose(points.get_xydata(), [[0.15, 0.2], [0.86, 0.6]])
    bars = reliability.collections[0].get_segments()
    np.testing.assert_allclose(np.array(bars), [[[0.15, 0.1], [0.15, 0.3]], [[0.86, 0.3], [0.86, 0.9]]])
    np.testing.assert_allclose(det.lines[0].get_xydata(), norm.ppf([[0.01, 0.4], [0.1, 0.05]]))
    band = {tuple(np.round(norm.cdf(corner), 6).tolist()) for corner in det.collections[0].get_paths()[0].vertices}  # type: ignore[union-attr]
    assert band == {(0.01, 0.2), (0.01, 0.6), (0.1, 0.025), (0.1, 0.075)}
    assert (det.get_xlabel(), det.get_ylabel()) == ("false-match rate (%)", "false-non-match rate (%)")
    assert (reliability.get_xlabel(), reliability.get_ylabel()) == ("predicted probability of one person", "share that is one person")
    assert [text.get_text() for text in det.get_xticklabels()] == ["1", "5", "20", "50"]
    assert [text.get_text() for text in det.get_yticklabels()] == ["5", "20", "50"]
    assert figure.get_suptitle() == "my run"


@pytest.mark.parametrize(("width", "beside"), [(6.4, True), (4.0, False)])
def test_narrow_figures_stack_the_panels(width: float, beside: bool) -> None:
    figure = draw_match_reliability(CalibrationFile.model_validate(CONTENT), "my run", STYLE.model_copy(update={"width_in": width}))
    figure.draw_without_rendering()
    left, right = (axes.get_position() for axes in figure.axes)
    assert (right.x0 > left.x1) == beside and (right.y1 < left.y0) != beside


def test_files_and_caption(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text(json.dumps(CONTENT))
    paths = [tmp_path / f"figure.{kind}" for kind in ("png", "svg", "rst")]
    plot_match_reliability(tmp_path / "calibration.json", "my run", STYLE, paths)
    assert all(path.stat().st_size > 500 for path in paths)
    caption = read_caption(paths[2])
    for text in (
        "Run: my run. Measured on made-up pairs: 1,500 pairs of one person, 22,000 of two, 3 cameras",
        "The prior is 0.25",
        "Cllr 0.300 bits [0.150, 0.450], at best 0.250 for this distance; ECE 1.20 %, by chance 2.00 %",
        "from distance 0.50 to 1.70",
        "equal error rate 8.00 % [4.00, 12.00]",
        "one in 435, the number of pairs of people",
    ):
        assert text in caption, text


def test_without_a_model_the_figure_says_why(tmp_path: Path) -> None:
    empty = CONTENT | {"model": None, "false_matches": None, "measures": None, "reliability": [], "det": [], "reason": "the test images are of one camera"}
    (tmp_path / "calibration.json").write_text(json.dumps(empty))
    plot_match_reliability(tmp_path / "calibration.json", "my run", STYLE, [tmp_path / "a.png", tmp_path / "a.rst"])
    assert read_caption(tmp_path / "a.rst") == "No probability of a match: the test images are of one camera. Run: my run."


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.json: cannot be read"):
        plot_match_reliability(tmp_path / "none.json", "my run", STYLE, [tmp_path / "a.png"])
