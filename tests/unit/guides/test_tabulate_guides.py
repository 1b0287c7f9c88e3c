"""guides.csv by hand, without held-out identities, and from bad artifacts."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError
from qafm.evaluation.bootstrap import identity_interval
from qafm.guides.tabulate_guides import tabulate_guides
from qafm.tables.table4 import Run
from tests.unit.guides.planted_run import planted_run

RUN = Run(dataset="d", features="f", model="m", init="random")
CONFIG = AblationConfig(bootstrap_samples=50, seed=2)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_without_held_out_identities_no_rule_but_the_correlations(tmp_path: Path) -> None:
    found = planted_run(tmp_path, holdout=False).measure(tmp_path / "g.json")
    assert found["queries"]["fixed"] is None and "combined" not in found["guides"]
    assert all(guide["ap"] is guide["base"] is guide["slope"] is None for guide in found["guides"].values())
    tabulate_guides([(1, tmp_path / "g.json")], RUN, CONFIG, tmp_path / "t.csv")
    rows = {row["guide"]: row for row in table(tmp_path / "t.csv")}
    assert float(rows["brightness"]["spearman"]) > 0.5 and float(rows["own_lead"]["spearman"]) == 1.0
    assert (rows["q"]["mAP"], rows["q"]["gain"], rows["q"]["slope"]) == ("", "", "")


def artifact(path: Path, ap: list[float], *, names: tuple[str, ...] = ("a", "b", "c"), extra: tuple[str, ...] = ()) -> Path:
    guide = {"place": [-1.0, 0.0, 1.0], "ap": ap, "base": 0.5, "slope": 0.1 * ap[0], "weight_sd": 0.02}
    queries = {"image_id": names, "pid": [1, 1, 2], "lead": [0.3, 0.1, -0.2], "fixed": [0.5, 0.5, 0.5]}
    path.write_text(json.dumps({"queries": queries, "guides": {name: guide for name in ("q", "own_lead", *extra)}}))
    return path


def test_table_by_hand(tmp_path: Path) -> None:
    files = [(1, artifact(tmp_path / "1.json", [0.6, 0.5, 0.9], extra=("nearest",))), (2, artifact(tmp_path / "2.json", [0.8, 0.5, 0.5]))]
    tabulate_guides(files, RUN, CONFIG, tmp_path / "t.csv")
    q, own = table(tmp_path / "t.csv")  # what one seed alone knows is left out
    assert (q["guide"], q["reads"], own["guide"], own["reads"]) == ("q", "Q", "own_lead", "the query's labels")
    assert (q["dataset"], q["features"], q["model"], q["init"], q["n_queries"], q["n_seeds"]) == ("d", "f", "m", "random", "3", "2")
    assert (q["mAP_fixed"], q["mAP"], q["gain"], q["slope"], q["visual_weight_sd"]) == ("50.00", "63.33", "13.33", "0.0700", "0.0200")
    low, high = identity_interval(np.array([20.0, 0.0, 20.0]), np.array([1, 1, 2]), samples=50, seed=2)
    assert (q["gain_low"], q["gain_high"]) == (f"{low:.2f}", f"{high:.2f}")
    assert q["spearman"] == "-1.000" and float(q["spearman_low"]) <= -1.0 <= float(q["spearman_high"])


def test_bad_artifacts_are_one_line(tmp_path: Path) -> None:
    good = artifact(tmp_path / "1.json", [0.6, 0.5, 0.9])
    with pytest.raises(InputError, match=r"2\.json: is of other queries than .*1\.json"):
        tabulate_guides([(1, good), (2, artifact(tmp_path / "2.json", [0.6, 0.5, 0.9], names=("a", "b", "x")))], RUN, CONFIG, tmp_path / "t.csv")
    (tmp_path / "3.json").write_text("{}")
    with pytest.raises(InputError, match=r"3\.json: is no artifact of measure_guides"):
        tabulate_guides([(1, tmp_path / "3.json")], RUN, CONFIG, tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()
