"""Hypothesis 1: rows per tenth of Q against loops written out here; the verdict on made-up truths."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError
from qafm.evaluation.bootstrap import identity_interval, spearman_interval
from qafm.evaluation.tabulate_deciles import tabulate_deciles
from qafm.tables.parquet import write_parquet
from qafm.tables.table4 import Run

RUN = Run(dataset="d", features="f", model="m", init="random")
CONFIG = AblationConfig(bootstrap_samples=200)
N = 40
NAMES = [f"query/{i:02d}.jpg" for i in range(N)]
PID = np.arange(N) // 2


def study(folder: Path, ap: dict[str, list[np.ndarray]], q: np.ndarray | None = None, names: list[str] = NAMES) -> tuple[list, Path]:
    """Artifacts of every experiment and seed, and embeddings with `q` (shuffled order, a gallery row among them)."""
    q = np.random.default_rng(1).permutation(N) / 10 if q is None else q
    rows = []
    for experiment, seeds in ap.items():
        for seed, values in enumerate(seeds, start=1):
            queries = {"image_id": names, "pid": PID.tolist(), "ap": values.tolist()}
            content = {"experiment": experiment, "note": "", "galleries": {"standard": {"metrics": {}, "queries": queries}}}
            path = folder / f"{experiment}-{seed}.json"
            path.write_text(json.dumps(content))
            rows.append((seed, experiment, path))
    order = np.random.default_rng(2).permutation(N)
    columns = {
        "image_id": [NAMES[i] for i in order] + ["gallery/x.jpg"],
        "split": ["query"] * N + ["gallery"],
        "q": pa.array([*q[order], 77.0], from_pandas=True),
    }
    write_parquet(folder / "e.parquet", pa.table(columns))
    return rows, folder / "e.parquet"


def table(rows: list, embeddings: Path, folder: Path) -> list[dict[str, str]]:
    tabulate_deciles(rows, embeddings, RUN, CONFIG, folder / "t.csv")
    with (folder / "t.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_rows_are_means_over_seeds_of_the_queries_of_a_tenth(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    experiments = ("apn_descriptor", "apan_descriptor", "fixed_alpha_0.2", "fixed_alpha_0.6", "qafm", "oracle_query")
    ap = {name: [rng.uniform(size=N) for _ in range(2)] for name in experiments}
    q = rng.permutation(N) / 10
    found = table(*study(tmp_path, ap, q), tmp_path)
    assert [row["queries"] for row in found] == ["all", *map(str, range(1, 11))]
    mean = {name: 100 * (one + two) / 2 for name, (one, two) in ap.items()}
    order = np.argsort(q)
    for row, members in zip(found, [order, *order.reshape(10, 4)], strict=True):
        assert (row["n_queries"], row["n_identities"], row["n_seeds"]) == (str(len(members)), str(len(set(PID[members]))), "2")
        assert float(row["q_low"]) == q[members].min() and float(row["q_high"]) == q[members].max()
        for name, experiment in {"apn": "apn_descriptor", "apan": "apan_descriptor", "qafm": "qafm", "oracle_query": "oracle_query"}.items():
            assert float(row[f"mAP_{name}"]) == pytest.approx(mean[experiment][members].mean(), abs=0.006)
        lead = (mean["apn_descriptor"] - mean["apan_descriptor"])[members]
        ends = identity_interval(lead, PID[members], samples=200, seed=CONFIG.seed)
        found_lead = [float(row[f"apn_minus_apan{end}"]) for end in ("", "_low", "_high")]
        assert found_lead == pytest.approx([lead.mean(), *ends], abs=0.006)
        best = max(("0.2", "0.6"), key=lambda alpha: mean[f"fixed_alpha_{alpha}"][members].mean())
        assert row["best_fixed_alpha"] == best
        assert float(row["mAP_best_fixed_here"]) == pytest.approx(mean[f"fixed_alpha_{best}"][members].mean(), abs=0.006)
        assert row["mAP_best_fixed"] == ""  # was not measured
    for name, values in (("spearman", mean["apn_descriptor"] - mean["apan_descriptor"]), ("spearman_q_ap", mean["qafm"])):
        ends = spearman_interval(q, values, PID, samples=200, seed=CONFIG.seed)
        assert [float(found[0][f"{name}{end}"]) for end in ("", "_low", "_high")] == pytest.approx([spearmanr(q, values)[0], *ends], abs=0.001)
    assert all(row["spearman"] == row["spearman_q_ap"] == "" for row in found[1:])


@pytest.mark.parametrize(("sign", "verdict"), [(-1, "holds"), (1, "does not hold"), (0, "does not hold")])
def test_the_verdict_follows_the_truth(tmp_path: Path, sign: int, verdict: str) -> None:
    rng = np.random.default_rng(3)
    q = rng.permutation(N) / N
    noise = 0.2 * rng.normal(size=N)
    ap = {"apn_descriptor": [0.5 + 0.3 * sign * (q - 0.5) + 0.1 * noise], "apan_descriptor": [0.5 + 0.1 * rng.permutation(noise)]}
    row = table(*study(tmp_path, ap, q), tmp_path)[0]
    assert row["hypothesis_1"] == verdict
    assert float(row["spearman_low"]) <= float(row["spearman"]) <= float(row["spearman_high"])
    assert row["spearman_q_ap"] == ""  # QAFM was not among the rows


def test_queries_without_q_are_left_out_and_a_constant_cannot_be_tested(tmp_path: Path) -> None:
    q = np.full(N, 2.0)
    q[:4] = np.nan
    ap = {"apn_descriptor": [np.linspace(0, 1, N)], "apan_descriptor": [np.full(N, 0.5)]}
    found = table(*study(tmp_path, ap, q), tmp_path)
    assert found[0]["n_queries"] == "36"
    assert found[0]["hypothesis_1"].startswith("cannot be tested")


@pytest.mark.parametrize("missing", ["apn_descriptor", "apan_descriptor"])
def test_what_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    ap = {name: [np.full(N, 0.5)] for name in ("apn_descriptor", "apan_descriptor", "qafm") if name != missing}
    with pytest.raises(InputError, match=f"{missing} was not measured"):
        table(*study(tmp_path, ap), tmp_path)


def test_no_query_with_a_q_is_told(tmp_path: Path) -> None:
    ap = {"apn_descriptor": [np.full(N, 0.5)], "apan_descriptor": [np.full(N, 0.4)]}
    with pytest.raises(InputError, match=r"e\.parquet: no query has a Q"):
        table(*study(tmp_path, ap, np.full(N, np.nan)), tmp_path)
