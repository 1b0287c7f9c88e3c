"""A user's own folders: nested names, no attributes, no cameras. The chain skips stage 1 of the paper and still makes its table."""

import csv
import shutil
from collections import Counter

import pyarrow.parquet as pq
import pytest

from tests.workflow.conftest import Project

pytestmark = pytest.mark.workflow

CONFIG = """
dataset:
  name: mine
  kind: folders
  shards: 1
  same_camera: keep
  folders: {root: data/my people, train_ids: 12}
model:
  name: tiny-mine
  apn: {pretrain: false}
  fusion: {epochs: 2}
ablation: {alphas: [0.5]}
"""


def test_folders_without_attributes_or_cameras(fresh: Project, finished: Project) -> None:
    for source in sorted((finished.root / "results/tiny/raw").glob("bounding_box_*/*.jpg")):
        if not source.name.startswith(("-1", "0000")):
            target = fresh.root / "data" / "my people" / f"Größe {source.name[:4]}" / source.name.replace(".jpg", ".JPG")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    output = fresh.must_run("results/table4.csv", "--configfile", "config/tiny.yaml", fresh.config("mine.yaml", CONFIG))
    assert "pretrain_apan" in output  # on identities alone: `stage_1: all`
    with (fresh.root / "results/table4.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["experiment"] for row in rows] == ["QAFM", "apn_only_alpha_0", "apan_only_alpha_1", "fixed_alpha_0.5"]
    assert all(row["dataset"] == "mine" and row["gallery"] == "standard" and 0 < float(row["mAP"]) <= 100 for row in rows)


TESTED_ELSEWHERE = """
dataset:
  name: here-and-there
  kind: folders
  shards: 1
  holdout_ids: 2
  folders: {root: data/here, camera_pattern: '_c(?P<camera>\\d)', train_ids: all}
  test: {kind: market1501, market1501: {root: data/there}}
"""


def test_another_set_to_test_on(fresh: Project) -> None:
    fresh.must_run("results/tiny/manifest.csv", "--configfile", "config/tiny.yaml")
    (fresh.root / "data").mkdir()
    (fresh.root / "results/tiny/raw").rename(fresh.root / "data" / "there")
    for source in sorted((fresh.root / "data/there/bounding_box_train").glob("*.jpg")):
        target = fresh.root / "data" / "here" / source.name[:4] / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    preset = fresh.config("both.yaml", TESTED_ELSEWHERE)
    command = ("results/here-and-there/images.parquet", "--configfile", "config/tiny.yaml", preset)
    fresh.must_run(*command)
    rows = pq.read_table(fresh.root / "results/here-and-there/images.parquet").to_pylist()
    found = Counter((row["split"], row["path"].split("/")[1], row["image_id"].startswith("test/")) for row in rows)
    assert set(found) == {("train", "here", False), ("query", "there", True), ("gallery", "there", True)}
    assert fresh.planned("results/here-and-there/images.parquet", preset) == set()
    next((fresh.root / "data/there/query").iterdir()).unlink()
    assert fresh.planned("results/here-and-there/images.parquet", preset) == {"parse_dataset"}
    shutil.rmtree(fresh.root / "data/there")
    failed = fresh.run(*command)
    assert failed.returncode != 0
    assert "data/there: no such folder of images (config: dataset.test.market1501)" in failed.stderr
