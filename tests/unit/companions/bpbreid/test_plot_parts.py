"""The picture with part maps: what it shows of a query and its ranks, in words and in pixels."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from qafm.companions.bpbreid.part_tables import PART_RANKING_SCHEMA, embeddings_table, maps_table
from qafm.companions.bpbreid.plot_parts import _overlay, plot_parts
from qafm.companions.bpbreid.ranked_parts import PartFiles, read_ranked_parts
from qafm.config.figures import ExamplesConfig, StyleConfig
from qafm.errors import InputError
from qafm.figures.drawing.caption import read_caption
from qafm.runtime.code_digest import import_closure
from qafm.runtime.files import write_json
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet, write_parquet

COMPARED = ["foreground", "head", "legs"]
SMALL = StyleConfig(dpi=60)


@pytest.fixture
def files(images: Path) -> PartFiles:
    """Two queries: the first has a right first rank, the second a wrong one; the head of gallery image 1 is hidden."""
    folder = images.parent / "run"
    rows = [row for row in read_parquet(images).to_pylist() if row["split"] != "train" and not row["junk"]]
    names = [row["image_id"] for row in rows]
    query, gallery = ([row["image_id"] for row in rows if row["split"] == split] for split in ("query", "gallery"))
    visible = np.ones((len(names), 3), bool)
    visible[names.index(gallery[1]), 1] = False
    confidence = np.linspace(0.2, 0.9, 3 * len(names), dtype=np.float32).reshape(-1, 3)
    splits = [row["split"] for row in rows]
    write_parquet(folder / "e.parquet", embeddings_table(names, splits, np.ones((len(names), 3, 2), np.float32), visible, confidence))
    maps = np.zeros((len(names), 2, 4, 2), np.uint8)
    maps[:, 0, :2], maps[:, 1, 2:] = 255, 128
    write_parquet(folder / "m.parquet", maps_table(names, maps))
    write_json(folder / "s.json", {"compared": COMPARED})
    ranking = [
        {"image_id": query[0], "pid": 6, "ap": 0.5, "first_rank": 1, "gallery_id": gallery[:2], "right": [True, False], "distance": [0.25, 0.75]},
        {"image_id": query[2], "pid": 7, "ap": 0.125, "first_rank": 2, "gallery_id": gallery[:3], "right": [False, True, False], "distance": [0.5, 1, 3]},
    ]
    ranking = [row | {"part_distance": [[0.1, 0.2, 0.3 + rank] for rank in range(len(row["right"]))]} for row in ranking]
    write_parquet(folder / "r.parquet", pa.Table.from_pylist(ranking, PART_RANKING_SCHEMA))
    return PartFiles(images, folder / "r.parquet", folder / "e.parquet", folder / "m.parquet", folder / "s.json")


def test_a_query_and_its_ranks_are_read(files: PartFiles) -> None:
    query = read_parquet(files.ranking)["image_id"][0].as_py()
    ranked = read_ranked_parts(files, query, depth=5, foreground=True)
    assert ranked.compared == COMPARED and ranked.ap == 0.5
    assert [(image.role, image.rank, image.distance) for image in ranked.shown] == [("query", 0, 0.0), ("right", 1, 0.25), ("wrong", 2, 0.75)]
    asked, first, second = ranked.shown
    assert np.isnan(asked.apart).all() and first.apart.tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert second.visible.tolist() == [True, False, True]
    np.testing.assert_array_equal(first.maps[0], np.array([[1, 1], [1, 1], [128 / 255] * 2, [128 / 255] * 2], np.float32))  # foreground: the larger of both
    assert len(read_ranked_parts(files, query, depth=1, foreground=True).shown) == 2


def leave_out_foreground(files: PartFiles) -> str:
    """Let the ranking be one of the parts alone; the first query."""
    rows = read_parquet(files.ranking).to_pylist()
    rows = [row | {"part_distance": [apart[1:] for apart in row["part_distance"]]} for row in rows]
    write_parquet(files.ranking, pa.Table.from_pylist(rows, PART_RANKING_SCHEMA))
    return rows[0]["image_id"]


def test_a_foreground_that_was_left_out_is_neither_shown_nor_counted(files: PartFiles, tmp_path: Path) -> None:
    query = leave_out_foreground(files)
    ranked = read_ranked_parts(files, query, depth=5, foreground=False)
    whole = maps_of(files, ranked.shown[1].image_id)
    first, second = ranked.shown[1:]
    assert ranked.compared == ["head", "legs"] and second.visible.tolist() == [False, True] and len(first.confidence) == 2
    assert first.apart.tolist() == pytest.approx([0.2, 0.3])
    np.testing.assert_array_equal(first.maps, whole)
    paths = draw(files, tmp_path, foreground=False)
    svg = paths["success"][1].read_text()
    assert "1 of 2 common" in svg and "2 of 2 common" in svg and "foreground" not in svg and "head" in svg
    assert "(here: head)" in read_caption(paths["success"][2])


def maps_of(files: PartFiles, name: str) -> np.ndarray:
    """The part maps that the table holds of an image, float32 [K, h, w]."""
    row = next(row for row in read_parquet(files.maps).to_pylist() if row["image_id"] == name)
    return np.frombuffer(row["maps"], np.uint8).reshape(2, row["height"], row["width"]).astype(np.float32) / 255


def test_memory_does_not_grow_with_the_images_of_the_tables(files: PartFiles) -> None:
    query = read_parquet(files.ranking)["image_id"][0].as_py()
    others = [f"other/{i}" for i in range(4000)]
    of_others = maps_table(others, np.zeros((4000, 2, 32, 16), np.uint8))
    write_parquet(files.maps, pa.concat_tables([of_others, read_parquet(files.maps)]))
    tracemalloc.start()
    read_ranked_parts(files, query, depth=5, foreground=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < of_others["maps"].nbytes / 4


def test_an_overlay_is_grey_where_the_map_is_0_and_says_what_is_hidden(files: PartFiles) -> None:
    shown = read_ranked_parts(files, read_parquet(files.ranking)["image_id"][0].as_py(), depth=5, foreground=True).shown[2]
    picture = _overlay(shown, 1)
    assert picture.lines[0].startswith("hidden (") and picture.frame.linestyle == "dotted"
    assert (picture.pixels[-1] == picture.pixels[-1, :, :1]).all()  # no head at the feet
    assert not (picture.pixels[0] == picture.pixels[0, :, :1]).all()
    assert _overlay(shown, 2).lines[0].endswith(" %") and _overlay(shown, 2).frame.linestyle == "solid"


def draw(
    files: PartFiles, folder: Path, depth: int = 3, examples: ExamplesConfig | None = None, style: StyleConfig = SMALL, *, foreground: bool = True
) -> dict:
    paths = {kind: [folder / f"{kind}.{ending}" for ending in ("png", "svg", "rst")] for kind in ("success", "failure")}
    plot_parts(files, examples or ExamplesConfig(), depth, "a run", style, folder / "examples.json", paths, foreground=foreground)  # type: ignore[arg-type]
    return paths


def test_success_and_failure_are_drawn_and_described(files: PartFiles, tmp_path: Path) -> None:
    paths = draw(files, tmp_path / "a")
    again = draw(files, tmp_path / "b")
    for kind in paths:
        assert [path.read_bytes() for path in paths[kind]] == [path.read_bytes() for path in again[kind]]
    svg = paths["failure"][1].read_text()
    for text in ("a run", "✗ rank 1", "✓ rank 2", "✗ rank 3", "d 1.000", "2 of 3 common", "3 of 3 common", "hidden (", "foreground", "head", "legs"):
        assert text in svg, text
    caption = read_caption(paths["failure"][2])
    assert "1 of the first 3 ranks right, AP 12.5 %" in caption and "rank 1 ✗ identity 6; rank 2 ✓ identity" in caption and "(here: head)" in caption
    assert "(here: head)" in read_caption(paths["success"][2])
    chosen = json.loads((tmp_path / "a" / "examples.json").read_text())
    assert {entry["kind"] for entry in chosen} == {"success", "failure"}


def test_depth_style_and_named_examples_change_the_picture(files: PartFiles, tmp_path: Path) -> None:
    found = {
        "plain": draw(files, tmp_path / "0"),
        "depth": draw(files, tmp_path / "1", depth=1),
        "width": draw(files, tmp_path / "2", style=StyleConfig(dpi=60, width_in=9)),
    }
    assert len({paths["failure"][0].read_bytes() for paths in found.values()}) == 3
    name = read_parquet(files.ranking)["image_id"][0].as_py()
    named = draw(files, tmp_path / "3", examples=ExamplesConfig(failure=name))
    assert "The configuration names this query" in read_caption(named["failure"][2])


def test_a_run_without_a_failure_says_so(files: PartFiles, tmp_path: Path) -> None:
    rows = read_parquet(files.ranking).to_pylist()
    write_parquet(files.ranking, pa.Table.from_pylist(rows[:1], PART_RANKING_SCHEMA))
    paths = draw(files, tmp_path)
    assert "No query of this run has a wrong first rank: no failure to show" in read_caption(paths["failure"][2])


def test_a_query_whose_gallery_is_empty_can_be_drawn(files: PartFiles, tmp_path: Path) -> None:
    rows = read_parquet(files.ranking).to_pylist()
    nothing: dict = {key: [] for key in ("gallery_id", "right", "distance", "part_distance")}
    write_parquet(files.ranking, pa.Table.from_pylist([rows[0] | nothing, rows[1]], PART_RANKING_SCHEMA))
    paths = draw(files, tmp_path, examples=ExamplesConfig(success=rows[0]["image_id"]))
    assert "0 of the first 0 ranks right" in read_caption(paths["success"][2])


def test_tables_that_do_not_fit_are_named(files: PartFiles) -> None:
    query = read_parquet(files.ranking)["image_id"][0].as_py()
    with pytest.raises(InputError, match=r"r\.parquet: no query nobody"):
        read_ranked_parts(files, "nobody", 3, foreground=True)
    with pytest.raises(InputError, match=r"r\.parquet: 3 embeddings of .* are compared with .*'s, expected 2"):
        read_ranked_parts(files, query, 3, foreground=False)
    write_parquet(files.maps, read_parquet(files.maps).slice(0, 1))
    with pytest.raises(InputError, match=r"m\.parquet: no image .*, which is ranked"):
        read_ranked_parts(files, query, 3, foreground=True)
    write_json(files.summary, {"compared": [*COMPARED, "feet"]})
    with pytest.raises(InputError, match=r"e\.parquet: holds 3 embeddings of an image, .*s\.json names 4"):
        read_ranked_parts(files, query, 3, foreground=True)
    files.summary.write_text("no")
    with pytest.raises(InputError, match=r"s\.json: is no summary"):
        read_ranked_parts(files, query, 3, foreground=True)
    rows = [row for row in read_parquet(files.images).to_pylist() if row["split"] != "gallery"]
    write_json(files.summary, {"compared": COMPARED})
    write_parquet(files.images, pa.Table.from_pylist(rows, IMAGES_SCHEMA))
    with pytest.raises(InputError, match=r"images\.parquet: no image .*, which is ranked"):
        read_ranked_parts(files, query, 3, foreground=True)


def test_the_picture_depends_on_no_other_figure_but_the_one_that_says_why() -> None:
    others = {name for name in import_closure("qafm.companions.bpbreid.plot_parts") if name.startswith("qafm.figures.plot_")}
    assert others == {"qafm.figures.plot_nothing"}
