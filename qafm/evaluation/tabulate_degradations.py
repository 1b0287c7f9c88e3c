"""degradations.csv: does the better branch, and the best weight, change with what is wrong with the query?

N rows of the results (a query under a degradation), W fixed weights, S seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError
from qafm.evaluation.ablation_rows import Cells, as_percent, as_weight, write_table
from qafm.evaluation.bootstrap import identity_interval, spearman, spearman_interval
from qafm.evaluation.fixed_weights import best_scoring
from qafm.tables.degraded import CLEAN, degraded_results_schema
from qafm.tables.parquet import read_parquet
from qafm.tables.table4 import Run

DIFFERENCE = ("apn_minus_apan", "apn_minus_apan_low", "apn_minus_apan_high")
ADAPTED = ("best_here_minus_common", "best_here_minus_common_low", "best_here_minus_common_high")
QAFM = ("qafm_minus_common", "qafm_minus_common_low", "qafm_minus_common_high")
COLUMNS = (
    *("degradation", "level", "dataset", "features", "model", "init", "n_queries", "n_identities", "q_mean", "visual_weight"),
    *("mAP_apn", "mAP_apan", *DIFFERENCE, "common_alpha", "mAP_common", "best_alpha_here", "mAP_best_here", *ADAPTED),
    *("mAP_qafm", *QAFM, "mAP_oracle", "spearman", "spearman_low", "spearman_high", "hypothesis_1", "n_seeds"),
)
ALL = "all"


@dataclass(frozen=True)
class Results:
    """What the queries achieved, the mean over seeds.

    Args:
        kind, level: the degradation, [N].
        pid: identities, int [N].
        q: Q(I), NaN where unknown, float64 [N].
        weight: visual weight, NaN where unknown, float64 [N].
        apn, apan, qafm: AP in percent, float64 [N]; qafm NaN without a weight.
        fixed: AP in percent at each fixed weight, float64 [N, W].
        oracle: AP in percent at the best of them, float64 [N]; each seed has a best one of its own.
        n_seeds: S.
    """

    kind: np.ndarray
    level: np.ndarray
    pid: np.ndarray
    q: np.ndarray
    weight: np.ndarray
    apn: np.ndarray
    apan: np.ndarray
    qafm: np.ndarray
    fixed: np.ndarray
    oracle: np.ndarray
    n_seeds: int

    def take(self, rows: np.ndarray) -> "Results":
        """The results at `rows`: indices or a bool mask [N]."""
        taken = {name: getattr(self, name)[rows] for name in ("kind", "level", "pid", "q", "weight", "apn", "apan", "qafm", "fixed", "oracle")}
        return Results(**taken, n_seeds=self.n_seeds)


def tabulate_degradations(results: Sequence[Path], grid: int, run: Run, config: AblationConfig, out: Path) -> None:
    """Write degradations.csv: a row for all queries under all degradations together, one for the clean ones, one per kind and level.

    `common_alpha` is the fixed weight of APAN that is best for all of them together, `best_alpha_here` the one that is best for the row's own;
    their difference is what knowing the degradation would be worth, at most: both are chosen on the very queries they are measured on. So the common weight
    has an advantage over QAFM's, too: weights as good as the common one are a little below it here.

    The row of all holds Spearman's rho of Q and APN's lead over APAN, over clean and degraded queries together: hypothesis 1 says that it is negative, and
    "holds" where the whole interval over identities is below 0.

    Args:
        results: what `measure_degraded` wrote, one file per seed.
        grid: number of fixed weights in them.
        run: what the table belongs to.
        config: draws and seed of the bootstrap.
        out: the CSV.

    Raises:
        InputError: a file is missing or broken, or the seeds were measured on different queries.
    """
    found = _read(results, grid)
    weights = np.linspace(0.0, 1.0, grid)
    common = best_scoring(weights, found.fixed.mean(axis=0))
    names = {"dataset": run.dataset, "features": run.features, "model": run.model, "init": run.init, "n_seeds": str(found.n_seeds)}
    rows = [{"degradation": ALL, **names, **_describe(found, weights, common, config), **_hypothesis(found, config)}]
    for kind, level in dict.fromkeys(zip(found.kind.tolist(), found.level.tolist(), strict=True)):
        part = found.take((found.kind == kind) & (found.level == level))
        rows.append({"degradation": kind, "level": "" if kind == CLEAN else f"{level:g}", **names, **_describe(part, weights, common, config)})
    write_table(out, COLUMNS, rows)


def _read(results: Sequence[Path], grid: int) -> Results:
    tables = [read_parquet(path, degraded_results_schema(grid)) for path in results]
    keys = [list(zip(*(table[name].to_pylist() for name in ("image_id", "degradation", "level")), strict=True)) for table in tables]
    for path, key in zip(results, keys, strict=True):
        if not key:
            raise InputError(f"{path}: no degraded query has a right image in the gallery")
        if key != keys[0]:
            raise InputError(f"{path}: was measured on other queries than {results[0]}")

    def mean(name: str) -> np.ndarray:
        return np.mean([table[name].fill_null(float("nan")).to_numpy() for table in tables], axis=0)

    fixed = 100 * np.array([table["ap_fixed"].combine_chunks().flatten().to_numpy().reshape(-1, grid) for table in tables])  # [S, N, W]
    first = tables[0]
    kind, level = np.array(first["degradation"].to_pylist()), first["level"].to_numpy()
    ap = {name: 100 * mean(f"ap_{name}") for name in ("apn", "apan", "qafm")}
    oracle = fixed.max(axis=2).mean(axis=0)
    return Results(kind, level, first["pid"].to_numpy(), mean("q"), mean("visual_weight"), **ap, fixed=fixed.mean(axis=0), oracle=oracle, n_seeds=len(tables))


def _describe(found: Results, weights: np.ndarray, common: float, config: AblationConfig) -> Cells:
    best = best_scoring(weights, found.fixed.mean(axis=0))
    shared, here = (found.fixed[:, int(np.argmin(np.abs(weights - w)))] for w in (common, best))
    cells: Cells = {
        "n_queries": str(len(found.pid)),
        "n_identities": str(len(np.unique(found.pid))),
        "mAP_apn": as_percent(float(found.apn.mean())),
        "mAP_apan": as_percent(float(found.apan.mean())),
        "common_alpha": as_weight(1 - common),
        "mAP_common": as_percent(float(shared.mean())),
        "best_alpha_here": as_weight(1 - best),
        "mAP_best_here": as_percent(float(here.mean())),
        "mAP_oracle": as_percent(float(found.oracle.mean())),
    }
    cells |= _interval(DIFFERENCE, found.apn - found.apan, found.pid, config) | _interval(ADAPTED, here - shared, found.pid, config)
    if np.isfinite(found.q).all():
        cells["q_mean"] = f"{found.q.mean():.5g}"
    if np.isfinite(found.qafm).all():
        cells |= {"visual_weight": as_weight(float(found.weight.mean())), "mAP_qafm": as_percent(float(found.qafm.mean()))}
        cells |= _interval(QAFM, found.qafm - shared, found.pid, config)
    return cells


def _interval(names: tuple[str, str, str], values: np.ndarray, pid: np.ndarray, config: AblationConfig) -> Cells:
    """Mean of `values` [N] and its 95 percent interval over identities."""
    ends = identity_interval(values, pid, samples=config.bootstrap_samples, seed=config.seed)
    return dict(zip(names, map(as_percent, (float(values.mean()), *ends)), strict=True))


def _hypothesis(found: Results, config: AblationConfig) -> Cells:
    lead = found.apn - found.apan
    rho = spearman(found.q, lead) if np.isfinite(found.q).all() else None
    if rho is None:
        return {"hypothesis_1": "cannot be tested: Q is unknown or constant, or the difference is constant"}
    low, high = spearman_interval(found.q, lead, found.pid, samples=config.bootstrap_samples, seed=config.seed)
    return {"spearman": f"{rho:.3f}", "spearman_low": f"{low:.3f}", "spearman_high": f"{high:.3f}", "hypothesis_1": "holds" if high < 0 else "does not hold"}
