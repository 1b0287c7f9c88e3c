from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.figures.drawing.caption import read_caption
from qafm.figures.drawing.style import QUERY, RIGHT, WRONG, figure_style
from qafm.figures.plot_query import describe_ranking, draw_ranking, find_query, plot_query
from qafm.tables.examples import Kind
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet
from qafm.tables.ranking import RANKING_SCHEMA
from tests.unit.figures.drawing.test_image_grid import assert_legible, frames, texts

STYLE = StyleConfig(dpi=60)
RULE = "The query of median AP."
ANSWER = [True, False, True, True, False, False, False, False, True, False, True, True]


def write(folder: Path, right: list[bool], shapes: list[tuple[int, int]] | None = None, **query: Any) -> tuple[Path, Path]:
    """Two queries; the second, a.png of identity 3 and camera 2, has these answers: g0.png, g1.png ... of camera i mod 6, and `query` in its row."""
    shapes = shapes or [(24, 12)]
    names = ["b.png", "a.png", *(f"g{i}.png" for i in range(len(right)))]
    images = []
    for i, name in enumerate(names):
        height, width = shapes[i % len(shapes)]
        assert cv2.imwrite(str(folder / name), np.random.default_rng(i).integers(0, 256, (height, width, 3), dtype=np.uint8))
        row = dict.fromkeys(IMAGES_SCHEMA.names) | {"image_id": name, "path": str(folder / name), "split": "query", "pid": 1, "sha256": ""}
        images.append(row | {"junk": False, "distractor": False, "height": height, "width": width})
    write_parquet(folder / "images.parquet", pa.Table.from_pylist(images, schema=IMAGES_SCHEMA))
    number = range(len(right))
    first = next((i + 1 for i in number if right[i]), None)
    lists = {
        "gallery_id": names[2:],
        "gallery_pid": [3 if right[i] else 40 + i % 2 for i in number],
        "gallery_camid": [i % 6 or None for i in number],
        "right": right,
        "distance": [0.25 + i / 100 for i in number],
        "gallery_q": [None if i == 1 else 11 + i / 10 for i in number],
        "gallery_weight": [0.6 + i / 100 for i in number],
    }
    answer = {"image_id": "a.png", "pid": 3, "camid": 2, "q": 10.7, "visual_weight": 0.626, "n_relevant": 7, "ap": 0.4567, "first_rank": first} | lists
    empty: dict[str, Any] = {name: [] for name in lists}
    other = answer | empty | {"image_id": "b.png", "n_relevant": 0, "ap": None, "first_rank": None, "q": None, "camid": None}
    write_parquet(folder / "ranking.parquet", pa.Table.from_pylist([other, answer | query], schema=RANKING_SCHEMA))
    return folder / "images.parquet", folder / "ranking.parquet"


def test_the_query_and_its_first_ten_ranks_are_read(tmp_path: Path) -> None:
    found = find_query(*write(tmp_path, ANSWER), "a.png")
    assert (found.image_id, found.pid, found.camid, found.q, found.n_relevant, found.ap) == ("a.png", 3, 2, 10.7, 7, 0.4567)
    assert found.alpha == pytest.approx(1 - 0.626)
    assert [rank.image_id for rank in found.ranks] == [f"g{i}.png" for i in range(10)]
    assert [rank.rank for rank in found.ranks] == list(range(1, 11))
    assert found.ranks[2].alpha == pytest.approx(1 - 0.62)
    assert [rank.rank for rank in found.at(right=True)] == [1, 3, 4, 9]
    assert [rank.rank for rank in found.at(right=False)] == [2, 5, 6, 7, 8, 10]


@pytest.mark.parametrize("width_in", [4.0, 6.4])
def test_every_picture_has_its_frame_mark_and_numbers(tmp_path: Path, width_in: float) -> None:
    found = find_query(*write(tmp_path, ANSWER), "a.png")
    with figure_style():
        figure = draw_ranking(found, "success", "a run with quite a long name that does not fit, seed 1", StyleConfig(dpi=100, width_in=width_in))
    shown = texts(figure)
    start = shown.index("query")
    assert shown[start : start + 6] == ["query", "Q 10.70", "α 0.374", "AP 45.7 %", "camera 2", "7 right images"]
    first = shown.index("✓ rank 1")
    assert shown[first : first + 9] == ["✓ rank 1", "d 0.250", "Q 11.00", "α 0.400", "✗ rank 2", "d 0.260", "no Q", "α 0.390", "camera 1"]
    last = shown.index("✗ rank 10")
    assert shown[last:] == ["✗ rank 10", "d 0.340", "Q 11.90", "α 0.310", "camera 3"]
    outlines = frames(figure)
    styles = [(outline.get_linestyle(), matches_color(outline, QUERY), matches_color(outline, RIGHT), matches_color(outline, WRONG)) for outline in outlines]
    right, wrong = ("solid", False, True, False), ("dashed", False, False, True)
    assert styles == [("solid", True, False, False), *(right if answer else wrong for answer in ANSWER[:10])]
    for axes, name in zip(figure.axes, ["a", *(f"g{i}" for i in range(10))], strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), cv2.imread(str(tmp_path / f"{name}.png"))[..., ::-1])  # pyright: ignore
    assert figure.axes[0].get_position().width > 1.5 * figure.axes[1].get_position().width
    assert len({round(axes.get_position().y0, 6) for axes in figure.axes[1:]}) == 2  # two rows
    assert "4 of the first 10 ranks right, AP 45.7 %. a run" in " ".join(shown[:2])
    assert_legible(figure)


def matches_color(outline: Any, color: str) -> bool:
    return np.allclose(outline.get_edgecolor()[:3], [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])


@pytest.mark.parametrize("width_in", [4.0, 6.4])
@pytest.mark.parametrize("right", [[], [True], [False] * 3, [True] * 6])
def test_small_galleries_and_odd_shapes_are_drawn(tmp_path: Path, right: list[bool], width_in: float) -> None:
    images, ranking = write(tmp_path, right, shapes=[(24, 12), (10, 30), (300, 2), (2, 300)], n_relevant=1)
    found = find_query(images, ranking, "a.png")
    with figure_style():
        figure = draw_ranking(found, "failure", "run", StyleConfig(dpi=100, width_in=width_in))
    assert len(figure.axes) == 1 + len(right)
    assert "1 right image" in texts(figure)
    assert ("no gallery image is ranked" in texts(figure)) == (not right)
    assert_legible(figure)
    sentence = {0: "No gallery image is ranked.", 1: "All are right.", 3: "None is right: wrong at 1, 2, 3 (identities 40, 41).", 6: "All are right."}
    assert sentence[len(right)] in describe_ranking(found, "failure", RULE, "run")


def test_a_query_without_right_images_is_drawn_too(tmp_path: Path) -> None:
    found = find_query(*write(tmp_path, [False], n_relevant=0, ap=None, q=None, camid=None), "a.png")
    with figure_style():
        figure = draw_ranking(found, "failure", "run", STYLE)
    shown = texts(figure)
    assert shown[shown.index("query") :][:5] == ["query", "no Q", "α 0.374", "AP excluded", "0 right images"]
    assert "0 right gallery images, so it is excluded from the metrics" in describe_ranking(found, "failure", RULE, "run")


@pytest.mark.parametrize(("kind", "paper"), [("success", "Figure 9"), ("failure", "Figure 10")])
def test_the_caption_has_the_numbers_and_the_rule(tmp_path: Path, kind: Kind, paper: str) -> None:
    caption = describe_ranking(find_query(*write(tmp_path, ANSWER), "a.png"), kind, RULE, "a run, seed 1")
    assert caption.startswith(f"Example of a {kind}; a run, seed 1.")
    for part in (RULE, f"The paper's {paper} ", "image a.png (identity 3, camera 2): Q 10.70, alpha 0.374", "AP 45.7 % over 7 right gallery images", "rank 1."):
        assert part in caption
    assert "Right at ranks 1, 3, 4, 9; wrong at 2, 5, 6, 7, 8, 10 (identities 41, 40)." in caption
    assert "the 10 nearest gallery images" in caption


def test_distractors_are_named_as_such(tmp_path: Path) -> None:
    pids = [3, 0, 8, 0]
    found = find_query(*write(tmp_path, [True, False, False, False], gallery_pid=pids), "a.png")
    assert "wrong at 2, 3, 4 (identity 8 and distractors)" in describe_ranking(found, "success", RULE, "run")
    found = find_query(*write(tmp_path, [True, False], gallery_pid=[3, 0]), "a.png")
    assert "wrong at 2 (distractors)" in describe_ranking(found, "success", RULE, "run")


def test_a_query_or_image_that_is_missing_is_told(tmp_path: Path) -> None:
    images, ranking = write(tmp_path, ANSWER)
    with pytest.raises(InputError, match=r"ranking\.parquet: no query g0\.png"):
        plot_query(images, ranking, "g0.png", "success", RULE, "run", STYLE, [tmp_path / "out.png"])
    write(tmp_path, ANSWER, gallery_id=["gone.png", *(f"g{i}.png" for i in range(1, 12))])
    with pytest.raises(InputError, match=r"images\.parquet: no image gone\.png, which .*ranking\.parquet ranks"):
        plot_query(images, ranking, "a.png", "success", RULE, "run", STYLE, [tmp_path / "out.png"])
    write(tmp_path, ANSWER)
    (tmp_path / "g9.png").write_bytes(b"torn")
    with pytest.raises(InputError, match=r"g9\.png: cannot be decoded"):
        plot_query(images, ranking, "a.png", "success", RULE, "run", STYLE, [tmp_path / "out.png", tmp_path / "out.rst"])
    assert not (tmp_path / "out.png").exists() and not (tmp_path / "out.rst").exists()


def test_all_formats_are_written_and_equal_data_give_equal_bytes(tmp_path: Path) -> None:
    images, ranking = write(tmp_path, ANSWER)
    for name in ("one", "two"):
        plot_query(images, ranking, "a.png", "success", RULE, "run", STYLE, [tmp_path / f"{name}.{kind}" for kind in ("png", "svg", "pdf", "rst")])
    for kind in ("png", "svg", "pdf", "rst"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert "✗ rank 10" in (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert read_caption(tmp_path / "one.rst") == describe_ranking(find_query(images, ranking, "a.png"), "success", RULE, "run")
    for name, kind, width_in in (("kind", "failure", 6.4), ("narrow", "success", 4.0)):
        plot_query(images, ranking, "a.png", kind, RULE, "run", StyleConfig(dpi=60, width_in=width_in), [tmp_path / f"{name}.png"])  # pyright: ignore
        assert (tmp_path / f"{name}.png").read_bytes() != (tmp_path / "one.png").read_bytes()
