from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from qafm.config.figures import FiguresConfig
from qafm.reporting.plot_alpha import plot_alpha
from qafm.reporting.plot_q import plot_q
from qafm.reporting.plot_q_against_alpha import describe, plot_q_against_alpha
from qafm.reporting.weights_table import Weights, read_weights
from qafm.runtime.errors import InputError
from qafm.tables.embeddings import embeddings_schema
from qafm.tables.parquet import write_parquet

PLOTS = [plot_q, plot_alpha, plot_q_against_alpha]


def embeddings(path: Path, weight: Callable[[np.ndarray], np.ndarray], missing: bool = False) -> Path:
    rng = np.random.default_rng(0)
    q = rng.normal(0.5, 0.05, 90)
    splits = ["query"] * 30 + ["gallery"] * 50 + ["holdout"] * 10
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(180, np.float32)), 2)
    column = pa.array([None if missing and split == "query" else value for split, value in zip(splits, q, strict=True)], pa.float64())
    table = pa.table([pa.array([str(i) for i in range(90)]), pa.array(splits), column, pa.array(weight(q)), vectors, vectors], schema=embeddings_schema(2, 2))
    write_parquet(path, table)
    return path


@pytest.mark.parametrize("plot", PLOTS)
def test_each_format_is_written_and_equal_data_give_equal_bytes(plot: Callable, tmp_path: Path) -> None:
    source = embeddings(tmp_path / "e.parquet", lambda q: 0.3 + 0.2 * q)
    for name in ("one", "two"):
        plot(source, "a run, seed 1", FiguresConfig(dpi=60), [tmp_path / f"{name}.{kind}" for kind in ("png", "svg", "pdf")])
    for kind in ("png", "svg", "pdf"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert "a run, seed 1" in (tmp_path / "one.svg").read_text()


@pytest.mark.parametrize("plot", PLOTS)
def test_settings_change_the_figure(plot: Callable, tmp_path: Path) -> None:
    source = embeddings(tmp_path / "e.parquet", lambda q: 0.3 + 0.2 * q)
    pictures = []
    for name, config in (("a", FiguresConfig(dpi=60)), ("b", FiguresConfig(dpi=60, bins=7)), ("c", FiguresConfig(dpi=60, width_in=4))):
        plot(source, "run", config, [tmp_path / f"{name}.png"])
        pictures.append((tmp_path / f"{name}.png").read_bytes())
    assert len(set(pictures)) == 3


@pytest.mark.parametrize("plot", PLOTS)
def test_a_constant_weight_can_be_drawn(plot: Callable, tmp_path: Path) -> None:
    plot(embeddings(tmp_path / "e.parquet", lambda q: np.full_like(q, 0.5)), "run", FiguresConfig(dpi=60), [tmp_path / "a.png"])
    assert (tmp_path / "a.png").stat().st_size > 1000


@pytest.mark.parametrize("plot", PLOTS)
def test_a_side_without_q_is_told(plot: Callable, tmp_path: Path) -> None:
    source = embeddings(tmp_path / "e.parquet", lambda q: q, missing=True)
    with pytest.raises(InputError, match=r"e\.parquet: no query image has a Q"):
        plot(source, "run", FiguresConfig(), [tmp_path / "a.png"])
    assert not (tmp_path / "a.png").exists()


def test_sides_and_orientation(tmp_path: Path) -> None:
    sides = read_weights(embeddings(tmp_path / "e.parquet", lambda q: q / 2))
    assert {name: len(side.q) for name, side in sides.items()} == {"query": 30, "gallery": 50}
    np.testing.assert_allclose(sides["query"].paper_alpha, 1 - sides["query"].q / 2)


def test_description_tells_sign_and_hidden_dependence() -> None:
    q = np.linspace(-1, 1, 41)
    text, fit = describe(Weights(q, 0.5 - 0.1 * q))
    assert text == "r = 1.000, Spearman's rho = 1.000"
    assert fit == pytest.approx([0.1, 0.5])
    assert describe(Weights(q, 0.5 - 0.1 * q**2))[0].startswith("r = ")
    assert describe(Weights(q, np.full(41, 0.5))) == ("the weight does not depend on Q", None)
