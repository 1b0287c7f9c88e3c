"""Descriptors evaluated as they are: against the ranking on the same vectors, alone and concatenated; bad files."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from qafm.errors import InputError
from qafm.evaluation.evaluate_descriptors import evaluate_descriptors
from qafm.evaluation.fuse import unit_rows
from qafm.evaluation.load_descriptors import load_descriptors
from qafm.evaluation.ranking import Labels, dot_similarity, evaluate_retrieval
from qafm.tables.descriptors import descriptors_table
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet

RNG = np.random.default_rng(3)
QUERIES, GALLERY, DIM = 6, 20, 8


def made_images(folder: Path) -> Path:
    """Six queries of three people in camera 1, their gallery in camera 2, four distractors, one junk image, two held-out ones."""
    pids = [*(i % 3 + 1 for i in range(QUERIES)), *(i % 3 + 1 for i in range(15)), 0, 0, 0, 0, 1, 9, 9]
    splits = ["query"] * QUERIES + ["gallery"] * GALLERY + ["train", "train"]
    rows = []
    for i, (pid, split) in enumerate(zip(pids, splits, strict=True)):
        row = {field.name: None for field in IMAGES_SCHEMA}
        row |= {"image_id": f"{i:02d}.jpg", "path": f"{i:02d}.jpg", "split": split, "pid": pid, "camid": 1 if split == "query" else 2, "sha256": f"{i:064d}"}
        row |= {"fold": "holdout" if split == "train" else None, "distractor": pid == 0, "junk": i == QUERIES + 19, "height": 1, "width": 1}
        rows.append(row)
    path = folder / "images.parquet"
    write_parquet(path, pa.Table.from_pylist(rows, IMAGES_SCHEMA))
    return path


def written(path: Path, vectors: np.ndarray, ids: list[int] | None = None) -> Path:
    ids = list(range(len(vectors))) if ids is None else ids
    splits = ["query"] * QUERIES + ["gallery"] * GALLERY + ["train", "train"]
    write_parquet(path, descriptors_table([f"{i:02d}.jpg" for i in ids], [splits[i] for i in ids], vectors))
    return path


@pytest.fixture
def vectors() -> np.ndarray:
    return unit_rows(RNG.standard_normal((QUERIES + GALLERY + 2, DIM)).astype(np.float32))


def slow(vectors: np.ndarray, *, distractors: bool, same_camera: str = "drop") -> dict[str, float]:
    pids = np.array([*(i % 3 + 1 for i in range(QUERIES)), *(i % 3 + 1 for i in range(15)), 0, 0, 0, 0])
    kept = np.arange(QUERIES, QUERIES + (19 if distractors else 15))
    query = Labels(pids[:QUERIES], np.ones(QUERIES, np.int16), np.array([f"{i:02d}.jpg" for i in range(QUERIES)]))
    gallery = Labels(pids[kept], np.full(len(kept), 2, np.int16), np.array([f"{i:02d}.jpg" for i in kept]))
    return evaluate_retrieval(query, gallery, dot_similarity(vectors[:QUERIES], vectors[kept]), same_camera=same_camera).summary((1, 3))  # type: ignore[arg-type]


def test_metrics_are_those_of_the_ranking_with_and_without_distractors(tmp_path: Path, vectors: np.ndarray) -> None:
    images, out = made_images(tmp_path), tmp_path / "row.json"
    evaluate_descriptors("baseline", images, [written(tmp_path / "a.parquet", vectors)], same_camera="drop", ranks=(1, 3), note="a note", out=out)
    content = json.loads(out.read_text())
    assert (content["experiment"], content["note"], content["same_camera"]) == ("baseline", "a note", "drop")
    for gallery, distractors in (("standard", True), ("no_distractors", False)):
        expected = slow(vectors, distractors=distractors)
        assert content["galleries"][gallery]["metrics"] == {name: round(expected[name], 6) for name in content["galleries"][gallery]["metrics"]}
        assert content["galleries"][gallery]["n_queries"] == QUERIES
    assert "rank3" in content["galleries"]["standard"]["metrics"]


def test_several_files_are_concatenated_each_normalised(tmp_path: Path, vectors: np.ndarray) -> None:
    images, out = made_images(tmp_path), tmp_path / "row.json"
    other = unit_rows(RNG.standard_normal((len(vectors), 5)).astype(np.float32))
    paths = [written(tmp_path / "a.parquet", vectors), written(tmp_path / "b.parquet", 7 * other)]
    evaluate_descriptors("twins", images, paths, same_camera="keep", ranks=(1, 3), note="", out=out)
    expected = slow(unit_rows(np.concatenate([vectors, other], axis=1)), distractors=True, same_camera="keep")
    assert json.loads(out.read_text())["galleries"]["standard"]["metrics"]["mAP"] == pytest.approx(expected["mAP"], abs=1e-5)


def test_sides_are_in_the_order_of_the_images_without_junk(tmp_path: Path, vectors: np.ndarray) -> None:
    order = list(RNG.permutation(len(vectors)))
    loaded = load_descriptors(made_images(tmp_path), written(tmp_path / "a.parquet", vectors[order], order))
    np.testing.assert_allclose(loaded.query.descriptor, vectors[:QUERIES], atol=1e-6)
    np.testing.assert_allclose(loaded.gallery.descriptor, vectors[QUERIES : QUERIES + 19], atol=1e-6)
    assert loaded.holdout is not None and list(loaded.holdout.labels.pid) == [9, 9]


def test_bad_files_are_named(tmp_path: Path, vectors: np.ndarray) -> None:
    images, out = made_images(tmp_path), tmp_path / "row.json"
    full = written(tmp_path / "a.parquet", vectors)
    fewer = written(tmp_path / "b.parquet", vectors[1:], list(range(1, len(vectors))))
    gone = written(tmp_path / "c.parquet", vectors[:QUERIES], list(range(QUERIES)))
    other = tmp_path / "d.parquet"
    write_parquet(other, pa.table({"image_id": ["00.jpg"], "split": ["query"]}))
    for paths, message in (
        ([full, fewer], r"b\.parquet: holds other query images than .*a\.parquet"),
        ([gone], r"c\.parquet: no gallery image in it"),
        ([other], r"d\.parquet: has no column descriptor"),
        ([tmp_path / "none.parquet"], r"none\.parquet: cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            evaluate_descriptors("baseline", images, paths, same_camera="drop", ranks=(1,), note="", out=out)
        assert not out.exists()
