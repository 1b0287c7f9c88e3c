from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.figures.choose_identity import IDENTITY_RULE
from qafm.figures.drawing.caption import read_caption
from qafm.figures.drawing.image_grid import GAP
from qafm.figures.drawing.style import figure_style
from qafm.figures.plot_identity import attribute_label, choose_images, describe_identity, draw_identity, find_identity, plot_identity
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet
from tests.unit.figures.drawing.test_image_grid import assert_legible, frames, inches, texts

STYLE = StyleConfig(dpi=60)


def entry(folder: Path, name: str, pid: int, camid: int | None, split: str = "query", shape: tuple[int, int] = (24, 12), **other: Any) -> dict[str, Any]:
    """A row of images.parquet, with its file."""
    path = folder / name
    pixels = np.random.default_rng(len(list(folder.iterdir()))).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), pixels)
    size = {"height": shape[0], "width": shape[1]}
    row = dict.fromkeys(IMAGES_SCHEMA.names) | {"image_id": name, "path": str(path), "split": split, "pid": pid, "camid": camid, "sha256": name} | size
    return row | {"junk": False, "distractor": False} | other


def table(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "images.parquet"
    write_parquet(path, pa.Table.from_pylist(sorted(rows, key=lambda row: row["image_id"]), schema=IMAGES_SCHEMA))
    return path


def two_people(folder: Path) -> Path:
    """Person 4 with three cameras (1: three images, 2: one, 5: two), person 9 with one, junk and distractors with many."""
    known: dict[str, Any] = {"gender": 1, "up_color": 2, "down_color": 7, "backpack": 0, "age": 3}
    places = [("a", 5, "gallery"), ("b", 1, "gallery"), ("c", 1, "query"), ("d", 1, "gallery"), ("e", 2, "query"), ("f", 5, "gallery")]
    rows = [entry(folder, f"4{name}.png", 4, camid, split, **known) for name, camid, split in places]
    rows += [entry(folder, "9a.png", 9, 1), entry(folder, "8a.png", 8, 1, "train")]
    rows += [entry(folder, f"junk{camid}.png", -1, camid, "gallery", junk=True) for camid in range(6)]
    rows += [entry(folder, f"other{camid}.png", 0, camid, "gallery", distractor=True) for camid in range(6)]
    return table(folder, rows)


def test_the_rule_chooses_unless_a_pid_is_named(tmp_path: Path) -> None:
    images = two_people(tmp_path)
    chosen = find_identity(images, None)
    assert (chosen.pid, chosen.rule, chosen.cameras) == (4, IDENTITY_RULE, [1, 2, 5])
    assert [row["image_id"] for row in chosen.rows] == [f"4{name}.png" for name in "abcdef"]
    named = find_identity(images, 9)
    assert named.pid == 9 and "configuration" in named.rule
    assert find_identity(images, 8).pid == 8  # a train identity can be named


@pytest.mark.parametrize("pid", [77, 0, -1])
def test_an_identity_without_images_is_told(tmp_path: Path, pid: int) -> None:
    with pytest.raises(InputError, match=rf"images\.parquet: identity {pid} has no image"):
        plot_identity(two_people(tmp_path), pid, "run", STYLE, [tmp_path / "a.png"])
    assert not (tmp_path / "a.png").exists()


def test_a_data_set_without_query_identities_is_told(tmp_path: Path) -> None:
    images = table(tmp_path, [entry(tmp_path, "a.png", 4, 1, "gallery"), entry(tmp_path, "b.png", 0, 1, distractor=True)])
    with pytest.raises(InputError, match=r"images\.parquet: no query shows a known identity"):
        find_identity(images, None)


def test_first_and_last_image_of_each_camera_in_ascending_order(tmp_path: Path) -> None:
    found = find_identity(two_people(tmp_path), None)
    assert [row["image_id"] for row in found.shown] == ["4b.png", "4d.png", "4e.png", "4a.png", "4f.png"]


@pytest.mark.parametrize(
    ("cameras", "wanted"),
    [
        ([None] * 11, list(range(8))),
        ([2, None, 1, None, None], [2, 0, 1, 4]),
        ([1, 2, 3, 4, 5, 6] * 3, [0, 12, 1, 13, 2, 14, 3, 15, 4, 16, 5, 17]),
        ([1, 2, 3, 4, 5, 6, 7] * 2, list(range(7))),
        (list(range(1, 21)), list(range(15))),
    ],
)
def test_which_images_are_shown(cameras: list[int | None], wanted: list[int]) -> None:
    rows = [{"image_id": f"{i:03d}", "camid": camid} for i, camid in enumerate(cameras)]
    assert [int(row["image_id"]) for row in choose_images(rows)] == wanted


def test_attributes_in_words(tmp_path: Path) -> None:
    found = find_identity(two_people(tmp_path), None)
    words = dict(found.attributes)
    assert len(words) == 12 and next(iter(words)) == "gender"
    assert (words["gender"], words["upper colour"], words["lower colour"], words["backpack"], words["age"]) == ("female", "red", "green", "no", "old")
    assert words["hair"] == words["handbag"] == "unknown"
    assert [attribute_label(name) for name in ("up", "down", "up_color", "hat")] == ["upper", "lower", "upper colour", "hat"]
    assert find_identity(tmp_path / "images.parquet", 9).attributes == []


@pytest.mark.parametrize("width_in", [4.0, 6.4])
def test_the_picture_shows_cameras_below_each_other_and_attributes_beside(tmp_path: Path, width_in: float) -> None:
    found = find_identity(two_people(tmp_path), None)
    with figure_style():
        figure = draw_identity(found, "a run", StyleConfig(dpi=100, width_in=width_in))
    shown = texts(figure)
    assert [text for text in shown if text.startswith("camera")] == ["camera 1", "camera 2", "camera 5", "camera 1", "camera 5"]
    assert "".join(shown).count("unknown") == 7
    assert shown[shown.index("upper colour:") - shown.index("gender:") + shown.index("female")] == "red"
    for axes, row in zip(figure.axes, [found.shown[i] for i in (0, 2, 3, 1, 4)], strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), cv2.imread(row["path"])[..., ::-1])  # pyright: ignore[reportOptionalSubscript]
    left = [axes.get_position().x0 for axes in figure.axes]
    assert left[3] == pytest.approx(left[0]) and left[4] == pytest.approx(left[2])
    right_of_pictures = max(inches(figure, frame).x1 for frame in frames(figure))
    assert inches(figure, figure.texts[shown.index("gender:")]).x0 > right_of_pictures + GAP
    assert_legible(figure)


def test_the_caption_counts(tmp_path: Path) -> None:
    images = two_people(tmp_path)
    caption = describe_identity(find_identity(images, None), "a run, seed 1")
    for part in ("a run, seed 1", "Identity 4: 6 images (2 query, 4 gallery), 3 cameras (1, 2, 5)", IDENTITY_RULE, "upper colour: red", "first and the last"):
        assert part in caption
    other = describe_identity(find_identity(images, 9), "run")
    assert "1 images" not in other and "Identity 9: 1 image (1 query), 1 camera (1)" in other
    assert "No attribute of this identity is known" in other and "configuration" in other


@pytest.mark.parametrize("width_in", [4.0, 6.4])
@pytest.mark.parametrize("cameras", [[None] * 9, [None], [1, None, 300], list(range(95, 115)), [1, 2, 3, 4, 5, 6] * 2])
def test_odd_identities_are_legible(tmp_path: Path, cameras: list[int | None], width_in: float) -> None:
    shapes = [(24, 12), (10, 30), (300, 2), (2, 300), (24, 24)]
    rows = [entry(tmp_path, f"ü {i:02d} $x$.png", 4, camid, shape=shapes[i % 5]) for i, camid in enumerate(cameras)]
    found = find_identity(table(tmp_path, rows), None)
    with figure_style():
        figure = draw_identity(found, "a run with quite a long name that does not fit, seed 1", StyleConfig(dpi=100, width_in=width_in))
    assert "no attribute of this" in texts(figure)
    assert len(figure.axes) == len(found.shown)
    assert_legible(figure)
    caption = describe_identity(found, "run")
    assert ("cameras unknown" in caption) == (set(cameras) == {None})
    assert ("1 of unknown camera" in caption) == (cameras == [1, None, 300])
    assert ("of the first 15 cameras" in caption) == (len(cameras) == 20)


def test_all_formats_are_written_and_equal_data_give_equal_bytes(tmp_path: Path) -> None:
    images = two_people(tmp_path)
    for name in ("one", "two"):
        plot_identity(images, None, "a run, seed 1", STYLE, [tmp_path / f"{name}.{kind}" for kind in ("png", "svg", "pdf", "rst")])
    for kind in ("png", "svg", "pdf", "rst"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert "camera 5" in (tmp_path / "one.svg").read_text()
    assert read_caption(tmp_path / "one.rst") == describe_identity(find_identity(images, None), "a run, seed 1")
    plot_identity(images, None, "a run, seed 1", StyleConfig(dpi=60, width_in=4), [tmp_path / "narrow.png"])
    assert (tmp_path / "narrow.png").read_bytes() != (tmp_path / "one.png").read_bytes()


def test_an_unreadable_image_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    images = two_people(tmp_path)
    (tmp_path / "4e.png").write_bytes(b"torn")
    with pytest.raises(InputError, match=r"4e\.png: cannot be decoded"):
        plot_identity(images, None, "run", STYLE, [tmp_path / "a.png", tmp_path / "a.rst"])
    assert not (tmp_path / "a.png").exists() and not (tmp_path / "a.rst").exists()
