"""Degraded queries before the gallery: clean ones achieve what Table 4's rows say; the table against loops; verdicts on made-up truths."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError
from qafm.evaluation.bootstrap import identity_interval
from qafm.evaluation.evaluate_alpha import evaluate_alpha
from qafm.evaluation.measure_degraded import measure_degraded
from qafm.evaluation.tabulate_degradations import tabulate_degradations
from qafm.tables.degraded import degraded_embeddings_schema, degraded_results_schema
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.tables.table4 import Run
from tests.unit.evaluation.conftest import SmallRun

RUN = Run(dataset="d", features="f", model="m", init="random")
GRID = 5


def degraded(run: SmallRun, path: Path, *, weight: bool = True) -> Path:
    """The run's own queries as if degraded: as they are, then with noise on their vectors."""
    rng, rows = np.random.default_rng(6), []
    mine = [i for i, split in enumerate(run.splits) if split == "query"]
    for kind, level in (("none", 0.0), ("blur", 0.5)):
        for i in mine:
            vectors = {"v_a": run.v_a[i] + level * rng.normal(size=run.v_a.shape[1]), "v_s": run.v_s[i] + level * rng.normal(size=run.v_s.shape[1])}
            known = {"q": float(i), "visual_weight": float(run.weight[i])} if weight else {"q": None, "visual_weight": None}
            rows.append({"image_id": run.names[i], "degradation": kind, "level": level, **known, **{name: v.astype(np.float32) for name, v in vectors.items()}})
    schema = degraded_embeddings_schema(run.v_a.shape[1], run.v_s.shape[1])
    write_parquet(path, pa.Table.from_pylist(rows, schema))
    return path


def test_clean_queries_achieve_what_the_rows_of_table_4_say(small_run: Callable[..., SmallRun], tmp_path: Path) -> None:
    run = small_run()
    out = tmp_path / "found.parquet"
    measure_degraded(run.images, run.embeddings, run.head, degraded(run, tmp_path / "d.parquet"), same_camera="drop", grid=GRID, out=out)
    rows = [row for row in read_parquet(out, degraded_results_schema(GRID)).to_pylist() if row["degradation"] == "none"]
    assert len(rows) == 6  # the query of a stranger is left out
    alone = {"apn_descriptor": "ap_apn", "apan_descriptor": "ap_apan", "qafm": "ap_qafm"}
    fixed = {f"fixed_alpha_{1 - w:g}": k for k, w in enumerate(np.linspace(0, 1, GRID)) if 0 < w < 1}
    for experiment in (*alone, *fixed):
        path = tmp_path / f"{experiment}.json"
        evaluate_alpha(experiment, run.images, run.embeddings, run.head, same_camera="drop", config=AblationConfig(), out=path)
        queries = json.loads(path.read_text())["galleries"]["standard"]["queries"]
        found = [row[alone[experiment]] if experiment in alone else row["ap_fixed"][fixed[experiment]] for row in rows]
        assert [row["image_id"] for row in rows] == queries["image_id"]
        assert found == pytest.approx(queries["ap"], abs=1e-6)


def test_without_a_weight_qafm_is_unknown_and_a_stranger_is_named(small_run: Callable[..., SmallRun], tmp_path: Path) -> None:
    run, out = small_run(), tmp_path / "found.parquet"
    path = degraded(run, tmp_path / "d.parquet", weight=False)
    measure_degraded(run.images, run.embeddings, run.head, path, same_camera="drop", grid=GRID, out=out)
    assert read_parquet(out)["ap_qafm"].null_count == 12
    table = read_parquet(path)
    write_parquet(path, table.set_column(0, table.schema.field(0), pa.array(["nobody", *table["image_id"].to_pylist()[1:]])))
    with pytest.raises(InputError, match=r"d\.parquet: nobody is no query of the embeddings"):
        measure_degraded(run.images, run.embeddings, run.head, path, same_camera="drop", grid=GRID, out=tmp_path / "x.parquet")
    assert not (tmp_path / "x.parquet").exists()


N = 30


def results(path: Path, seed: int, *, q: np.ndarray | None = None, lead: np.ndarray | None = None) -> Path:
    """Made-up results of N queries, clean and at two levels of noise."""
    rng, rows = np.random.default_rng(seed), []
    for j, (kind, level) in enumerate((("none", 0.0), ("noise", 0.3), ("noise", 0.9))):
        for i in range(N):
            apn = float(rng.uniform(0.4, 0.6))
            apan = apn - (float(rng.uniform(-0.2, 0.2)) if lead is None else float(lead[j * N + i]))
            row = {"image_id": f"{i}", "degradation": kind, "level": level, "pid": i // 3, "visual_weight": 0.2 + seed / 10 + i / 100}
            row |= {"q": None if q is None else float(q[j * N + i]), "ap_apn": apn, "ap_apan": apan, "ap_qafm": None if q is None else apn}
            rows.append(row | {"ap_fixed": [float(v) for v in rng.uniform(0.3, 0.6, GRID)]})
    write_parquet(path, pa.Table.from_pylist(rows, degraded_results_schema(GRID)))
    return path


def tabled(paths: list[Path], out: Path) -> list[dict[str, str]]:
    tabulate_degradations(paths, GRID, RUN, AblationConfig(bootstrap_samples=200), out)
    with out.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_table_equals_loops_over_the_rows(tmp_path: Path) -> None:
    q = np.random.default_rng(1).uniform(size=3 * N)
    paths = [results(tmp_path / f"{seed}.parquet", seed, q=q) for seed in (1, 2)]
    found = tabled(paths, tmp_path / "t.csv")
    assert [(row["degradation"], row["level"]) for row in found] == [("all", ""), ("none", ""), ("noise", "0.3"), ("noise", "0.9")]
    seeds = [read_parquet(path).to_pylist() for path in paths]
    pooled = [np.mean([[row["ap_fixed"][k] for row in rows] for rows in seeds]) for k in range(GRID)]
    common = int(np.argmax(pooled))
    for row, rows_of in zip(found, [slice(0, 3 * N), *(slice(j * N, (j + 1) * N) for j in range(3))], strict=True):
        parts = [rows[rows_of] for rows in seeds]
        ap = {name: 100 * np.mean([[r[f"ap_{name}"] for r in part] for part in parts], axis=0) for name in ("apn", "apan", "qafm")}  # [N] each
        fixed = 100 * np.mean([[r["ap_fixed"] for r in part] for part in parts], axis=0)  # [N, GRID]
        for name, values in ap.items():
            assert float(row[f"mAP_{name}"]) == pytest.approx(values.mean(), abs=0.006)
        shared, here = fixed[:, common], fixed[:, int(np.argmax(fixed.mean(axis=0)))]
        differences = {"apn_minus_apan": ap["apn"] - ap["apan"], "best_here_minus_common": here - shared, "qafm_minus_common": ap["qafm"] - shared}
        for name, values in differences.items():
            ends = identity_interval(values, np.array([r["pid"] for r in parts[0]]), samples=200, seed=AblationConfig().seed)
            assert [float(row[f"{name}{end}"]) for end in ("", "_low", "_high")] == pytest.approx([values.mean(), *ends], abs=0.006)
        assert float(row["visual_weight"]) == pytest.approx(np.mean([r["visual_weight"] for part in parts for r in part]), abs=1e-4)
        assert float(row["common_alpha"]) == pytest.approx(1 - common / (GRID - 1))
        assert float(row["mAP_common"]) == pytest.approx(fixed[:, common].mean(), abs=0.006)
        assert float(row["mAP_best_here"]) == pytest.approx(fixed.mean(axis=0).max(), abs=0.006)
        assert float(row["best_alpha_here"]) == pytest.approx(1 - int(np.argmax(fixed.mean(axis=0))) / (GRID - 1))
        assert float(row["mAP_oracle"]) == pytest.approx(100 * np.mean([max(r["ap_fixed"]) for part in parts for r in part]), abs=0.006)
        assert float(row["q_mean"]) == pytest.approx(q[rows_of].mean(), rel=1e-4)
        assert (row["n_queries"], row["n_identities"], row["n_seeds"]) == (str(len(parts[0])), str(N // 3), "2")
    lead = np.mean([[r["ap_apn"] - r["ap_apan"] for r in rows] for rows in seeds], axis=0)
    assert float(found[0]["spearman"]) == pytest.approx(spearmanr(q, lead)[0], abs=0.001)


def test_the_hypothesis_holds_where_q_and_apns_lead_run_against_each_other(tmp_path: Path) -> None:
    lead = np.random.default_rng(3).uniform(-0.2, 0.2, 3 * N)
    noise = np.random.default_rng(4).uniform(size=3 * N)
    for q, verdict in ((-lead, "holds"), (lead, "does not hold"), (noise, "does not hold")):
        first = tabled([results(tmp_path / "r.parquet", 1, q=q, lead=lead)], tmp_path / "t.csv")[0]
        assert first["hypothesis_1"] == verdict
    assert tabled([results(tmp_path / "r.parquet", 1)], tmp_path / "t.csv")[0]["hypothesis_1"].startswith("cannot be tested")


def test_seeds_must_have_the_same_queries(tmp_path: Path) -> None:
    one, two = results(tmp_path / "1.parquet", 1), results(tmp_path / "2.parquet", 2)
    write_parquet(two, read_parquet(two).slice(1))
    with pytest.raises(InputError, match=r"2\.parquet: was measured on other queries than .*1\.parquet"):
        tabled([one, two], tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()
