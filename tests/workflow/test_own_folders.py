"""A user's own folders: nested names, no attributes, no cameras. The chain skips stage 1 of the paper and still makes its table."""

import csv
import shutil

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
    assert "pretrain_apan" not in output
    with (fresh.root / "results/table4.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["experiment"] for row in rows] == ["QAFM", "apn_only_alpha_0", "apan_only_alpha_1", "fixed_alpha_0.5"]
    assert all(row["dataset"] == "mine" and row["gallery"] == "standard" and 0 < float(row["mAP"]) <= 100 for row in rows)
