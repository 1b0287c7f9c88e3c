"""quality.csv against loops over made-up images, and what it leaves out."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr

from qafm.errors import InputError
from qafm.quality.describe_quality import COLUMNS, describe_quality
from qafm.quality.image_statistics import image_statistics
from qafm.quality.repeatability import intraclass_correlation, intraclass_interval
from qafm.tables.parquet import write_parquet
from qafm.tables.quality import QUALITY_SCHEMA

SPLITS = {"train": {"fold": "fit"}, "holdout": {"fold": "holdout"}, "query": {"split": "query"}, "gallery": {"split": "gallery"}}
Table = list[dict[str, str]]


def made_up_index() -> list[dict[str, Any]]:
    """4 identities per split with 3 tracklets of 2 images, a query with 1 of 1; distractors and a junk image."""
    rows = []
    for number, (name, kind) in enumerate(SPLITS.items()):
        for pid in range(1 + 10 * number, 5 + 10 * number):
            for camid in (1, 2, 3) if name != "query" else (1,):
                for frame in (1, 2) if name != "query" else (1,):
                    rows.append({"image_id": f"{name}/{pid:04}_c{camid}_{frame}.png", "pid": pid, "camid": camid, "sequence": 1 + pid % 2, **kind})
    rows += [{"image_id": f"gallery/0000_c1_{n}.png", "split": "gallery", "pid": 0, "sequence": 1, "distractor": True} for n in range(3)]
    return [*rows, {"image_id": "gallery/-1_c1.png", "split": "gallery", "pid": -1, "junk": True}]


def image_of(name: str) -> np.ndarray:
    rng = np.random.default_rng(list(name.encode()))
    return np.clip(rng.normal(rng.uniform(60, 190), rng.uniform(5, 40), (12, 6, 3)), 0, 255).astype(np.uint8)


def scores_of(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    rng = np.random.default_rng(0)
    names = sorted(row["image_id"] for row in rows if not row.get("junk"))
    return {name: dict(zip(("q", "q_raw", "mean_norm"), (0.1, 1.3, 10) + rng.normal(size=3) * (0.01, 0.1, 1), strict=True)) for name in names}


def write_quality(path: Path, scores: dict[str, dict[str, float | None]]) -> Path:
    rows = [dict.fromkeys(QUALITY_SCHEMA.names) | {"image_id": name, "q_z": 0.0, "q_rank": 0.0} | values for name, values in scores.items()]
    write_parquet(path, pa.Table.from_pylist(rows, schema=QUALITY_SCHEMA))
    return path


@pytest.fixture
def run(make_index, tmp_path: Path) -> Callable[..., Table]:
    """Describe made-up images; what differs from that is given by name."""

    def describe(index: Any = None, scores: Any = None, compare: dict[str, float] | None = None, samples: int = 100, seed: int = 1) -> Table:
        index = made_up_index() if index is None else index
        for row in index:
            path = tmp_path / "raw" / row["image_id"]
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), cv2.cvtColor(image_of(row["image_id"]), cv2.COLOR_RGB2BGR))
        images = make_index([row | {"path": str(tmp_path / "raw" / row["image_id"])} for row in index])
        quality = write_quality(tmp_path / "quality.parquet", scores_of(index) if scores is None else scores)
        other = None
        if compare is not None:
            other = tmp_path / "other.csv"
            other.write_text("file,q\n" + "".join(f"{name},{q!r}\n" for name, q in compare.items()))
        out = tmp_path / "quality.csv"
        describe_quality(images, quality, other, dataset="toy", features="r10", samples=samples, seed=seed, out=out)
        with out.open(newline="") as stream:
            return list(csv.DictReader(stream))

    return describe


def of_split(name: str) -> list[dict[str, Any]]:
    return sorted((row for row in made_up_index() if row["image_id"].startswith(f"{name}/") and row["pid"] > 0), key=lambda row: row["image_id"])


def compared(skipped: str = "") -> dict[str, float]:
    """Another Q of every image, but not of those whose path has `skipped` in it."""
    names = [row["image_id"] for row in made_up_index() if not skipped or skipped not in row["image_id"]]
    return {name.split("/")[1]: float(q) for name, q in zip(names, np.random.default_rng(9).normal(11, 0.6, len(names)).round(6), strict=True)}


def test_every_number_counted_in_loops(run) -> None:
    other, scores = compared(), scores_of(made_up_index())
    table = run(compare=other)
    assert [(row["source"], row["split"]) for row in table] == [(source, split) for source in ("q", "q_raw", "published") for split in SPLITS]
    for row in table:
        rows = of_split(row["split"])
        names, pid = [r["image_id"] for r in rows], np.array([r["pid"] for r in rows])
        by_source = {source: np.array([scores[name][source] for name in names]) for source in ("q", "q_raw")}
        by_source["published"] = np.array([other[name.split("/")[1]] for name in names])
        q = by_source.pop(row["source"])
        means = np.array([np.mean(q[pid == p]) for p in pid])
        expected = {
            "n": len(q),
            "n_identities": 4,
            "mean": np.mean(q),
            "sd": np.std(q),
            **dict(zip(("p5", "p50", "p95"), np.percentile(q, (5, 50, 95)), strict=True)),
        }
        expected |= {"sd_within_identity": np.sqrt(np.mean((q - means) ** 2)), "sd_between_identities": np.std(means)}
        assert {name: float(row[name]) for name in expected} == pytest.approx(expected, rel=1e-4)
        statistics = dict(zip(("sharpness", "brightness", "contrast"), zip(*[image_statistics(image_of(name)) for name in names], strict=True), strict=True))
        beside = {**statistics, "norm": [scores[name]["mean_norm"] for name in names], **by_source}
        for name, values in beside.items():
            assert float(row[f"rho_{name}"]) == pytest.approx(spearmanr(q, values).statistic, abs=6e-4), name
        assert row[f"rho_{row['source']}"] == ""
        tracklet = np.array([r["pid"] * 10 + r["camid"] for r in rows])
        for name, groups in (("icc_tracklet", tracklet), ("icc_identity", pid)):
            icc = intraclass_correlation(q, groups)
            ends = intraclass_interval(q, groups, pid, samples=100, seed=1)
            assert row[name] == ("" if icc is None else f"{icc:.3f}")
            assert (row[f"{name}_low"], row[f"{name}_high"]) == (("", "") if ends is None else (f"{ends[0]:.3f}", f"{ends[1]:.3f}"))
        assert row["n_tracklets"] == ("0" if row["split"] == "query" else "12")
        assert (row["icc_tracklet"] == "") == (row["split"] == "query")
        assert (row["dataset"], row["features"]) == ("toy", "r10")
    assert tuple(table[0]) == COLUMNS


def test_other_values_count_where_they_are_known(run) -> None:
    table = {(row["source"], row["split"]): row for row in run(compare=compared("c3_2"))}
    assert (table["q", "gallery"]["n"], table["published", "gallery"]["n"], table["published", "gallery"]["n_tracklets"]) == ("24", "20", "8")
    assert {row["source"] for row in run()} == {"q", "q_raw"}
    only_query = {name: q for name, q in compared().items() if name.startswith("002")}
    assert [row["split"] for row in run(compare=only_query) if row["source"] == "published"] == ["query"]


def test_a_correlation_is_over_the_images_that_have_both_values(run) -> None:
    other, scores = compared("c3_2"), scores_of(made_up_index())
    table = {(row["source"], row["split"]): row for row in run(compare=other)}
    both = [(scores[row["image_id"]]["q"], other[name]) for row in of_split("gallery") if (name := row["image_id"].split("/")[1]) in other]
    assert len(both) == 20
    rho = pytest.approx(spearmanr(*zip(*both, strict=True)).statistic, abs=6e-4)
    assert float(table["q", "gallery"]["rho_published"]) == float(table["published", "gallery"]["rho_q"]) == rho


def test_q_from_a_file_has_no_raw_row_and_no_norm(run) -> None:
    scores = {name: {"q": values["q"]} for name, values in scores_of(made_up_index()).items()}
    table = run(scores=scores)
    assert {row["source"] for row in table} == {"q"} and {row["rho_norm"] for row in table} == {row["rho_q_raw"] for row in table} == {""}


@pytest.mark.parametrize("unknown", ["camid", "sequence"])
def test_without_cameras_or_sequences_there_are_no_tracklets(run, unknown: str) -> None:
    table = run(index=[row | {unknown: None} for row in made_up_index()])
    assert {row["n_tracklets"] for row in table} == {"0"} and {row["icc_tracklet"] for row in table} == {""}
    assert all(row["icc_identity"] for row in table if row["split"] != "query")


def test_a_sequence_more_is_a_tracklet_more(run) -> None:
    index = [row | ({"sequence": 9} if row["image_id"].endswith("c3_2.png") else {}) for row in made_up_index()]
    assert {row["n_tracklets"] for row in run(index=index) if row["split"] == "gallery"} == {"8"}


def test_without_held_out_identities_that_row_is_absent(run) -> None:
    assert {row["split"] for row in run(index=[row for row in made_up_index() if row.get("fold") != "holdout"])} == {"train", "query", "gallery"}


def test_samples_and_seed_reach_the_intervals(run) -> None:
    found = {run(samples=samples, seed=seed)[0]["icc_identity_low"] for samples, seed in ((7, 1), (100, 1), (7, 2))}
    assert len(found) == 3


def test_same_input_same_bytes(run, tmp_path: Path) -> None:
    run(compare=compared())
    first = (tmp_path / "quality.csv").read_bytes()
    run(compare=compared())
    assert (tmp_path / "quality.csv").read_bytes() == first


def test_bad_input_is_named(run, tmp_path: Path) -> None:
    index, scores = made_up_index(), scores_of(made_up_index())
    with pytest.raises(InputError, match=r"quality\.parquet: other/a\.png is not an image of .*images\.parquet$"):
        run(scores=scores | {"other/a.png": scores["query/0021_c1_1.png"]})
    with pytest.raises(InputError, match=r"other\.csv: no value for any of the 76 images of .*quality\.parquet$"):
        run(compare={"a.png": 1.0})
    assert len(index) == 80 and not (tmp_path / "quality.csv").exists()
