"""What Figures 5 to 7 have in common: they are drawn from the same table, in the same frame."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.figures.drawing.caption import read_caption
from qafm.figures.plot_alpha import plot_alpha
from qafm.figures.plot_q import plot_q
from qafm.figures.plot_q_against_alpha import plot_q_against_alpha
from qafm.figures.weights_table import read_weights
from qafm.tables.embeddings import embeddings_schema
from qafm.tables.parquet import write_parquet

plot_computed_q = partial(plot_q, computed=True)
PLOTS = [plot_computed_q, plot_alpha, plot_q_against_alpha]
SMALL = StyleConfig(dpi=60)


def embeddings(
    path: Path, weight: Callable[[np.ndarray], np.ndarray], *, counts: tuple[int, int, int] = (30, 50, 10), without_q: str = "", missing: int = 0
) -> Path:
    """An embeddings.parquet with `counts` of query, gallery and holdout; the first `missing` images of the side `without_q` have no Q."""
    n = sum(counts)
    q = np.random.default_rng(0).normal(0.5, 0.05, n)
    splits = [split for split, count in zip(("query", "gallery", "holdout"), counts, strict=True) for _ in range(count)]
    first = splits.index(without_q) if without_q else n
    column = pa.array([None if first <= i < first + missing else value for i, value in enumerate(q)], pa.float64())
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(2 * n, np.float32)), 2)
    table = pa.table([pa.array([str(i) for i in range(n)]), pa.array(splits), column, pa.array(weight(q)), vectors, vectors], schema=embeddings_schema(2, 2))
    write_parquet(path, table)
    return path


def linear(q: np.ndarray) -> np.ndarray:
    return 0.3 + 0.2 * q


def half(q: np.ndarray) -> np.ndarray:
    return np.full_like(q, 0.5)


@pytest.mark.parametrize("plot", PLOTS)
def test_each_format_is_written_and_equal_data_give_equal_bytes(plot: Callable, tmp_path: Path) -> None:
    source = embeddings(tmp_path / "e.parquet", linear)
    kinds = ("png", "svg", "pdf", "rst")
    for name in ("one", "two"):
        plot(source, "a run, seed 1", SMALL, [tmp_path / f"{name}.{kind}" for kind in kinds], market1501=False)
    for kind in kinds:
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "one.pdf").read_bytes().startswith(b"%PDF")
    assert "a run, seed 1" in (tmp_path / "one.svg").read_text()
    assert "a run, seed 1" in read_caption(tmp_path / "one.rst")


@pytest.mark.parametrize("plot", PLOTS)
def test_settings_change_the_figure(plot: Callable, tmp_path: Path) -> None:
    source = embeddings(tmp_path / "e.parquet", linear)
    pictures = []
    for i, changed in enumerate(({}, {"bins": 7}, {"width_in": 4.0}, {"dpi": 70})):
        plot(source, "run", StyleConfig(**{"dpi": 60} | changed), [tmp_path / f"{i}.png"], market1501=False)
        pictures.append((tmp_path / f"{i}.png").read_bytes())
    assert len(set(pictures)) == 4


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize("counts", [(30, 50, 0), (2, 1, 0), (1, 1, 0)])
@pytest.mark.parametrize("weight", [linear, half])
def test_few_images_and_a_constant_weight_can_be_drawn(plot: Callable, counts: tuple[int, int, int], weight: Callable, tmp_path: Path) -> None:
    source = embeddings(tmp_path / "e.parquet", weight, counts=counts)
    plot(source, "run", StyleConfig(dpi=60, width_in=4), [tmp_path / "a.png"], market1501=False)
    assert (tmp_path / "a.png").stat().st_size > 1000


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize(("side", "count"), [("query", 30), ("gallery", 50)])
def test_a_side_without_q_is_told(plot: Callable, side: str, count: int, tmp_path: Path) -> None:
    source = embeddings(tmp_path / "e.parquet", linear, without_q=side, missing=count)
    with pytest.raises(InputError, match=rf"e\.parquet: no {side} image has a Q"):
        plot(source, "run", SMALL, [tmp_path / "a.png"], market1501=False)
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("plot", PLOTS)
def test_images_without_q_are_counted(plot: Callable, tmp_path: Path) -> None:
    plot(embeddings(tmp_path / "e.parquet", linear, without_q="gallery", missing=4), "run", SMALL, [tmp_path / "a.rst"], market1501=False)
    caption = read_caption(tmp_path / "a.rst")
    assert "Images left out because they have no Q: 4 of the gallery." in caption
    assert "n = 46" in caption and "n = 30" in caption


@pytest.mark.parametrize(
    ("plot", "published"),
    [(plot_computed_q, "mean 11.13, median 11.14, range 9.1 to 13.1"), (plot_alpha, "mean 0.375, range 0.3575 to 0.379"), (plot_q_against_alpha, "Q + 0.378")],
)
def test_published_numbers_stand_beside_market1501_only(plot: Callable, published: str, tmp_path: Path) -> None:
    source = embeddings(tmp_path / "e.parquet", linear)
    captions = []
    for market1501 in (True, False):
        plot(source, "run", SMALL, [tmp_path / "a.rst"], market1501=market1501)
        captions.append(read_caption(tmp_path / "a.rst"))
    assert published in captions[0] and "Market-1501" in captions[0]
    assert published not in captions[1] and "Market-1501" not in captions[1]


def test_sides_and_orientation(tmp_path: Path) -> None:
    sides = read_weights(embeddings(tmp_path / "e.parquet", lambda q: q / 2, without_q="query", missing=3))
    assert {name: (len(side.q), side.without_q) for name, side in sides.items()} == {"query": (27, 3), "gallery": (50, 0)}
    np.testing.assert_allclose(sides["query"].paper_alpha, 1 - sides["query"].q / 2)


def test_a_file_that_is_no_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "e.parquet").write_text("no")
    with pytest.raises(InputError, match=r"e\.parquet: "):
        read_weights(tmp_path / "e.parquet")
