"""Companion c3 as a whole: its tables and pictures, what a change makes again, and a data set without part masks."""

import csv
import shutil

import pytest

from tests.workflow.conftest import PAGE, Project

pytestmark = pytest.mark.workflow

FOLDERS = """
dataset: {name: mine, kind: folders, shards: 1, holdout_ids: 0, same_camera: keep, folders: {root: data/mine, train_ids: 12}}
model: {fusion: {alpha: {target: train, start: half}}}
"""


def read(project: Project, table: str) -> list[dict[str, str]]:
    with (project.root / f"results/{table}.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_bpbreid(companions: Project) -> None:
    rows = [row for row in read(companions, "bpbreid") if row["gallery"] == "standard"]
    assert [(row["variant"], row["compared"], row["visibility"]) for row in rows] == [
        *(("masks", "foreground, parts", visibility) for visibility in ("binary", "continuous", "none")),
        ("masks", "foreground", "none"),
        ("stripes", "foreground, parts", "none"),
        ("stripes", "foreground", "none"),
    ]
    assert all(0 < float(row["mAP"]) <= 100 and 0 < float(row["part_mIoU"]) <= 100 and row["epochs"] == "2" and row["wall_time_s"] for row in rows)
    partial = read(companions, "partial")
    assert {row["system"] for row in partial} == {"BPBReID masks", "BPBReID stripes", "Bag of Tricks", "QAFM"}
    assert len({(row["query"], row["searched"]) for row in partial}) == 5
    figures = {path.name for path in (companions.root / "results/figures").glob("bpbreid_*")}
    assert figures == {f"bpbreid_{kind}.{ending}" for kind in ("success", "failure") for ending in ("png", "svg", "rst")}
    run = companions.root / "results/tiny/companions/bpbreid/tiny-masks/seed-1"
    assert {"model.safetensors", "views", "maps.parquet", "parts.json", "retrieval"} <= {path.name for path in run.iterdir()}


def test_a_change_makes_again_what_it_touches(companions: Project) -> None:
    def planned(settings: str) -> set[str]:
        return companions.planned("companions", companions.config("changed.yaml", f"companions: {{bpbreid: {{{settings}}}}}")) - PAGE

    tables = {"tabulate_bpbreid", "tabulate_partial", "tabulate_comparison", "tabulate_cost", "plot_comparison"}
    assert planned("ranks: 3") == {"rank_parts", "plot_parts"}
    assert planned("foreground: false") == {"evaluate_parts", "rank_parts", "plot_parts", "describe_compared", "time_inference", *tables}
    assert planned("halves: stretched") == {
        "embed_bpbreid",
        "embed_views",
        "embed_fused_views",
        "evaluate_foreground",
        "evaluate_parts",
        "rank_parts",
        "plot_parts",
        *tables,
    }
    assert "train_bpbreid" in planned("loss: {attention_weight: 1.0}")


def test_without_part_masks_the_other_variants_run(companions: Project, fresh: Project) -> None:
    for source in sorted((companions.root / "results/tiny/raw").glob("bounding_box_*/*.jpg")):
        if not source.name.startswith(("-1", "0000")):
            target = fresh.root / "data" / "mine" / source.name[:4] / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    folders = fresh.config("mine.yaml", FOLDERS)
    output = fresh.must_run("companions", "--dry-run", "--configfile", "config/tiny.yaml", folders)
    assert "companions: left out: variant masks of BPBReID: the data set has no part masks (masks/pifpaf_maskrcnn_filtering)" in output
    assert "tiny-stripes" in output and "tiny-masks" not in output
    alone = fresh.config("alone.yaml", "companions: {bpbreid: {variants: [masks]}}")
    assert {"train_bpbreid", "plot_parts"}.isdisjoint(fresh.planned("companions", folders, alone))


def test_the_default_target_leaves_it_alone(fresh: Project) -> None:
    assert not any("bpbreid" in rule or "parts" in rule for rule in fresh.planned("all"))
