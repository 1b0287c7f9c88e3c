"""Figure 8: what is drawn and said of maps whose numbers are known."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from matplotlib.axes import Axes

from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.figures.drawing.caption import read_caption
from qafm.figures.drawing.map_colors import map_colors
from qafm.figures.plot_activation import Picture, describe_pairs, draw_pairs, plot_activation, read_pairs, strongest
from qafm.tables.activation_maps import ACTIVATION_MAPS_SCHEMA, KINDS
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet, write_parquet

SIZE = {"visual_activation": (6, 2), "attribute_activation": (3, 1), "visual_match": (6, 2), "attribute_match": (6, 2)}
STYLE = StyleConfig(dpi=60)


def image(folder: Path, image_id: str, pid: int, camid: int | None = 3, distractor: bool = False, shape: tuple[int, int] = (40, 20)) -> dict[str, Any]:
    path = folder / image_id.replace("/", "_")
    noise = np.random.default_rng(pid + shape[0]).integers(0, 256, (*shape, 3), np.uint8)
    path.write_bytes(cv2.imencode(".png", noise)[1].tobytes())
    base = {"image_id": image_id, "path": str(path), "split": "query", "pid": pid, "camid": camid, "junk": False, "distractor": distractor, "sha256": ""}
    return {**base, "height": shape[0], "width": shape[1], **dict.fromkeys(ATTRIBUTE_NAMES)}


def rows(example: str, query: str, gallery: str, similarity: float = 0.8, part: float | None = 0.3, scale: float = 1.0) -> list[dict[str, Any]]:
    """Eight maps; those of image i count upwards from i to i + 1, times `scale`."""
    table = []
    for i, (role, own, other) in enumerate((("query", query, gallery), ("gallery", gallery, query))):
        for kind in KINDS:
            height, width = SIZE[kind]
            values = (i + np.linspace(0, 1, height * width, dtype=np.float32)) * scale
            known = {"example": example, "role": role, "image_id": own, "other_id": other, "kind": kind, "height": height, "width": width, "values": values}
            table.append({**known, "similarity": similarity, "visual_weight": 0.25 + i / 2, "visual_part": part})
    return table


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A right pair, and a wrong one with a distractor and without parts."""
    table = rows("success", "q/one.png", "g/two.png") + rows("failure", "q/three.png", "g/four.png", similarity=0.6, part=None, scale=2)
    images = [image(tmp_path, "g/four.png", 0, distractor=True), image(tmp_path, "g/two.png", 7, camid=None, shape=(60, 20))]
    images += [image(tmp_path, "q/one.png", 7), image(tmp_path, "q/three.png", 9)]
    write_parquet(tmp_path / "maps.parquet", pa.Table.from_pylist(table, schema=ACTIVATION_MAPS_SCHEMA))
    write_parquet(tmp_path / "images.parquet", pa.Table.from_pylist(images, schema=IMAGES_SCHEMA))
    return tmp_path / "maps.parquet", tmp_path / "images.parquet"


def change(path: Path, schema: pa.Schema, edit: Any) -> None:
    table = [row for row in (edit(row) for row in read_parquet(path).to_pylist()) if row is not None]
    write_parquet(path, pa.Table.from_pylist(table, schema=schema))


def test_pairs_are_read_in_order_and_maps_are_enlarged_to_the_image(files: tuple[Path, Path]) -> None:
    success, failure = read_pairs(*files)
    assert (success.name, success.similarity, success.right) == ("success", 0.8, True)
    assert (failure.name, failure.similarity, failure.right) == ("failure", 0.6, False)
    assert [picture.image_id for pair in (success, failure) for picture in pair.pictures] == ["q/one.png", "g/two.png", "q/three.png", "g/four.png"]
    assert (success.query.weight, success.gallery.weight, success.query.visual_part, failure.query.visual_part) == (0.25, 0.75, 0.3, None)
    assert {kind: values.shape for kind, values in success.gallery.maps.items()} == dict.fromkeys(KINDS, (60, 20))
    values = np.linspace(0, 1, 3)  # attribute_activation of the query, 3 x 1 over 40 rows: pixel centres mapped on cell centres
    expected = np.interp((np.arange(40) + 0.5) * 3 / 40 - 0.5, np.arange(3), values)
    np.testing.assert_allclose(success.query.maps["attribute_activation"], np.tile(expected[:, None], (1, 20)), atol=1e-5)


def test_a_distractor_is_never_right(files: tuple[Path, Path]) -> None:
    change(files[1], IMAGES_SCHEMA, lambda row: {**row, "pid": 0})
    assert [pair.right for pair in read_pairs(*files)] == [True, False]


def panels(axes: list[Axes]) -> list[tuple[np.ndarray, tuple[float, float]]]:
    """Of each box its uppermost image and the ends of its scale."""
    shown = [box.images[-1] for box in axes]
    return [(np.asarray(image.get_array()), (image.norm.vmin, image.norm.vmax)) for image in shown]


def test_every_map_stands_in_its_place_on_its_scale(files: tuple[Path, Path]) -> None:
    pairs = read_pairs(*files)
    axes = draw_pairs(pairs, STYLE).axes
    pictures = [picture for pair in pairs for picture in pair.pictures]
    assert len(axes) == 4 * 5 + 3
    for i, picture in enumerate(pictures):
        boxes = axes[5 * i : 5 * i + 5]
        (first, _), *rest = panels(boxes)
        np.testing.assert_array_equal(first, picture.pixels)
        for kind, box, (values, scale) in zip(KINDS, boxes[1:], rest, strict=True):
            np.testing.assert_array_equal(values, picture.maps[kind])
            np.testing.assert_array_equal(np.asarray(box.images[0].get_array()), cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY))
            alone = (0.0, max(picture.maps["visual_match"].max(), picture.maps["attribute_match"].max()))
            assert scale == pytest.approx(alone if kind.endswith("match") else (0, 4), abs=1e-6)
    tops = [axes[5 * i].get_position().y0 for i in range(4)]
    assert tops == sorted(tops, reverse=True)
    lefts = [axes[i].get_position().x0 for i in range(5)]
    assert lefts == sorted(lefts)


def test_each_activation_has_its_own_scale_and_a_line_runs_at_half_of_it(files: tuple[Path, Path]) -> None:
    double = {"visual_activation": 1, "attribute_activation": 3, "visual_match": 1, "attribute_match": 1}
    change(files[0], ACTIVATION_MAPS_SCHEMA, lambda row: {**row, "values": [double[row["kind"]] * value for value in row["values"]]})
    axes = draw_pairs(read_pairs(*files), STYLE).axes
    for column, high in ((1, 4), (2, 12)):
        assert [scale for _, scale in panels([axes[5 * i + column] for i in range(4)])] == [pytest.approx((0, high), abs=1e-5)] * 4
        assert [text.get_text() for text in axes[column - 4].texts] == ["0", str(high)]
    for i, high in ((0, 1), (2, 2)):  # the queries: their match maps run from 0 to 1 and from 0 to 2
        for box in axes[5 * i + 3 : 5 * i + 5]:
            assert [level for lines in box.collections for level in lines.levels] == [pytest.approx(high / 2)]  # type: ignore[attr-defined]


def test_texts_say_who_is_seen_and_what_each_branch_adds(files: tuple[Path, Path]) -> None:
    figure = draw_pairs(read_pairs(*files), STYLE)
    texts = [text.get_text() for text in figure.texts]
    for wanted in ("success: ✓ same identity, similarity 0.800", "failure: ✗ another identity, similarity 0.600", "pid 7", "pid 9", "distractor", "camera 3"):
        assert wanted in texts
    assert texts.count("camera 3") == 3  # one image has no camera
    assert texts.count("+0.300") == texts.count("+0.500") == 2  # the failure has no parts
    assert texts.count("alpha 0.75") == texts.count("w 0.25") == texts.count("w 0.75") == 2
    for box, (low, high) in zip(figure.axes[-3:-1], [(0, 4), (0, 4)], strict=True):
        assert [text.get_text() for text in box.texts] == [f"{low}", f"{high}"]


def test_titles_and_parts_stand_in_the_column_of_their_branch(files: tuple[Path, Path]) -> None:
    figure = draw_pairs(read_pairs(*files), STYLE)
    width, height = figure.get_size_inches()
    first = height * figure.axes[0].get_position().y1  # upper end of the first row of pictures
    columns: list[tuple[list[str], list[str]]] = []
    for box in figure.axes[:5]:
        own = [text for text in figure.texts if text.get_position()[0] == pytest.approx(width * sum(box.get_position().intervalx) / 2)]
        above = [text.get_text() for text in own if text.get_position()[1] > first]
        columns.append((above, [text.get_text() for text in own if text.get_text() not in above]))
    assert [above for above, _ in columns] == [["image"], ["APN", "backbone"], ["APAN", "backbone"], ["match", "by APN"], ["match", "by APAN"]]
    assert [below for _, below in columns[3:]] == [["+0.300", "+0.300"], ["+0.500", "+0.500"]]  # similarity 0.8, of which 0.3 are visual


@pytest.mark.parametrize("width", [4.0, 6.4])
def test_nothing_is_cut_and_rows_do_not_overlap(files: tuple[Path, Path], width: float) -> None:
    change(files[1], IMAGES_SCHEMA, lambda row: {**row, "pid": row["pid"] + 2000000000})
    figure = draw_pairs(read_pairs(*files), StyleConfig(dpi=60, width_in=width))
    boxes = [text.get_window_extent() for text in [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]]
    assert figure.get_figwidth() == pytest.approx(width)
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0 and box.y1 <= figure.bbox.y1 for box in boxes)
    touching = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 2]
    assert not touching


def test_a_branch_that_drives_nothing_looks_empty() -> None:
    maps = dict.fromkeys(KINDS, np.ones((4, 2), np.float32)) | {"attribute_match": np.zeros((4, 2), np.float32)}
    picture = Picture("a", 1, None, False, 1.0, None, np.zeros((4, 2, 3), np.uint8), maps)
    assert strongest(picture) == 1
    alpha = {kind: [map_colors(kind)(position)[3] for position in (0.0, 0.5, 1.0)] for kind in KINDS}
    assert alpha["attribute_match"][0] == alpha["visual_match"][0] == 0
    assert alpha["visual_match"][2] > 0.5
    assert alpha["visual_activation"][0] == alpha["visual_activation"][2]


def test_maps_of_zeros_can_be_drawn(files: tuple[Path, Path]) -> None:
    change(files[0], ACTIVATION_MAPS_SCHEMA, lambda row: {**row, "values": [0.0] * len(row["values"])})
    figure = draw_pairs(read_pairs(*files), STYLE)
    assert all(scale == (0, 1) for box in range(1, 5) for _, scale in panels([figure.axes[box]]))
    assert not any(axes.collections for axes in figure.axes)


def test_the_caption_names_images_weights_and_how_to_read_it(files: tuple[Path, Path]) -> None:
    pairs = read_pairs(*files)
    text = describe_pairs(pairs, "toy, seed 1")
    for wanted in (
        "(toy, seed 1)",
        "Success (the query of Figure 9 and its first right match): query q/one.png (pid 7, camera 3, alpha 0.750, w 0.250) and gallery g/two.png (pid 7, ",
        "the same identity, a right match, similarity 0.800; the scales of their match maps end at 1 and 2.",
        "gallery g/four.png (distractor, camera 3, alpha 0.250, w 0.750), not the same identity, a wrong match, similarity 0.600; ",
        "0425_c1s2_031841_00.jpg",
        "they sum to it",
    ):
        assert wanted in text
    assert "No pair stands" not in text
    alone = describe_pairs(pairs[1:], "toy")
    assert "No pair stands for a success." in alone
    assert "they sum to it" not in alone


def test_the_rule_is_claimed_only_where_it_fits(files: tuple[Path, Path]) -> None:
    names = {"success": "failure", "failure": "mine"}
    change(files[0], ACTIVATION_MAPS_SCHEMA, lambda row: {**row, "example": names[row["example"]]})
    text = describe_pairs(read_pairs(*files), "toy")
    assert "Failure: query q/one.png" in text  # the same identity is no wrong match
    assert "Mine: query q/three.png" in text


def test_equal_input_gives_equal_bytes_in_every_format(files: tuple[Path, Path], tmp_path: Path) -> None:
    kinds = ("png", "svg", "pdf", "rst")
    for name in ("one", "two"):
        plot_activation(*files, "toy", STYLE, [tmp_path / f"{name}.{kind}" for kind in kinds])
    plot_activation(*files, "toy", StyleConfig(dpi=60, width_in=4), [tmp_path / "narrow.png"])
    for kind in kinds:
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert cv2.imread(str(tmp_path / "one.png")).shape[1] == 384
    assert cv2.imread(str(tmp_path / "narrow.png")).shape[1] == 240
    assert read_caption(tmp_path / "one.rst") == describe_pairs(read_pairs(*files), "toy")


def test_without_an_example_the_figure_says_so(files: tuple[Path, Path], tmp_path: Path) -> None:
    change(files[0], ACTIVATION_MAPS_SCHEMA, lambda _row: None)
    plot_activation(*files, "toy", STYLE, [tmp_path / "a.png", tmp_path / "a.rst"])
    assert (tmp_path / "a.png").stat().st_size > 1000
    assert read_caption(tmp_path / "a.rst").startswith("No query of the run is a success or a failure")


def test_a_map_of_the_wrong_size_is_named(files: tuple[Path, Path]) -> None:
    change(files[0], ACTIVATION_MAPS_SCHEMA, lambda row: {**row, "height": 5} if row["kind"] == "visual_match" else row)
    with pytest.raises(InputError, match=r"maps\.parquet: visual_match of q/one\.png has 12 values, expected 5 x 2"):
        read_pairs(*files)


def test_a_missing_map_is_named(files: tuple[Path, Path]) -> None:
    change(files[0], ACTIVATION_MAPS_SCHEMA, lambda row: None if (row["role"], row["kind"]) == ("gallery", "attribute_match") else row)
    with pytest.raises(InputError, match=r"maps\.parquet: example 'success' has no attribute_match of the gallery"):
        read_pairs(*files)


def test_a_missing_image_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "g_two.png").unlink()
    with pytest.raises(InputError, match=r"g_two\.png: cannot be read"):
        plot_activation(*files, "toy", STYLE, [tmp_path / "a.png"])
    change(files[1], IMAGES_SCHEMA, lambda row: None if row["image_id"] == "g/two.png" else row)
    with pytest.raises(InputError, match=r"images\.parquet: has no image 'g/two\.png', which .*maps\.parquet maps"):
        plot_activation(*files, "toy", STYLE, [tmp_path / "a.png"])
    assert not (tmp_path / "a.png").exists()
