"""The companions on a user's own folders with cameras: SliceNet, one of it trained elsewhere, BPBReID without part masks, and the siamese network."""

import csv
import json
import shutil

import pyarrow.parquet as pq
import pytest
from safetensors.torch import load_file, save_file

from qafm.tables.attributes import ATTRIBUTES
from tests.workflow.conftest import Project

pytestmark = pytest.mark.workflow

FOLDERS = """
dataset:
  name: streets
  kind: folders
  shards: 1
  holdout_ids: 2
  folders: {root: data/streets, attributes: data/streets.csv, camera_pattern: '_c(?P<camera>\\d)', train_ids: 12}
companions:
  par: {multi_color: always, backbone: {channels: 16}, losses: [weighted_ce], siamese: {filters: {max_different: [3]}}}
  slicenet:
    systems: {baseline: {seeds: []}, slicenet1: {epochs: 2, seeds: [1]}, slicenet2: {epochs: 2, seeds: [1]}}
    sign_of: null
    compared: [slicenet1, slicenet2]
  bpbreid: {backbone: {channels: 16, init: random}}
  comparison: {slicenet: [slicenet1, slicenet2]}
"""
ELSEWHERE = "companions: {slicenet: {foreign: {file: data/elsewhere.safetensors, network: slicenet1}}}"
NAMES = {  # ours -> those of the original's layers, as docs/companions.md lists them; r4 to r9 lose `trunk.`, mean and std stay
    "trunk.conv_1": "conv_1.0",
    "trunk.bn_1": "conv_1.1",
    "trunk.conv_2": "conv_2.0",
    "trunk.bn_2": "conv_2.1",
    "dense_10.linear": "dense_10.2",
    "dense_10.bn": "dense_10.3",
    "classifier.weight": "W",
    "classifier.kappa": "kappa",
}
SLICENET = "results/streets/companions/slicenet/small"
MEASURED = ("rank1", "rank5", "mAP_top10", "mAP_full", "rank1_no_copies", "mAP_no_copies", "rank1_market", "mAP_market")


def read(project: Project, table: str) -> list[dict[str, str]]:
    with (project.root / f"{table}.csv").open() as stream:
        return list(csv.DictReader(stream))


def make_folders(project: Project) -> None:
    """The generated people, a folder each, every fourth by one camera alone, and their attributes by identity; who wears several colours has none named."""
    project.must_run("results/tiny/images.parquet", "--configfile", "config/tiny.yaml")
    people: dict[str, dict[str, str]] = {}
    for row in pq.read_table(project.root / "results/tiny/images.parquet").to_pylist():
        if row["pid"] > 0 and (row["pid"] % 4 or row["camid"] == 2):
            person = f"{row['pid']:04d}"
            target = project.root / "data/streets" / person / row["path"].rsplit("/", 1)[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(project.root / row["path"], target)
            people[person] = {name: "" if row[name] is None else classes[row[name]] for name, classes in ATTRIBUTES}
    assert any(not person["up_color"] for person in people.values())
    with (project.root / "data/streets.csv").open("w") as stream:
        writer = csv.DictWriter(stream, ["identity", *(name for name, _ in ATTRIBUTES)])
        writer.writeheader()
        writer.writerows({"identity": person, **attributes} for person, attributes in people.items())


def counted_queries(project: Project) -> tuple[int, int]:
    """All queries, and those with a right gallery image of another camera, one by one."""
    rows = pq.read_table(project.root / "results/streets/images.parquet").to_pylist()
    queries, gallery = ([row for row in rows if row["split"] == split] for split in ("query", "gallery"))
    return len(queries), sum(any(found["pid"] == row["pid"] and found["camid"] != row["camid"] for found in gallery) for row in queries)


def send_elsewhere(project: Project) -> None:
    """SliceNet1's weights as a file of other names."""
    tensors = load_file(project.root / SLICENET / "slicenet1/seed-1/model.safetensors")
    renamed = {}
    for name, tensor in tensors.items():
        there = next((other + name.removeprefix(own) for own, other in NAMES.items() if name == own or name.startswith(f"{own}.")), name)
        renamed[there.removeprefix("trunk.")] = tensor
    assert {"conv_1.0.weight", "r4.conv_1.weight", "r9.bn_0.bias", "dense_10.3.running_var", "W", "kappa", "mean", "std"} <= set(renamed)
    save_file(renamed, project.root / "data/elsewhere.safetensors")


def check_slicenet(project: Project) -> None:
    queries, matched = counted_queries(project)
    assert 0 < matched < queries
    rows = read(project, "results/slicenet")
    assert [(row["row"], row["chosen"]) for row in rows] == [
        *((name, "last epoch") for name in ("slicenet1", "slicenet2", "foreign")),
        *((name, "best epoch") for name in ("slicenet1", "slicenet2")),
    ]
    assert {(row["dataset"], row["n_queries"], row["n_queries_market"]) for row in rows} == {("streets", str(queries), str(matched))}
    assert all(0 <= float(row[name]) <= 100 for row in rows for name in MEASURED) and all(float(row["mAP_market"]) > 0 for row in rows)
    one, two, foreign = rows[:3]
    assert {name: foreign[name] for name in MEASURED} == {name: one[name] for name in MEASURED} != {name: two[name] for name in MEASURED}
    assert (foreign["network"], foreign["note"], foreign["n_seeds"]) == ("SliceNet1", "weights trained elsewhere", "1")
    assert not any(foreign[name] for name in ("mirrored_copies", "epochs", "epoch", "images_seen", "train_minutes", "paper_rank1"))
    assert (one["epoch"], one["mirrored_copies"]) == ("2", "yes") and float(one["train_minutes"]) >= 0
    looks = read(project, f"{SLICENET}/slicenet1/seed-1/history")
    assert float(foreign["mAP_full"]) == pytest.approx(float(looks[-1]["full_mAP"]), abs=0.01)  # as in training, with the normalisation of these pictures
    for name in ("slicenet1/seed-1", "slicenet2/seed-1", "foreign/seed-0"):  # the shared protocol is Market-1501's rule
        shared = json.loads((project.root / SLICENET / name / "retrieval.json").read_text())["galleries"]["standard"]["metrics"]
        (row,) = [row for row in rows if row["row"] == name.split("/")[0] and row["chosen"] == "last epoch"]
        assert (row["rank1_market"], row["mAP_market"]) == (f"{shared['rank1']:.2f}", f"{shared['mAP']:.2f}")
    descriptors = [(project.root / SLICENET / name / "descriptors.parquet").read_bytes() for name in ("slicenet1/seed-1", "foreign/seed-0")]
    assert descriptors[0] == descriptors[1]


def check_bpbreid(project: Project) -> None:
    _, matched = counted_queries(project)
    *measured, masks = read(project, "results/bpbreid")
    assert [(row["variant"], row["compared"], row["visibility"], row["gallery"]) for row in measured] == [
        ("stripes", "foreground, parts", "none", "standard"),
        ("stripes", "foreground", "none", "standard"),
    ]
    assert {(row["dataset"], row["init"], row["epochs"], row["n_queries"], row["part_mIoU"]) for row in measured} == {
        ("streets", "random", "2", str(matched), "")
    }
    assert all(0 < float(row["mAP"]) <= 100 for row in measured) and measured[0]["mAP"] != measured[1]["mAP"]
    note = "the data set has no part masks (masks/pifpaf_maskrcnn_filtering)"
    assert {name: value for name, value in masks.items() if value} == {"variant": "masks", "dataset": "streets", "note": note}


def check_siamese(project: Project) -> None:
    queries, matched = counted_queries(project)
    rows = read(project, "results/siamese")
    filters = ("none", "distance", "attributes<=3", "distance and attributes<=3")
    assert [(row["gallery"], row["arm"], row["filter"]) for row in rows] == [
        (gallery, arm, name) for gallery in ("validation", "standard") for arm in ("transfer", "reference") for name in filters
    ]
    standard = [row for row in rows if row["gallery"] == "standard"]
    assert {(row["dataset"], row["n_queries"], row["n_excluded"]) for row in standard} == {("streets", str(matched), str(queries - matched))}
    assert {row["n_excluded"] for row in rows if row["gallery"] == "validation"} == {"0"}
    assert {row["init"] for row in rows} == {"PAR (weighted_ce) from random", "random"} and "published_mAP" not in rows[0]
    for row in rows:
        assert 0 <= float(row["mAP_of_all"]) <= float(row["mAP"]) <= 100 and float(row["mAP_full"]) > 0
        if row["filter"] == "none":
            assert row["mAP"] == row["mAP_of_all"] == row["mAP_full"] and row["recall_kept"] == row["gallery_kept"] == "100.00"


def test_companions_on_folders(fresh: Project) -> None:
    make_folders(fresh)
    command = ("--configfile", "config/tiny.yaml", fresh.config("streets.yaml", FOLDERS))
    fresh.must_run(f"{SLICENET}/slicenet1/seed-1/model.safetensors", "results/bpbreid.csv", "results/siamese.csv", *command)
    check_bpbreid(fresh)
    check_siamese(fresh)
    send_elsewhere(fresh)
    fresh.must_run("results/slicenet.csv", *command, fresh.config("elsewhere.yaml", ELSEWHERE))
    check_slicenet(fresh)
