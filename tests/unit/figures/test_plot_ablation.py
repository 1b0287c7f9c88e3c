import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.evaluation.bootstrap import identity_interval
from qafm.figures.ablation_scores import Bootstrap, read_scores
from qafm.figures.drawing.caption import read_caption
from qafm.figures.drawing.style import figure_style
from qafm.figures.plot_ablation import caption_ablation, draw_ablation, percent_limits, plot_ablation
from qafm.tables.table4 import PUBLISHED

PIDS = [1, 1, 2, 3, 3, 3]
Rows = list[tuple[int, str, Path]]
BOOTSTRAP = Bootstrap(50, 7)


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with figure_style():
        yield


def artifact(experiment: str, weight: float, rng: np.random.Generator, galleries: tuple[str, ...], spread: float = 0.0) -> dict[str, Any]:
    content = {}
    for gallery in galleries:
        first = rng.integers(1, 4, len(PIDS)).tolist()
        ap = [1.0 if rank == 1 else round(float(rng.uniform(0, 0.9)), 6) for rank in first]
        content[gallery] = {
            "visual_weight": weight,
            "visual_weight_sd": spread,
            "metrics": {"rank1": 0.0, "mAP": 0.0},
            "n_queries": len(PIDS),
            "queries": {"image_id": [f"{i}.jpg" for i in range(len(PIDS))], "pid": PIDS, "ap": ap, "first_rank": first},
        }
    return {"experiment": experiment, "note": "", "galleries": content}


def write(folder: Path, galleries: tuple[str, ...] = ("standard",), seeds: tuple[int, ...] = (1, 2)) -> Rows:
    """Artifacts of three fixed weights, the learned one, and a row that is not of Table 4 and has no first ranks."""
    rng = np.random.default_rng(0)
    fixed = (("fixed_alpha_0.3", 0.7), ("apan_only_alpha_1", 0.0), ("apn_only_alpha_0", 1.0))
    rows = []
    for seed in seeds:
        for experiment, weight in (("qafm", 0.6 + seed / 100), *fixed, ("shuffled", 0.6)):
            content = artifact(experiment, weight, rng, galleries, 0.05 if experiment == "qafm" else 0.0)
            if experiment == "shuffled":
                content["galleries"]["standard"]["queries"]["first_rank"] = None
            rows.append((seed, experiment, folder / f"{seed}-{experiment}.json"))
            rows[-1][2].write_text(json.dumps(content))
    return rows


def change(path: Path, **queries: Any) -> None:
    content = json.loads(path.read_text())
    content["galleries"]["standard"]["queries"] |= queries
    path.write_text(json.dumps(content))


def expected(rows: Rows, experiment: str, metric: str) -> np.ndarray:
    """Percent per query, mean over seeds, the slow way."""
    per_seed = []
    for _, _, path in [row for row in rows if row[1] == experiment]:
        queries = json.loads(path.read_text())["galleries"]["standard"]["queries"]
        per_seed.append([100.0 * (rank == 1) for rank in queries["first_rank"]] if metric == "rank1" else [100 * ap for ap in queries["ap"]])
    return np.array([sum(values) / len(per_seed) for values in zip(*per_seed, strict=True)])


def test_scores_are_means_over_seeds_by_ascending_alpha(tmp_path: Path) -> None:
    rows = write(tmp_path)
    scores = read_scores(rows)
    assert list(scores) == ["standard"]
    found = scores["standard"]
    assert [(score.experiment, round(score.alpha, 6)) for score in found.fixed] == [("apn_only_alpha_0", 0), ("fixed_alpha_0.3", 0.3), ("apan_only_alpha_1", 1)]
    assert found.learned is not None
    assert (found.learned.alpha, found.learned.alpha_sd) == (pytest.approx(0.385), pytest.approx(0.05))
    for score in (*found.fixed, found.learned):
        for metric in ("rank1", "mAP"):
            np.testing.assert_allclose(score.percent[metric], expected(rows, score.experiment, metric))


@pytest.mark.parametrize(("metric", "panel"), [("rank1", 0), ("mAP", 1)])
def test_curve_band_and_learned_weight_are_drawn(metric: str, panel: int, tmp_path: Path) -> None:
    rows = write(tmp_path)
    figure = draw_ablation(read_scores(rows), "a run", BOOTSTRAP, StyleConfig(), market1501=False)
    axes = figure.axes[panel]
    lines = {str(line.get_label()): np.asarray(line.get_xydata(), np.float64) for line in axes.get_lines()}
    fixed = [("apn_only_alpha_0", 0.0), ("fixed_alpha_0.3", 0.3), ("apan_only_alpha_1", 1.0)]
    np.testing.assert_allclose(lines["fixed weight"], [[alpha, expected(rows, name, metric).mean()] for name, alpha in fixed])
    np.testing.assert_allclose(lines["QAFM, at its mean alpha"], [[0.385, expected(rows, "qafm", metric).mean()]])
    bars = np.array(axes.collections[1].get_segments())[:, :, 1]  # pyright: ignore[reportAttributeAccessIssue]
    intervals = [identity_interval(expected(rows, name, metric), np.array(PIDS), samples=50, seed=7) for name, _ in fixed]
    np.testing.assert_allclose(bars, intervals)
    own = identity_interval(expected(rows, "qafm", metric), np.array(PIDS), samples=50, seed=7)
    np.testing.assert_allclose(axes.collections[2].get_segments(), [[[0.385, end] for end in own]])  # pyright: ignore[reportAttributeAccessIssue]
    level = [line.get_ydata() for line in axes.get_lines() if line.get_linestyle() == "--" and len(np.asarray(line.get_xdata())) == 2]
    np.testing.assert_allclose(level, [[expected(rows, "qafm", metric).mean()] * 2])
    assert axes.get_ylabel().endswith("(%)")
    (top,) = axes.child_axes
    figure.draw_without_rendering()
    assert top.transData.transform((0.3, 0))[0] == pytest.approx(axes.transData.transform((0.7, 0))[0])


def test_best_fixed_weight_and_paired_difference_are_told(tmp_path: Path) -> None:
    rows = write(tmp_path)
    caption = caption_ablation(read_scores(rows), "a run", BOOTSTRAP, [1, 2], market1501=False)
    pid = np.array(PIDS)
    for metric, title in (("rank1", "Rank-1"), ("mAP", "mAP")):
        fixed = {alpha: expected(rows, name, metric) for name, alpha in (("apn_only_alpha_0", 0), ("fixed_alpha_0.3", 0.3), ("apan_only_alpha_1", 1))}
        alpha = max(fixed, key=lambda alpha: (fixed[alpha].mean(), -alpha))
        learned = expected(rows, "qafm", metric)
        low, high = identity_interval(learned - fixed[alpha], pid, samples=50, seed=7)
        best, own = (identity_interval(values, pid, samples=50, seed=7) for values in (fixed[alpha], learned))
        of_best = f"with {fixed[alpha].mean():.2f} [{best[0]:.2f}, {best[1]:.2f}]"
        assert f"{title}: the best of Table 4's fixed weights on these queries, alpha {alpha:.2g}, {of_best}" in caption
        assert f"; QAFM {learned.mean():.2f} [{own[0]:.2f}, {own[1]:.2f}]" in caption
        assert f"paired: {(learned - fixed[alpha]).mean():+.2f} [{low:+.2f}, {high:+.2f}]" in caption
    assert "Run: a run; seeds: 1, 2; queries: 6; identities: 3." in caption
    assert "alpha = 0.385 (sd over queries 0.050)" in caption
    assert "which flatters them" in caption and "50 draws" in caption


def test_the_paper_stands_beside_market1501_only(tmp_path: Path) -> None:
    scores = read_scores(write(tmp_path))
    for market1501 in (True, False):
        figure = draw_ablation(scores, "run", BOOTSTRAP, StyleConfig(), market1501=market1501)
        lines = {str(line.get_label()): np.asarray(line.get_xydata(), np.float64) for line in figure.axes[1].get_lines()}
        assert ("paper, fixed weight" in lines) is ("paper, QAFM" in lines) is market1501
        assert ("the paper's Table 4" in caption_ablation(scores, "run", BOOTSTRAP, [1], market1501=market1501)) is market1501
        if market1501:
            curve = lines["paper, fixed weight"]
            np.testing.assert_allclose(curve[:, 0], np.arange(11) / 10)
            assert curve[:, 1].tolist() == [71.24, 74.28, 78.74, 81.67, 81.91, 80.03, 77.04, 73.98, 71.40, 69.44, 68.10]
            assert lines["paper, QAFM"].tolist() == [[0.375, PUBLISHED["qafm"].mAP]]


def test_the_gallery_without_distractors_is_a_thin_line(tmp_path: Path) -> None:
    scores = read_scores(write(tmp_path, ("no_distractors", "standard")))
    assert list(scores) == ["standard", "no_distractors"]
    axes = draw_ablation(scores, "run", BOOTSTRAP, StyleConfig(), market1501=False).axes[0]
    thin = next(line for line in axes.get_lines() if line.get_label() == "fixed weight, no distractors")
    np.testing.assert_allclose(np.asarray(thin.get_ydata()), [score.mean("rank1") for score in scores["no_distractors"].fixed])
    learned = scores["no_distractors"].learned
    assert learned is not None
    level = next(line for line in axes.get_lines() if line.get_label() == "QAFM, no distractors")
    np.testing.assert_allclose(np.asarray(level.get_ydata()), learned.mean("rank1"))
    caption = caption_ablation(scores, "run", BOOTSTRAP, [1], market1501=False)
    assert "no distractors, best fixed Rank-1" in caption
    assert f", QAFM Rank-1 {learned.mean('rank1'):.2f}, QAFM mAP {learned.mean('mAP'):.2f}." in caption


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("width", [3.0, 4.0, 6.4])
def test_one_alpha_two_queries_one_identity(width: float, tmp_path: Path) -> None:
    rows = [row for row in write(tmp_path, seeds=(1,)) if row[1] in ("fixed_alpha_0.3", "qafm")]
    for _, _, path in rows:
        change(path, image_id=["a", "b"], pid=[4, 4], ap=[1.0, 1.0], first_rank=[1, 1])
    plot_ablation(rows, "run", 20, 1, True, StyleConfig(dpi=60, width_in=width), [tmp_path / "a.png", tmp_path / "a.rst"])
    assert "A single identity has no interval." in read_caption(tmp_path / "a.rst")
    assert "paired: +0.00 [+0.00, +0.00]" in read_caption(tmp_path / "a.rst")


def test_without_qafm_the_fixed_weights_are_drawn(tmp_path: Path) -> None:
    rows = [row for row in write(tmp_path) if row[1] != "qafm"]
    plot_ablation(rows, "run", 20, 1, False, StyleConfig(dpi=60), [tmp_path / "a.rst"])
    assert "QAFM was not measured here." in read_caption(tmp_path / "a.rst")


def test_each_format_is_written_and_only_the_settings_of_the_bootstrap_move_the_band(tmp_path: Path) -> None:
    rows = write(tmp_path)
    kinds = ("png", "svg", "pdf", "rst")
    for name, samples, seed in (("one", 4, 7), ("two", 4, 7), ("draws", 9, 7), ("seed", 4, 8)):
        plot_ablation(rows, "a run", samples, seed, False, StyleConfig(dpi=60), [tmp_path / f"{name}.{kind}" for kind in kinds])
    for kind in kinds:
        first = (tmp_path / f"one.{kind}").read_bytes()
        assert first == (tmp_path / f"two.{kind}").read_bytes()
        assert first != (tmp_path / f"draws.{kind}").read_bytes()
        assert first != (tmp_path / f"seed.{kind}").read_bytes()
    assert "a run" in (tmp_path / "one.svg").read_text()


def test_limits_are_wide_enough_and_within_percents() -> None:
    assert percent_limits(20, 60) == (20, 60)
    assert percent_limits(50, 50) == (47.5, 52.5)
    assert percent_limits(100, 100) == (97.5, 101)
    assert percent_limits(-5, 104) == (-1, 101)


@pytest.mark.parametrize(
    ("queries", "reason"),
    [
        ({"first_rank": None}, "no AP and first rank of each query"),
        ({"first_rank": [1, 2]}, "different queries, or a query has no AP or no first rank"),
        ({"image_id": ["x"] * 6}, "different queries"),
    ],
)
def test_bad_artifacts_are_told(queries: dict[str, Any], reason: str, tmp_path: Path) -> None:
    rows = write(tmp_path, seeds=(1,) if "first_rank" in queries else (1, 2))
    change(tmp_path / "1-qafm.json", **queries)
    with pytest.raises(InputError, match=rf"-qafm\.json: gallery standard.*{reason}"):
        plot_ablation(rows, "run", 20, 1, False, StyleConfig(dpi=60), [tmp_path / "a.png"])
    assert not (tmp_path / "a.png").exists()


def test_artifacts_without_first_ranks_are_told(tmp_path: Path) -> None:
    rows = write(tmp_path, seeds=(1,))
    path = tmp_path / "1-fixed_alpha_0.3.json"
    content = json.loads(path.read_text())
    del content["galleries"]["standard"]["queries"]["first_rank"]
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"1-fixed_alpha_0\.3\.json: gallery standard has no weight, or no AP and first rank .*first_rank"):
        read_scores(rows)


def test_rows_of_different_queries_and_missing_rows_are_told(tmp_path: Path) -> None:
    rows = write(tmp_path, seeds=(1,))
    change(tmp_path / "1-qafm.json", image_id=list("abcdef"))
    with pytest.raises(InputError, match="not all rows of Table 4 were measured on the same queries"):
        read_scores(rows)
    with pytest.raises(InputError, match="no row of a fixed weight"):
        read_scores([row for row in rows if row[1] == "qafm"])
    with pytest.raises(InputError, match=r"none\.json: is no artifact"):
        read_scores([(1, "fixed_alpha_0.5", tmp_path / "none.json")])
    path = tmp_path / "1-fixed_alpha_0.3.json"
    path.write_text(json.dumps({"experiment": "fixed_alpha_0.3", "note": "", "galleries": {}}))
    with pytest.raises(InputError, match=r"0\.3\.json: neither it nor another row"):
        read_scores([(1, "fixed_alpha_0.3", path)])
