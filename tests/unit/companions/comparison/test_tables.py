"""comparison.csv and comparison_cost.csv from artifacts made by hand."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qafm.companions.comparison.compared_rows import ComparedFiles
from qafm.companions.comparison.tabulate_comparison import tabulate_comparison
from qafm.companions.comparison.tabulate_cost import Records, tabulate_cost
from qafm.config.ablation import AblationConfig
from qafm.config.backbone import BackboneConfig
from qafm.config.compared import ComparedSystem, ComparedTraining, PlainNetwork, Start
from qafm.config.runtime import RuntimeConfig
from qafm.errors import InputError
from qafm.evaluation.bootstrap import identity_interval
from qafm.tables.table4 import Run

RUN = Run("some-people", "r10", "small", "random")
CONFIG = AblationConfig(bootstrap_samples=300, seed=4)
PIDS = [1, 1, 2, 3, 3, 3]
TRAINING = ComparedTraining(folder=("slicenet", "x"), record=("slicenet", "x", "train"))


def system(key: str, recipes: dict[str, str], seeds: tuple[int, ...] = (1,), trainings: int = 1) -> ComparedSystem:
    return ComparedSystem(
        key=key,
        system=key.upper(),
        recipes=recipes,
        seeds=seeds,
        artifact=("model", "", f"{key}.json"),
        experiment=key,
        start=Start(init="extractor from random", backbone="resnet10", size=(128, 48), extractor=True),
        network=PlainNetwork(backbone=BackboneConfig(), copies=1),
        trainings=(TRAINING,) * trainings,
    )


def files(folder: Path, of: ComparedSystem, ap: list[list[float]], ranks: list[list[int]] | None = None, note: str = "") -> ComparedFiles:
    """Artifacts of each seed with these APs and first ranks; an empty AP stands for a system that was not measured."""
    rows = []
    for k, seed in enumerate(of.seeds):
        first = (ranks or [[1] * len(PIDS)] * len(of.seeds))[k]
        queries = {"image_id": [f"q{i}" for i in range(len(PIDS))], "pid": PIDS, "ap": ap[k], "first_rank": first}
        metrics: dict[str, float] = {f"rank{rank}": 100 * float(np.mean(np.array(first) <= rank)) for rank in (1, 5)}
        metrics |= {"mAP": 100 * float(np.mean(ap[k] or [0])), "mAP_trapezoid": 1.0, "mINP": 2.0}
        standard = {"visual_weight": None, "visual_weight_sd": None, "metrics": metrics, "n_queries": len(PIDS), "n_excluded": 0, "queries": queries}
        galleries = {"standard": standard, "no_distractors": standard} if ap[k] else {}
        path = folder / f"{of.key}-{seed}.json"
        path.write_text(json.dumps({"experiment": of.key, "note": note, "galleries": galleries}))
        rows.append((seed, of.key, path))
    return ComparedFiles(of, rows)


def counts(folder: Path, systems: list[ComparedSystem], **more: Any) -> Path:
    content = {}
    for each in systems:
        trainings = [{"epochs": [5 + k] * len(each.seeds), "images_seen": [100 * (seed + k) for seed in each.seeds]} for k in range(len(each.trainings))]
        content[each.key] = {"flops": 1234567, "parameters": 77, "descriptor_length": 8, "trainings": trainings} | more
    path = folder / "counts.json"
    path.write_text(json.dumps(content))
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


QAFM_AP = [0.5, 0.75, 1.0, 0.25, 0.5, 0.5]
OTHER_AP = [[0.25, 0.5, 1.0, 0.5, 0.5, 0.25], [0.75, 0.5, 0.5, 0.5, 1.0, 0.75]]
OTHER_RANKS = [[1, 2, 1, 1, 6, 1], [1, 1, 3, 1, 1, 6]]


def make(tmp_path: Path, absent: list[tuple[str, str, str]] | None = None) -> list[dict[str, str]]:
    qafm = system("qafm", {"own": "staged", "common": "the same"}, trainings=3)
    other, alone = system("other", {"own": "its own"}, (1, 2)), system("alone", {"common": ""})
    measured = [files(tmp_path, qafm, [QAFM_AP]), files(tmp_path, other, OTHER_AP, OTHER_RANKS, "a remark"), files(tmp_path, alone, [[]], note="no identities")]
    tabulate_comparison(measured, counts(tmp_path, [qafm, other, alone]), absent or [], RUN, CONFIG, tmp_path / "comparison.csv")
    return table(tmp_path / "comparison.csv")


def test_own_recipes_come_first_and_what_is_one_stands_in_both(tmp_path: Path) -> None:
    rows = make(tmp_path, [("GONE", "common", "no masks")])
    assert [(row["system"], row["recipe"]) for row in rows] == [("QAFM", "own"), ("OTHER", "own"), ("QAFM", "common"), ("ALONE", "common"), ("GONE", "common")]
    assert [row["note"] for row in rows] == ["staged", "its own; a remark", "the same", "no identities", "no masks"]
    assert {key: value for key, value in rows[0].items() if key not in ("recipe", "note")} == {
        key: value for key, value in rows[2].items() if key not in ("recipe", "note")
    }
    assert [row["gallery"] for row in rows] == ["standard"] * 4 + [""]
    assert {row["dataset"] for row in rows} == {"some-people"}


def test_costs_and_starts(tmp_path: Path) -> None:
    qafm, other, *_ = make(tmp_path)
    known = {"init": "extractor from random", "backbone": "resnet10", "height": "128", "width": "48", "mflops": "1.23", "parameters": "77"}
    assert {name: qafm[name] for name in known} == known and qafm["descriptor_length"] == "8"
    assert (qafm["epochs"], qafm["images_seen"], qafm["seeds"], qafm["n_seeds"]) == ("5 + 6 + 7", "600", "1", "1")  # 100 + 200 + 300
    assert (other["epochs"], other["images_seen"], other["seeds"], other["n_seeds"]) == ("5", "150", "1 2", "2")  # mean of 100 and 200


def test_metrics_intervals_and_paired_differences(tmp_path: Path) -> None:
    qafm, other, _, alone = make(tmp_path)
    ap, pid = np.mean(OTHER_AP, axis=0), np.array(PIDS)
    assert other["mAP"] == f"{100 * ap.mean():.2f}"
    assert other["mAP_sd"] == f"{100 * np.std([np.mean(seed) for seed in OTHER_AP], ddof=1):.2f}"
    for name, values in (
        ("mAP", ap),
        ("mAP_minus_qafm", ap - QAFM_AP),
        ("rank1", np.array([1, 0.5, 0.5, 1, 0.5, 0.5])),
        ("rank5", np.array([1, 1, 1, 1, 0.5, 0.5])),
    ):
        low, high = identity_interval(100 * values, pid, samples=300, seed=4)
        assert (other[f"{name}_low"], other[f"{name}_high"]) == (f"{low + 0:.2f}", f"{high + 0:.2f}"), name
        assert other[name] == f"{100 * values.mean():.2f}"
    assert qafm["rank1"] == qafm["rank1_low"] == "100.00" and qafm["mAP_sd"] == qafm["mAP_minus_qafm"] == qafm["mAP_minus_qafm_low"] == ""
    assert all(alone[name] == "" for name in ("mAP", "mAP_low", "rank1", "mAP_minus_qafm", "n_queries")) and alone["mflops"] == "1.23"
    assert "mINP" not in qafm and "mAP_trapezoid" not in qafm


def test_one_seed_each_has_no_spread_columns(tmp_path: Path) -> None:
    qafm = system("qafm", {"own": ""})
    tabulate_comparison([files(tmp_path, qafm, [QAFM_AP])], counts(tmp_path, [qafm]), [], RUN, CONFIG, tmp_path / "out.csv")
    assert not any(name.endswith("_sd") for name in table(tmp_path / "out.csv")[0])


def test_bad_input_is_named(tmp_path: Path) -> None:
    qafm, other = system("qafm", {"own": ""}), system("other", {"own": ""})
    good, counted, out = files(tmp_path, qafm, [QAFM_AP]), counts(tmp_path, [qafm, other]), tmp_path / "out.csv"
    with pytest.raises(InputError, match="comparison: no system to compare"):
        tabulate_comparison([], counted, [], RUN, CONFIG, out)
    strange = files(tmp_path, other, [QAFM_AP])
    path = strange.rows[0][2]
    content = json.loads(path.read_text())
    content["galleries"]["standard"]["queries"]["image_id"][0] = "another"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="table: mAP_minus_qafm of other, gallery standard: the two rows were measured on different queries"):
        tabulate_comparison([good, strange], counted, [], RUN, CONFIG, out)
    content["galleries"]["standard"]["queries"] |= {"image_id": [f"q{i}" for i in range(6)], "first_rank": None}
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="comparison: the artifacts of other hold no first ranks"):
        tabulate_comparison([good, strange], counted, [], RUN, CONFIG, out)
    for text in ("torn", "{}", json.dumps({"qafm": {"flops": 1}})):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(InputError, match=r"bad\.json: does not hold the counts of the compared systems"):
            tabulate_comparison([good], tmp_path / "bad.json", [], RUN, CONFIG, out)
    assert not out.exists()


def record(folder: Path, name: str, seconds: float) -> Path:
    path = folder / f"{name}.tsv"
    path.write_text(f"s\th:m:s\tmax_rss\tcpu_time\n{seconds}\t0:00:01\t10\t1\n")
    return path


def test_times_are_sums_over_trainings_and_means_over_seeds(tmp_path: Path) -> None:
    one, two = system("one", {"own": "a", "common": "b"}, (1, 2), trainings=2), system("two", {"own": ""})
    times = tmp_path / "inference.json"
    times.write_text(json.dumps({"device": "cpu", "batch": 32, "ms_per_image": {"one": [1.5, 0.25], "two": [10, 4]}}))
    four = [record(tmp_path, f"t{i}", seconds) for i, seconds in enumerate((10, 20, 30, 40))]
    records = {"one": Records(four, [record(tmp_path, "b", 7)]), "two": Records([four[0], tmp_path / "nowhere.tsv"], [])}
    runtime = RuntimeConfig(threads=3, precision="bf16")
    tabulate_cost([one, two], records, times, RUN, runtime, tmp_path / "cost.csv")
    rows = table(tmp_path / "cost.csv")
    assert [(row["system"], row["recipe"], row["note"]) for row in rows] == [("ONE", "own", "a"), ("TWO", "own", ""), ("ONE", "common", "b")]
    assert [(row["train_s"], row["before_s"]) for row in rows] == [("50.0", "7.0"), ("", "0.0"), ("50.0", "7.0")]
    assert [(row["ms_per_image"], row["ms_per_image_batched"], row["batch"]) for row in rows[:2]] == [("1.500", "0.250", "32"), ("10.000", "4.000", "32")]
    assert {(row["device"], row["threads"], row["precision"], row["dataset"]) for row in rows} == {("cpu", "3", "bf16", "some-people")}
    for text in ("torn", "{}", json.dumps({"device": "cpu", "batch": 32, "ms_per_image": {"one": [1.5]}})):
        times.write_text(text)
        with pytest.raises(InputError, match=r"inference\.json: does not hold the times of the compared systems"):
            tabulate_cost([one], records, times, RUN, runtime, tmp_path / "cost.csv")
