from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.figures.drawing.caption import read_caption
from qafm.figures.drawing.style import figure_style
from qafm.figures.plot_identifiability import describe_bands, draw_bands, find_bands, format_q, plot_identifiability
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet
from qafm.tables.quality import QUALITY_SCHEMA
from tests.unit.figures.drawing.test_image_grid import assert_legible, texts

STYLE = StyleConfig(dpi=60)


def write(folder: Path, scores: Sequence[float | None], others: list[dict[str, Any]] | None = None) -> tuple[Path, Path]:
    """images.parquet and quality.parquet: one query 000.png, 001.png ... per score, and `others`, whose "q" goes into quality.parquet."""
    rows = [{"image_id": f"{i:03d}.png", "split": "query", "pid": 5, "q": q} for i, q in enumerate(scores)] + (others or [])
    for i, row in enumerate(rows):
        height = 20 + i % 7
        assert cv2.imwrite(str(folder / row["image_id"]), np.random.default_rng(i).integers(0, 256, (height, 10, 3), dtype=np.uint8))
        row |= {"path": str(folder / row["image_id"]), "sha256": "", "height": height, "width": 10}
        row |= {"junk": row["pid"] == -1, "distractor": row["pid"] == 0}
    images = [{name: row.get(name) for name in IMAGES_SCHEMA.names} for row in rows]
    write_parquet(folder / "images.parquet", pa.Table.from_pylist(images, schema=IMAGES_SCHEMA))
    # the sentinel in the other columns would be drawn if one of them were read
    quality = [dict.fromkeys(QUALITY_SCHEMA.names, 99.0) | {"image_id": row["image_id"], "q": row["q"]} for row in rows]
    nullable = pa.schema([pa.field(field.name, field.type) for field in QUALITY_SCHEMA])
    write_parquet(folder / "quality.parquet", pa.Table.from_pylist(quality, schema=nullable))
    return folder / "images.parquet", folder / "quality.parquet"


def names(band: list[Any]) -> list[int]:
    return [int(row.image_id.removesuffix(".png")) for row in band]


def test_the_ends_of_the_query_split(tmp_path: Path) -> None:
    q = np.random.default_rng(3).normal(0.5, 0.1, 40)
    others = [
        {"image_id": f"x{i}.png", "split": split, "pid": pid, "q": score}
        for i, (split, pid, score) in enumerate([("gallery", 5, 0.0), ("gallery", 5, 9.0), ("train", 6, 0.01), ("query", -1, 0.02), ("query", 0, 8.0)])
    ]
    bands = find_bands(*write(tmp_path, q.tolist(), others))
    order = sorted(range(40), key=lambda i: q[i])
    assert names(bands.low) == order[:8]
    assert names(bands.high) == order[::-1][:8]
    assert (bands.scored, bands.queries) == (40, 40)
    assert bands.mean == pytest.approx(q.mean())
    assert [row.q for row in bands.low] == pytest.approx(sorted(q)[:8])


@pytest.mark.parametrize(("count", "size"), [(2, 1), (3, 1), (7, 3), (15, 7), (16, 8), (17, 8)])
def test_few_queries_are_halved(tmp_path: Path, count: int, size: int) -> None:
    bands = find_bands(*write(tmp_path, [float(i) for i in range(count)]))
    assert names(bands.low) == list(range(size))
    assert names(bands.high) == list(range(count - 1, count - 1 - size, -1))


def test_ties_are_ordered_by_image_id_and_no_image_is_in_both(tmp_path: Path) -> None:
    bands = find_bands(*write(tmp_path, [1.0] * 12))
    assert names(bands.low) == [0, 1, 2, 3, 4, 5]
    assert names(bands.high) == [6, 7, 8, 9, 10, 11]
    bands = find_bands(*write(tmp_path, [2.0, 1.0, 2.0, 1.0, 2.0]))
    assert (names(bands.low), names(bands.high)) == ([1, 3], [0, 2])


def test_queries_without_q_are_left_out_and_counted(tmp_path: Path) -> None:
    images, quality = write(tmp_path, [0.3, None, 0.1, float("nan"), 0.2])
    bands = find_bands(images, quality)
    assert (names(bands.low), names(bands.high), bands.scored, bands.queries) == ([2], [0], 3, 5)
    assert "3 of 5 queries that have a Q" in describe_bands(bands, "run", computed=True)


@pytest.mark.parametrize("scores", [[0.5], [0.5, None], [None, None]])
def test_too_few_scores_are_told(tmp_path: Path, scores: list[float | None]) -> None:
    with pytest.raises(InputError, match=r"quality\.parquet: [01] query images of .*images\.parquet have a Q, two bands need at least 2"):
        plot_identifiability(*write(tmp_path, scores), "run", STYLE, [tmp_path / "a.png"], computed=True)
    assert not (tmp_path / "a.png").exists()


def test_numbers_have_four_digits_on_any_scale() -> None:
    assert [format_q(q) for q in (0.12, 11.134, 0.0001234567, 123.0)] == ["0.1200", "11.13", "0.0001235", "123.0"]


@pytest.mark.parametrize("width_in", [4.0, 6.4])
@pytest.mark.parametrize("count", [2, 9, 30])
def test_each_picture_with_its_q_in_two_labelled_bands(tmp_path: Path, count: int, width_in: float) -> None:
    q = [0.1 + i / 100 for i in range(count)]
    bands = find_bands(*write(tmp_path, q))
    with figure_style():
        figure = draw_bands(bands, "a run with quite a long name that does not fit, seed 1", StyleConfig(dpi=100, width_in=width_in), computed=True)
    shown = texts(figure)
    size = min(8, count // 2)
    expected = [*q[:size], *q[::-1][:size]]
    assert [text for text in shown if text.startswith("Q ")] == [f"Q {value:.4f}" for value in expected]
    labels = [i for i, text in enumerate(shown) if "stable features" in text]
    assert [shown[i].split(",")[0] for i in labels] == ["lowest Q", "highest Q"]
    assert shown[labels[0]].endswith(f"{np.mean(q[:size]):.4f}") and shown[labels[1]].endswith(f"{np.mean(q[-size:]):.4f}")
    assert labels[1] - labels[0] == size + 1  # the second label stands between the bands
    for axes, row in zip(figure.axes, [*bands.low, *bands.high], strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), cv2.imread(row.path)[..., ::-1])  # pyright: ignore[reportOptionalSubscript]
    assert_legible(figure)


def test_the_caption_has_the_numbers(tmp_path: Path) -> None:
    bands = find_bands(*write(tmp_path, [0.1 * i for i in range(1, 21)]))
    caption = describe_bands(bands, "a run, seed 1", computed=True)
    for part in ("a run, seed 1", "the 8 of lowest Q", "Q 0.1000 to 0.8000 (mean 0.4500)", "Q 1.300 to 2.000 (mean 1.650)", "20 queries (mean Q 1.050)"):
        assert part in caption
    assert "change least when the image is perturbed" in caption and "lower Q = more stable" in caption and "backpacks" in caption


def test_a_q_from_a_file_is_not_said_to_be_of_features(tmp_path: Path) -> None:
    bands = find_bands(*write(tmp_path, [0.1, 0.2]))
    caption = describe_bands(bands, "run", computed=False)
    assert "computed elsewhere and read from a file" in caption and "low values count as good" in caption
    assert not [word for word in ("perturbed", "features", "stable") if word in caption]
    assert "lowest Q: mean Q 0.1000" in texts(draw_bands(bands, "run", STYLE, computed=False))


def test_all_formats_are_written_and_equal_data_give_equal_bytes(tmp_path: Path) -> None:
    images, quality = write(tmp_path, [0.1 * i for i in range(5)])
    for name in ("one", "two"):
        plot_identifiability(images, quality, "a run, seed 1", STYLE, [tmp_path / f"{name}.{kind}" for kind in ("png", "svg", "pdf", "rst")], computed=True)
    for kind in ("png", "svg", "pdf", "rst"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert "a run, seed 1" in (tmp_path / "one.svg").read_text()
    assert read_caption(tmp_path / "one.rst") == describe_bands(find_bands(images, quality), "a run, seed 1", computed=True)
    plot_identifiability(images, quality, "a run, seed 1", StyleConfig(dpi=60, width_in=4), [tmp_path / "narrow.png"], computed=True)
    assert (tmp_path / "narrow.png").read_bytes() != (tmp_path / "one.png").read_bytes()


def test_an_unreadable_image_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    images, quality = write(tmp_path, [0.1, 0.2])
    (tmp_path / "001.png").unlink()
    with pytest.raises(InputError, match=r"001\.png: cannot be read"):
        plot_identifiability(images, quality, "run", STYLE, [tmp_path / "a.png", tmp_path / "a.rst"], computed=True)
    assert not (tmp_path / "a.png").exists() and not (tmp_path / "a.rst").exists()
