"""table4.csv and table4_extra.csv from artifacts written by hand."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError
from qafm.evaluation.ablation_rows import as_percent, as_weight
from qafm.evaluation.bootstrap import identity_interval
from qafm.evaluation.evaluate_alpha import evaluate_alpha
from qafm.evaluation.tabulate_ablation import tabulate_ablation
from qafm.evaluation.tabulate_extra import tabulate_extra
from qafm.tables.table4 import Run

RUN = Run("toy", "full", "small", "random")
CONFIG = AblationConfig(bootstrap_samples=200, seed=3)
PID = [1, 1, 2, 3]


def gallery(ap: list[float], weight: float | None = 0.7) -> dict[str, Any]:
    score = 100 * float(np.mean(ap))
    metrics = {"rank10": score + 3, "rank5": score + 2, "rank1": score + 1, "mINP": 1.0, "mAP": score, "mAP_trapezoid": score - 1}
    spread = None if weight is None else 0.05
    queries = {"image_id": ["a", "b", "c", "d"], "pid": PID, "ap": ap}
    return {"metrics": metrics, "visual_weight": weight, "visual_weight_sd": spread, "n_queries": 4, "n_excluded": 0, "excluded": [], "queries": queries}


def write(folder: Path, seed: int, experiment: str, galleries: dict[str, Any], note: str = "") -> tuple[int, str, Path]:
    path = folder / f"{experiment}-{seed}.json"
    path.write_text(json.dumps({"experiment": experiment, "note": note, "same_camera": "drop", "galleries": galleries}))
    return seed, experiment, path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_one_seed(tmp_path: Path):
    both = {"standard": gallery([0.5, 0.5, 0.25, 0.75]), "no_distractors": gallery([1, 1, 1, 0.5])}
    rows = [write(tmp_path, 1, "qafm", both), write(tmp_path, 1, "fixed_alpha_0.1", {"standard": gallery([0, 0, 0, 1], 0.9)})]
    tabulate_ablation(rows, RUN, tmp_path / "table4.csv")
    lines = (tmp_path / "table4.csv").read_text().splitlines()
    assert lines == [
        "experiment,dataset,features,model,init,gallery,paper_alpha,visual_weight,visual_weight_sd,rank1,rank5,rank10,mAP,mAP_trapezoid,mINP,n_queries,n_seeds",
        "QAFM,toy,full,small,random,standard,0.3000,0.7000,0.0500,51.00,52.00,53.00,50.00,49.00,1.00,4,1",
        "fixed_alpha_0.1,toy,full,small,random,standard,0.1000,0.9000,0.0500,26.00,27.00,28.00,25.00,24.00,1.00,4,1",
        "QAFM,toy,full,small,random,no_distractors,0.3000,0.7000,0.0500,88.50,89.50,90.50,87.50,86.50,1.00,4,1",
    ]


def test_several_seeds_give_mean_and_sample_deviation(tmp_path: Path):
    rows = [write(tmp_path, seed, "qafm", {"standard": gallery([ap] * 4, weight)}) for seed, ap, weight in ((2, 0.5, 0.6), (1, 0.7, 0.8), (3, 0.6, 0.7))]
    tabulate_ablation(rows, RUN, tmp_path / "table4.csv")
    (row,) = read(tmp_path / "table4.csv")
    assert (row["mAP"], row["mAP_sd"], row["rank1"], row["rank1_sd"], row["n_seeds"]) == ("60.00", "10.00", "61.00", "10.00", "3")
    assert (row["visual_weight"], row["paper_alpha"], row["visual_weight_sd"]) == ("0.7000", "0.3000", "0.0500")
    columns = list(row)
    assert columns[columns.index("mAP") + 1] == "mAP_sd"


def test_published_numbers_only_beside_market_1501(tmp_path: Path):
    rows = [write(tmp_path, 1, name, {"standard": gallery([1, 1, 1, 1])}) for name in ("qafm", "apn_only_alpha_0", "fixed_alpha_0.25")]
    tabulate_ablation(rows, Run("market1501", "f", "m", "imagenet", market1501=True), tmp_path / "table4.csv")
    found = [(row["experiment"], row["paper_rank1"], row["paper_rank5"], row["paper_mAP"]) for row in read(tmp_path / "table4.csv")]
    assert found == [("QAFM", "93.05", "97.62", "83.34"), ("apn_only_alpha_0", "86.43", "94.51", "71.24"), ("fixed_alpha_0.25", "", "", "")]
    tabulate_ablation(rows, RUN, tmp_path / "other.csv")
    assert "paper_mAP" not in read(tmp_path / "other.csv")[0]


def test_extra_rows_have_intervals_and_the_difference_to_qafm(tmp_path: Path):
    ours, other = [[0.9, 0.8, 0.5, 1.0], [0.7, 0.8, 0.3, 1.0]], [[0.4, 0.8, 0.5, 0.6], [0.4, 0.8, 0.5, 0.8]]
    rows = [write(tmp_path, seed, "qafm", {"standard": gallery(ap)}) for seed, ap in enumerate(ours)]
    rows += [write(tmp_path, seed, "shuffled", {"standard": gallery(ap)}, "mean of 5") for seed, ap in enumerate(other)]
    tabulate_extra(rows, RUN, CONFIG, tmp_path / "extra.csv")
    qafm, shuffled = read(tmp_path / "extra.csv")
    mean, difference = 100 * np.mean(other, axis=0), 100 * (np.mean(other, axis=0) - np.mean(ours, axis=0))
    low, high = identity_interval(mean, np.array(PID), samples=200, seed=3)
    assert (shuffled["mAP_low"], shuffled["mAP_high"]) == (as_percent(low), as_percent(high))
    low, high = identity_interval(difference, np.array(PID), samples=200, seed=3)
    assert (shuffled["mAP_minus_qafm_low"], shuffled["mAP_minus_qafm_high"]) == (as_percent(low), as_percent(high))
    assert (shuffled["mAP_minus_qafm"], shuffled["note"]) == (as_percent(difference.mean()), "mean of 5")
    assert (qafm["experiment"], qafm["mAP_minus_qafm"], qafm["note"]) == ("QAFM", "", "") and qafm["mAP_low"]


def test_extra_settings_reach_the_intervals(tmp_path: Path):
    rows = [write(tmp_path, 1, "shuffled", {"standard": gallery([0.1, 0.9, 0.4, 0.6])})]
    found = []
    for name, config in (("a", CONFIG), ("b", AblationConfig(bootstrap_samples=7, seed=3)), ("c", AblationConfig(bootstrap_samples=200, seed=4))):
        tabulate_extra(rows, RUN, config, tmp_path / f"{name}.csv")
        row = read(tmp_path / f"{name}.csv")[0]
        assert row["mAP_minus_qafm"] == ""  # no qafm row to compare with
        low, high = identity_interval(np.array([10.0, 90, 40, 60]), np.array(PID), samples=config.bootstrap_samples, seed=config.seed)
        assert (row["mAP_low"], row["mAP_high"]) == (as_percent(low), as_percent(high))
        found.append((low, high))
    assert len(set(found)) > 1


def test_rows_without_weight_or_without_result_keep_empty_cells(tmp_path: Path):
    rows = [
        write(tmp_path, 1, "apn_descriptor", {"standard": gallery([1, 1, 1, 1], None)}),
        write(tmp_path, 1, "best_fixed", {}, "not measured: no held-out identities"),
    ]
    tabulate_extra(rows, RUN, CONFIG, tmp_path / "extra.csv")
    descriptor, best = read(tmp_path / "extra.csv")
    assert (descriptor["paper_alpha"], descriptor["visual_weight"], descriptor["mAP"]) == ("", "", "100.00")
    assert (best["mAP"], best["n_queries"], best["n_seeds"], best["note"]) == ("", "", "0", "not measured: no held-out identities")


def test_from_embeddings_to_both_tables(small_run, tmp_path: Path):
    rows = []
    config = AblationConfig(alphas=(0.5,), grid=3)
    for seed in (1, 2):
        run = small_run(seed=seed)
        for name in (*config.paper_experiments(), *config.extra_experiments()):
            out = run.head.parent / f"{name}.json"
            evaluate_alpha(name, run.images, run.embeddings, run.head, same_camera="drop", config=config, out=out)
            rows.append((seed, name, out))
    paper = [row for row in rows if row[1] in config.paper_experiments()]
    extra = [row for row in rows if row[1] == "qafm" or row[1] in config.extra_experiments()]
    for name in ("first", "second"):
        tabulate_ablation(paper, RUN, tmp_path / f"{name}.csv")
        tabulate_extra(extra, RUN, config, tmp_path / f"{name}_extra.csv")
    assert (tmp_path / "first.csv").read_bytes() == (tmp_path / "second.csv").read_bytes()
    assert (tmp_path / "first_extra.csv").read_bytes() == (tmp_path / "second_extra.csv").read_bytes()
    assert [row["experiment"] for row in read(tmp_path / "first.csv")] == ["QAFM", "apn_only_alpha_0", "apan_only_alpha_1", "fixed_alpha_0.5"] * 2
    shown = 1 + len(config.extra_experiments())
    assert [row["gallery"] for row in read(tmp_path / "first_extra.csv")] == ["standard"] * shown + ["no_distractors"] * shown


def test_bad_artifacts_are_named(tmp_path: Path):
    good = {"standard": gallery([1, 1, 1, 1])}
    seed, _, path = write(tmp_path, 1, "qafm", good)
    with pytest.raises(InputError, match=r"qafm-1\.json: is of experiment qafm, expected shuffled"):
        tabulate_ablation([(seed, "shuffled", path)], RUN, tmp_path / "x.csv")
    with pytest.raises(InputError, match="is no artifact"):
        tabulate_ablation([(1, "qafm", tmp_path / "missing.json")], RUN, tmp_path / "x.csv")
    with pytest.raises(InputError, match="different seeds"):
        tabulate_ablation([(1, "qafm", path), write(tmp_path, 2, "shuffled", good)], RUN, tmp_path / "x.csv")
    with pytest.raises(InputError, match="second artifact"):
        tabulate_ablation([(1, "qafm", path), (1, "qafm", tmp_path / "other.json")], RUN, tmp_path / "x.csv")
    with pytest.raises(InputError, match="table: no row"):
        tabulate_ablation([], RUN, tmp_path / "x.csv")
    odd = {"standard": gallery([1, 1, 1, 1])}
    del odd["standard"]["metrics"]["rank5"]
    with pytest.raises(InputError, match="different metrics"):
        tabulate_ablation([(1, "qafm", path), write(tmp_path, 1, "fixed_alpha_0.1", odd)], RUN, tmp_path / "x.csv")
    strange = {"standard": gallery([1, 1, 1, 1])}
    strange["standard"]["queries"]["image_id"] = ["a", "b", "c", "z"]
    with pytest.raises(InputError, match="different queries"):
        tabulate_extra([(1, "qafm", path), write(tmp_path, 1, "shuffled", strange)], RUN, CONFIG, tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()


def test_formats():
    assert (as_percent(-0.001), as_percent(12.345678), as_weight(-0.00001), as_weight(0.5)) == ("0.00", "12.35", "0.0000", "0.5000")
