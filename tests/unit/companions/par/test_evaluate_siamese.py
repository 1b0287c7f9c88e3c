"""Both artifacts of an arm from descriptors and predictions written by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qafm.companions.par.evaluate_siamese import SiameseInputs, evaluate_siamese
from qafm.companions.par.filters import Side, all_filters, filtered_search
from qafm.companions.par.predictions import predictions_table
from qafm.companions.par.query_gallery import choose_queries
from qafm.config.par import FiltersConfig, SearchConfig
from qafm.errors import InputError
from qafm.evaluation.evaluate_descriptors import evaluate_descriptors
from qafm.evaluation.fuse import unit_rows
from qafm.evaluation.ranking import Labels
from qafm.tables.descriptors import descriptors_table
from qafm.tables.parquet import write_parquet
from tests.unit.companions.par.conftest import Row

VALIDATION = (2, 5, 7)
Searched = tuple[list[Row], np.ndarray, np.ndarray]


@pytest.fixture
def searched(rows: list[Row]) -> Searched:
    """The searched rows, their descriptors and predicted attributes."""
    chosen = [row for row in rows if row["pid"] != -1 and (row["split"] != "train" or row["pid"] in VALIDATION)]
    rng = np.random.default_rng(4)
    return chosen, unit_rows(rng.normal(size=(len(chosen), 5)).astype(np.float32)), rng.integers(0, 2, (len(chosen), 12))


def write(folder: Path, images: Path, searched: Searched) -> SiameseInputs:
    chosen, descriptors, codes = searched
    names = [row["image_id"] for row in chosen]
    write_parquet(folder / "descriptors.parquet", descriptors_table(names, [row["split"] for row in chosen], descriptors))
    write_parquet(folder / "predictions.parquet", predictions_table(names, ["query"] * len(names), codes))
    return SiameseInputs(images, folder / "descriptors.parquet", folder / "predictions.parquet")


def evaluate(inputs: SiameseInputs, folder: Path, search: SearchConfig | None = None, **changed: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"filters": FiltersConfig(max_different=(3, 5)), "same_camera": "drop", "ranks": (1, 20)} | changed
    evaluate_siamese("transfer", inputs, search=search or SearchConfig(), retrieval=folder / "retrieval.json", filtered=folder / "filters.json", **options)
    return json.loads((folder / "filters.json").read_text())


def sides(searched: Searched, keep: Callable[[Row], bool]) -> Side:
    chosen, descriptors, codes = searched
    at = [i for i, row in enumerate(chosen) if keep(row)]
    some = [chosen[i] for i in at]
    labels = Labels(*(np.array([row[name] for row in some]) for name in ("pid", "camid", "image_id", "sha256")))
    return Side(labels, descriptors[at], codes[at])


def test_every_gallery_and_filter(images: Path, searched: Searched, tmp_path: Path) -> None:
    inputs = write(tmp_path, images, searched)
    content = evaluate(inputs, tmp_path)
    assert content["arm"] == "transfer"
    assert list(content["galleries"]) == ["no_distractors", "standard", "validation"]
    validation = sides(searched, lambda row: row["split"] == "train")
    chosen = choose_queries(validation.labels, 1, 1)
    query, gallery = (sides(searched, lambda row, split=split: row["split"] == split) for split in ("query", "gallery"))
    searches = {
        "validation": (validation.take(chosen), validation.take(~chosen), "keep"),
        "standard": (query, gallery, "drop"),
        "no_distractors": (query, gallery.take(gallery.labels.pid > 0), "drop"),
    }
    for name, (one, other, same_camera) in searches.items():
        found, excluded = filtered_search(one, other, all_filters((3, 5)), same_camera=same_camera)
        expected = [
            {"filter": each, "metrics": {key: pytest.approx(value, abs=1e-5) for key, value in f.summary((1, 20)).items()}} for each, f in found.items()
        ]
        about = {"n_queries": len(one) - excluded, "n_excluded": excluded, "n_gallery": len(other), "note": ""}
        assert content["galleries"][name] == about | {"filters": expected}
    assert len(validation.labels) == 12 and chosen.sum() == 6


def test_the_common_protocol_is_that_of_every_system(images: Path, searched: Searched, tmp_path: Path) -> None:
    inputs = write(tmp_path, images, searched)
    content = evaluate(inputs, tmp_path)
    evaluate_descriptors("siamese_transfer", images, [inputs.descriptors], same_camera="drop", ranks=(1, 20), note="", out=tmp_path / "expected.json")
    assert (tmp_path / "retrieval.json").read_bytes() == (tmp_path / "expected.json").read_bytes()
    common = json.loads((tmp_path / "retrieval.json").read_text())["galleries"]
    for name in ("standard", "no_distractors"):
        unfiltered = content["galleries"][name]["filters"][0]
        assert unfiltered["filter"] == "none"
        assert unfiltered["metrics"]["mAP"] == pytest.approx(common[name]["metrics"]["mAP"], abs=1e-5)


def test_settings_reach_the_search(images: Path, searched: Searched, tmp_path: Path) -> None:
    inputs = write(tmp_path, images, searched)
    base = evaluate(inputs, tmp_path)["galleries"]
    dropped = evaluate(inputs, tmp_path, SearchConfig(same_camera="drop"))["galleries"]
    assert dropped["standard"] == base["standard"] and dropped["validation"] != base["validation"]
    more = evaluate(inputs, tmp_path, SearchConfig(queries_per_camera=2))["galleries"]
    assert more["validation"]["n_queries"] == 9
    squared = evaluate(inputs, tmp_path, filters=FiltersConfig(max_different=(3, 5), distance="squared"))["galleries"]
    assert squared["standard"]["filters"][1] != base["standard"]["filters"][1]
    kept = evaluate(inputs, tmp_path, same_camera="keep")["galleries"]
    assert kept["standard"] != base["standard"] and kept["validation"] == base["validation"]


def test_validation_without_a_query_is_told_not_measured(images: Path, searched: Searched, tmp_path: Path) -> None:
    chosen, descriptors, codes = searched
    alone = [i for i, row in enumerate(chosen) if row["split"] != "train" or row["image_id"].endswith("_0.png")]
    inputs = write(tmp_path, images, ([chosen[i] for i in alone], descriptors[alone], codes[alone]))
    found = evaluate(inputs, tmp_path)["galleries"]["validation"]
    assert found["filters"] == [] and found["n_queries"] == 0
    assert found["note"] == "retrieval: none of the 0 queries has a right image in the gallery of 3 (same_camera: keep)"


def test_bad_files_are_named(images: Path, searched: Searched, tmp_path: Path) -> None:
    chosen, descriptors, codes = searched
    inputs = write(tmp_path, images, searched)
    write_parquet(inputs.predictions, predictions_table([row["image_id"] for row in chosen[1:]], ["query"] * (len(chosen) - 1), codes[1:]))
    with pytest.raises(InputError, match=rf"predictions\.parquet: has no prediction for {chosen[0]['image_id']}"):
        evaluate(inputs, tmp_path)
    few = [i for i, row in enumerate(chosen) if row["split"] != "train"]
    inputs = write(tmp_path, images, ([chosen[i] for i in few], descriptors[few], codes[few]))
    with pytest.raises(InputError, match=r"descriptors\.parquet: no validation image in it"):
        evaluate(inputs, tmp_path)
    assert not (tmp_path / "filters.json").exists()
