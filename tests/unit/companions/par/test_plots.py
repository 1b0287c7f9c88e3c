"""Both figures: what they count and measure, what their captions say, and what cannot be drawn."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from qafm.companions.par.plot_distances import draw_distances, measure_distances, plot_distances, validation_sides
from qafm.companions.par.plot_labels import count_labels, draw_labels, plot_labels
from qafm.companions.par.query_gallery import choose_queries
from qafm.config.choices import SameCamera
from qafm.config.figures import StyleConfig
from qafm.config.par import SearchConfig
from qafm.errors import InputError
from qafm.evaluation.fuse import unit_rows
from qafm.evaluation.ranking import Labels
from qafm.figures.drawing.caption import read_caption
from qafm.figures.drawing.style import figure_style
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.descriptors import descriptors_table
from qafm.tables.parquet import write_parquet
from tests.unit.companions.par.conftest import Row

STYLE = StyleConfig(dpi=50, bins=10)
ImagesOf = Callable[[list[Row]], Path]


def paths(folder: Path) -> list[Path]:
    return [folder / f"figure.{kind}" for kind in ("png", "svg", "rst")]


def test_labels_are_counted_by_identity_and_by_image(images: Path, rows: list[Row]) -> None:
    shares, counts = count_labels(images, multi_color=True)
    train = [row for row in rows if row["split"] == "train"]
    assert counts == (8, len(train))
    for name in ATTRIBUTE_NAMES:
        by_image = [sum(row[name] == code for row in train) for code in range(len(shares[name].classes))]
        by_identity = [len({row["pid"] for row in train if row[name] == code}) for code in range(len(shares[name].classes))]
        assert shares[name].images.tolist() == by_image
        assert shares[name].identities.tolist() == by_identity
    assert sum(shares["hat"].identities) == 7  # one identity has no label


def test_an_identity_is_of_the_class_of_most_of_its_images(images_of: ImagesOf, rows: list[Row]) -> None:
    changed = [row | ({"gender": int(row["image_id"][-5] != "0")} if row["pid"] == 1 else {"gender": None}) for row in rows]
    shares, _ = count_labels(images_of(changed), multi_color=False)
    assert (shares["gender"].images.tolist(), shares["gender"].identities.tolist()) == ([1, 3], [0, 1])


def test_multi_is_a_class_where_it_is_one(images_of: ImagesOf, rows: list[Row]) -> None:
    images = images_of([row | ({"up_color": None} if row["pid"] == 1 else {}) for row in rows])
    assert count_labels(images, multi_color=True)[0]["up_color"].images[8] == 4
    assert len(count_labels(images, multi_color=False)[0]["up_color"].classes) == 8


def test_every_attribute_has_a_panel_and_unknown_ones_say_so(images_of: ImagesOf, rows: list[Row], tmp_path: Path) -> None:
    images = images_of([row | {"age": None, "hat": 0 if row["pid"] not in (0, -1, 8) else None} for row in rows])
    with figure_style():
        figure = draw_labels(count_labels(images, multi_color=False)[0], "toy", STYLE)
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes}
    assert set(panels) == {
        *(set(ATTRIBUTE_NAMES) - {"up", "down", "up_color", "down_color"}),
        "sleeves",
        "length of lower clothes",
        "upper colour",
        "lower colour",
    }
    assert [text.get_text() for text in panels["age"].texts] == ["no known label"]
    assert [label.get_text() for label in panels["upper colour"].get_yticklabels()][:2] == ["black", "white"]
    assert [text.get_text() for text in panels["hat"].texts] == ["100.0", "0", "100.0", "0"]
    widths = [patch.get_width() for patch in panels["hat"].patches]
    assert widths == [100, 0, 100, 0]
    plot_labels(images, "toy", STYLE, paths(tmp_path), multi_color=False)
    caption = read_caption(tmp_path / "figure.rst")
    assert "8 identities, 32 images. Run: toy." in caption
    assert "Attributes without any label: age." in caption
    assert "hat (no 100.0 % of the images)" in caption and "hat yes" in caption
    assert "multi" not in caption
    picture = cv2.imread(str(tmp_path / "figure.png"))
    assert picture is not None and picture.std() > 5
    first = (tmp_path / "figure.svg").read_bytes()
    plot_labels(images, "toy", STYLE, paths(tmp_path), multi_color=True)
    assert "multi: clothes of several colours" in read_caption(tmp_path / "figure.rst")
    plot_labels(images, "toy", STYLE, paths(tmp_path), multi_color=False)
    assert (tmp_path / "figure.svg").read_bytes() == first


def test_labels_of_no_train_image_are_refused(images_of: ImagesOf, rows: list[Row], tmp_path: Path) -> None:
    images = images_of([row for row in rows if row["split"] != "train"])
    with pytest.raises(InputError, match=r"other\.parquet: no train image"):
        plot_labels(images, "toy", STYLE, paths(tmp_path), multi_color=False)


def write_descriptors(path: Path, rows: list[Row], vectors: np.ndarray | None = None) -> np.ndarray:
    """Descriptors of all images but junk; all train identities validate."""
    chosen = [row for row in rows if row["pid"] != -1]
    found = np.random.default_rng(1).normal(size=(len(chosen), 4)) if vectors is None else vectors
    found = unit_rows(found.astype(np.float32))
    write_parquet(path, descriptors_table([row["image_id"] for row in chosen], [row["split"] for row in chosen], found))
    return found


@pytest.mark.parametrize("same_camera", ["keep", "drop"])
def test_distances_against_loops(images: Path, rows: list[Row], tmp_path: Path, same_camera: SameCamera) -> None:
    vectors = write_descriptors(tmp_path / "d.parquet", rows)
    found = measure_distances(*validation_sides(images, tmp_path / "d.parquet", SearchConfig()), same_camera)
    chosen = [row for row in rows if row["pid"] != -1]
    train = [(row, vector) for row, vector in zip(chosen, vectors, strict=True) if row["split"] == "train"]
    is_query = choose_queries(Labels(*(np.array([row[name] for row, _ in train]) for name in ("pid", "camid", "image_id"))), 1, 1)
    right, every = [], []
    for (one, a), query in zip(train, is_query, strict=True):
        for (other, b), other_query in zip(train, is_query, strict=True):
            same = one["pid"] == other["pid"]
            if query and not other_query and not (same and one["camid"] == other["camid"] and same_camera == "drop"):
                every.append(float(np.linalg.norm(a.astype(float) - b.astype(float))))
                right += every[-1:] if same else []
    assert sorted(found.right) == pytest.approx(sorted(right), abs=1e-5)
    assert sorted(found.all) == pytest.approx(sorted(every), abs=1e-5)


def test_every_arm_has_a_panel_and_its_numbers_stand_in_the_caption(images: Path, rows: list[Row], tmp_path: Path) -> None:
    write_descriptors(tmp_path / "a.parquet", rows)
    write_descriptors(tmp_path / "b.parquet", rows, np.ones((sum(row["pid"] != -1 for row in rows), 4)))
    arms = [("transfer", "PAR (ce) from random", tmp_path / "a.parquet"), ("reference", "random", tmp_path / "b.parquet")]
    search = SearchConfig()
    plot_distances(arms, images, search, "toy, seed 1", STYLE, paths(tmp_path))
    caption = read_caption(tmp_path / "figure.rst")
    found = measure_distances(*validation_sides(images, tmp_path / "a.parquet", search), search.same_camera)
    assert f"Transfer (start: PAR (ce) from random): right pairs n = {len(found.right)}, mean {found.right.mean():.3f}, sd" in caption
    assert f"{100 * np.mean(found.right < found.all.mean()):.1f} % of the right pairs" in caption
    assert "Reference (start: random): right pairs n = 32, mean 0.000, sd 0.000;" in caption  # all descriptors are alike
    with figure_style():
        figure = draw_distances({"one": found}, "toy", STYLE)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["one"]
    curve = figure.axes[0].lines[1]
    x, y = np.asarray(curve.get_xdata(), float), np.asarray(curve.get_ydata(), float)
    peak = 1 / (found.right.std() * np.sqrt(2 * np.pi))
    assert y.max() == pytest.approx(peak, rel=0.01)
    assert x[y.argmax()] == pytest.approx(found.right.mean(), abs=0.02)


def test_without_a_right_pair_the_figure_says_so(images: Path, rows: list[Row], tmp_path: Path) -> None:
    alone = [row for row in rows if row["split"] != "train" or row["image_id"].endswith("_0.png")]
    write_descriptors(tmp_path / "d.parquet", alone)
    plot_distances([("transfer", "random", tmp_path / "d.parquet")], images, SearchConfig(), "toy", STYLE, paths(tmp_path))
    assert read_caption(tmp_path / "figure.rst").startswith("No validation identity has two images")
    write_descriptors(tmp_path / "d.parquet", [row for row in rows if row["split"] != "train"])
    with pytest.raises(InputError, match=r"d\.parquet: no validation image in it"):
        plot_distances([("transfer", "random", tmp_path / "d.parquet")], images, SearchConfig(), "toy", STYLE, paths(tmp_path))


def test_without_cameras_a_search_that_needs_them_is_not_measured_and_the_figure_says_so(images_of: ImagesOf, rows: list[Row], tmp_path: Path) -> None:
    images = images_of([row | {"camid": None} for row in rows])
    write_descriptors(tmp_path / "d.parquet", rows)
    plot_distances([("transfer", "random", tmp_path / "d.parquet")], images, SearchConfig(same_camera="drop"), "toy", STYLE, paths(tmp_path))
    caption = read_caption(tmp_path / "figure.rst")
    assert caption.startswith("Not measured: train_") and "image without a camera" in caption and "set same_camera to keep" in caption
    assert (tmp_path / "figure.png").stat().st_size > 0
