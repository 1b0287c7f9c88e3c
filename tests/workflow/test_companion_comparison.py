"""The comparison as a whole: every system in both recipes, the same bytes again, and what a change makes again."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from tests.workflow.conftest import PAGE, Project

pytestmark = pytest.mark.workflow

TABLES = {"tabulate_comparison", "tabulate_cost", "plot_comparison"}
FUSED = ["QAFM", "best_fixed", "apn_descriptor", "apan_descriptor", "baseline", "baseline_twins", "siamese", "BigNet", "SliceNet2", "BPBReID masks"]
COMMON = "results/tiny/r10-tiny/tiny/common"


def read(project: Project, table: str) -> list[dict[str, str]]:
    with (project.root / f"results/{table}.csv").open() as stream:
        return list(csv.DictReader(stream))


def planned(project: Project, settings: str) -> set[str]:
    return project.planned("companions", project.config("changed.yaml", settings)) - PAGE


def test_every_system_stands_in_both_recipes(companions: Project) -> None:
    rows = read(companions, "comparison")
    named = [(row["system"], row["recipe"]) for row in rows]
    assert named == [(system, "own") for system in [*FUSED, "BPBReID stripes"]] + [(system, "common") for system in [*FUSED, "BPBReID stripes"]]
    assert rows[-1]["note"] == "not measured: 5 stripes do not fit on the 4 rows of the common backbone's map" and not rows[-1]["mAP"]
    measured = rows[:-1]
    assert all(0 < float(row["mAP"]) <= 100 and float(row["mAP_low"]) <= float(row["mAP"]) <= float(row["mAP_high"]) for row in measured)
    assert all(int(row["parameters"]) > 0 and float(row["mflops"]) > 0 and int(row["images_seen"]) > 0 and row["note"] for row in measured)
    assert [row["system"] for row in measured if not row["mAP_minus_qafm"]] == ["QAFM", "QAFM"]
    of_common = [row for row in measured if row["recipe"] == "common"]
    assert {(row["height"], row["width"], row["backbone"], row["init"]) for row in of_common} == {("64", "32", "resnet10", "extractor from random")}
    alone = [row for row in of_common if row["system"] in ("baseline", *FUSED[6:])]
    assert {(row["epochs"], row["seeds"]) for row in alone} == {("3", "1")}


def test_times_have_a_table_of_their_own(companions: Project) -> None:
    costs = read(companions, "comparison_cost")
    assert [(row["system"], row["recipe"]) for row in costs] == [(row["system"], row["recipe"]) for row in read(companions, "comparison")[:-1]]
    assert all(float(row["train_s"]) > 0 and float(row["before_s"]) >= 0 and float(row["ms_per_image"]) > 0 and row["batch"] == "2" for row in costs)


def test_the_figure_and_what_lies_behind(companions: Project) -> None:
    assert {path.suffix for path in (companions.root / "results/figures").glob("comparison.*")} == {".png", ".svg", ".rst"}
    for name in ("siamese", "bignet", "slicenet2"):
        files = {path.name for path in (companions.root / COMMON / name / "seed-1").iterdir()}
        assert {"model.safetensors", "history.csv", "descriptors.parquet", "retrieval.json"} <= files and ".resume" not in files
    parts = json.loads((companions.root / COMMON / "bpbreid-masks/seed-1/retrieval/full-full-binary.json").read_text())
    assert parts["experiment"] == "full-full-binary"


def test_the_page_shows_every_table_and_figure(companions: Project) -> None:
    page = (companions.root / "results/companions.html").read_text()
    named = {path.name for path in (companions.root / "results").glob("*.csv")}
    assert named == set(re.findall(r'download="(.+?)"', page))
    assert page.count("<figcaption>") == len(list((companions.root / "results/figures").glob("*.png"))) > 5
    assert "make companions CONFIG=config/tiny.yaml" in page and "Left out" not in page
    assert companions.planned("companions") == set()
    config = companions.config("changed.yaml", "companions: {comparison: {repeats: 4}}")
    assert companions.planned("companions", config) == PAGE | {"time_inference", "tabulate_cost"}


def test_the_table_is_the_same_to_the_byte_when_it_is_made_again(companions: Project, tmp_path: Path) -> None:
    copy = Project(tmp_path / "copy")
    shutil.copytree(companions.root, copy.root, symlinks=True)
    before = (copy.root / "results/comparison.csv").read_bytes()
    of_siamese = [f"{COMMON}/siamese/seed-1/{name}" for name in ("model.safetensors", "descriptors.parquet", "retrieval.json")]
    for path in (*of_siamese, "results/tiny/r10-tiny/tiny/comparison/counts.json", "results/comparison.csv"):
        (copy.root / path).unlink()
    copy.must_run("results/comparison.csv", "--configfile", "config/tiny.yaml")
    assert (copy.root / "results/comparison.csv").read_bytes() == before


def test_a_change_makes_again_what_it_touches(companions: Project) -> None:
    assert planned(companions, "companions: {comparison: {repeats: 4}}") == {"time_inference", "tabulate_cost"}
    assert planned(companions, "ablation: {bootstrap_samples: 100}") == {"tabulate_comparison", "plot_comparison"}
    assert planned(companions, "companions: {comparison: {recipes: [own]}}") == {"describe_compared", "time_inference", *TABLES}
    margin = planned(companions, "companions: {par: {siamese: {margin: 0.5}}}")
    assert {"train_common", "train_siamese", "embed_common", "evaluate_common"} | TABLES <= margin and "train_fusion" not in margin
