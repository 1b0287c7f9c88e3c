"""The companions' target: everything is made, nothing is made twice, and a change makes again what it touches."""

import csv
import json

import pytest

from tests.workflow.conftest import PAGE, Project

pytestmark = pytest.mark.workflow


def test_slicenet(companions: Project) -> None:
    with (companions.root / "results/slicenet.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["row"], row["chosen"].split()[0]) for row in rows] == [
        *((name, "last") for name in ("baseline", "slicenet2", "slicenet2_sign")),
        *((name, "best") for name in ("baseline", "slicenet2")),
    ]
    assert all(row["dataset"] == "tiny" and 0 < float(row["mAP_top10"]) <= 100 and float(row["train_minutes"]) > 0 for row in rows)
    assert all(not row["paper_rank1"] for row in rows)
    run = companions.root / "results/tiny/companions/slicenet/small/slicenet2/seed-1"
    found = {path.name for path in run.iterdir()}
    assert {"model.safetensors", "history.csv", "descriptors.parquet", "retrieval.json", "protocols.json"} <= found and ".resume" not in found
    assert json.loads((run / "retrieval.json").read_text())["experiment"] == "slicenet2"
    figures = {path.name for path in (companions.root / "results/figures").glob("slicenet_*")}
    assert figures == {f"slicenet_{kind}.{ending}" for kind in ("first_helps", "second_helps", "neither", "both") for ending in ("png", "svg", "rst")}
    assert companions.planned("companions") - PAGE == set()
    more = companions.config("more.yaml", "companions: {slicenet: {sign_of: null, compared: [slicenet2, baseline]}}")
    assert companions.planned("companions", more) - PAGE == {"tabulate_slicenet", "choose_slicenet_cases", "plot_slicenet_cases"}
    longer = companions.config("longer.yaml", "companions: {slicenet: {systems: {baseline: {epochs: 3}}}}")
    assert "train_slicenet" in companions.planned("companions", longer)


def test_the_default_target_leaves_companions_alone(fresh: Project) -> None:
    names = ("slicenet", "par", "siamese", "bpbreid", "common", "compar")
    assert not any(name in rule for rule in fresh.planned("all") for name in names if rule != "parse_dataset")
