"""Hypothesis 1 of the paper, taken directly: does the attribute branch gain on the visual one where Q says that an image is hard to identify?

Queries are ordered by Q and cut into ten equal parts. Shapes: N queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError
from qafm.evaluation.ablation_rows import Artifacts, Cells, Row, as_percent, read_artifacts, write_table
from qafm.evaluation.bootstrap import identity_interval, spearman, spearman_interval
from qafm.tables.parquet import read_parquet
from qafm.tables.table4 import STANDARD, Run

PARTS = 10
VISUAL, ATTRIBUTE = "apn_descriptor", "apan_descriptor"
OTHERS = ("qafm", "best_fixed", "oracle_query")  # beside the branches; absent where they were not measured
DIFFERENCE = ("apn_minus_apan", "apn_minus_apan_low", "apn_minus_apan_high")
COLUMNS = (
    *("queries", "dataset", "features", "model", "init", "n_queries", "n_identities", "q_low", "q_high"),
    *("mAP_apn", "mAP_apan", *DIFFERENCE, "best_fixed_alpha", "mAP_best_fixed_here", *(f"mAP_{name}" for name in OTHERS)),
    *("spearman", "spearman_low", "spearman_high", "hypothesis_1"),
    *("spearman_q_ap", "spearman_q_ap_low", "spearman_q_ap_high", "n_seeds"),
)


@dataclass(frozen=True)
class Queries:
    """What is known of the valid queries.

    Args:
        pid: identities, int [N].
        q: Q(I), float64 [N].
        ap: experiment -> AP in percent, mean over seeds, float64 [N].
    """

    pid: np.ndarray
    q: np.ndarray
    ap: dict[str, np.ndarray]

    def take(self, rows: np.ndarray) -> "Queries":
        """The queries at `rows`: indices or a bool mask [N]."""
        return Queries(self.pid[rows], self.q[rows], {name: ap[rows] for name, ap in self.ap.items()})


def tabulate_deciles(rows: Sequence[Row], embeddings: Path, run: Run, config: AblationConfig, out: Path) -> None:
    """Write deciles.csv: a row for all queries and one per tenth of them by Q (1: lowest, most stable).

    Per row: mAP of each branch by its own descriptor, their difference with its 95 percent interval over identities, and the fixed weight of Table 4 that is
    best for these very queries (chosen on them: it shows what there is to adapt to, it is no method). The row of all queries holds Spearman's rho of Q and the
    difference of both APs. Hypothesis 1 says that it is negative: the higher Q, the more the attribute branch is ahead. It "holds" where the whole interval is
    below 0. `spearman_q_ap` is rho of Q and QAFM's own AP: whether Q tells at all how well a query will do.

    Args:
        rows: (seed, experiment, artifact of `evaluate_alpha`): the branches' descriptors, the fixed weights, and whatever of OTHERS there is.
        embeddings: embeddings.parquet of one seed, for the queries' Q, which is the same for all.
        run: what the table belongs to.
        config: draws and seed of the bootstrap.
        out: the CSV.

    Raises:
        InputError: an artifact is missing or broken, the rows were measured on different queries, or no query has a Q.
    """
    artifacts = read_artifacts(rows)
    queries = _read_queries(artifacts, embeddings)
    order = np.argsort(queries.q, kind="stable")
    parts = {"all": order} | {str(i + 1): part for i, part in enumerate(np.array_split(order, min(PARTS, len(order))))}
    names = {"dataset": run.dataset, "features": run.features, "model": run.model, "init": run.init, "n_seeds": str(len(artifacts[0].contents))}
    table = [{"queries": name, **names, **_describe(queries.take(part), config)} for name, part in parts.items()]
    table[0] |= _correlation(queries, config)
    write_table(out, COLUMNS, table)


def _read_queries(artifacts: Sequence[Artifacts], embeddings: Path) -> Queries:
    measured = {row.experiment: row.of_gallery(STANDARD) for row in artifacts}
    for needed in (VISUAL, ATTRIBUTE):
        if not measured.get(needed):
            raise InputError(f"table: {needed} was not measured")
    first = measured[VISUAL][0]["queries"]
    if any(content["queries"]["image_id"] != first["image_id"] for found in measured.values() for content in found):
        raise InputError("table: rows were measured on different queries")
    table = read_parquet(embeddings, columns=["image_id", "split", "q"]).to_pylist()
    q_of = {row["image_id"]: row["q"] for row in table if row["split"] == "query" and row["q"] is not None}
    known = np.array([name in q_of for name in first["image_id"]])
    if not known.any():
        raise InputError(f"{embeddings}: no query has a Q")
    ap = {name: 100 * np.mean([content["queries"]["ap"] for content in found], axis=0) for name, found in measured.items() if found}
    q = np.array([q_of.get(name, np.nan) for name in first["image_id"]])
    return Queries(np.array(first["pid"]), q, ap).take(known)


def _describe(queries: Queries, config: AblationConfig) -> Cells:
    difference = queries.ap[VISUAL] - queries.ap[ATTRIBUTE]
    interval = identity_interval(difference, queries.pid, samples=config.bootstrap_samples, seed=config.seed)
    fixed = {name: float(ap.mean()) for name, ap in queries.ap.items() if name.startswith("fixed_alpha_")}
    best = max(fixed, key=lambda name: fixed[name]) if fixed else None
    cells = {
        "n_queries": str(len(queries.q)),
        "n_identities": str(len(np.unique(queries.pid))),
        "q_low": f"{queries.q.min():.5g}",
        "q_high": f"{queries.q.max():.5g}",
        "mAP_apn": as_percent(float(queries.ap[VISUAL].mean())),
        "mAP_apan": as_percent(float(queries.ap[ATTRIBUTE].mean())),
        **dict(zip(DIFFERENCE, map(as_percent, (float(difference.mean()), *interval)), strict=True)),
        **{f"mAP_{name}": as_percent(float(queries.ap[name].mean())) for name in OTHERS if name in queries.ap},
    }
    return cells | ({"best_fixed_alpha": best.removeprefix("fixed_alpha_"), "mAP_best_fixed_here": as_percent(fixed[best])} if best else {})


def _correlation(queries: Queries, config: AblationConfig) -> Cells:
    difference = queries.ap[VISUAL] - queries.ap[ATTRIBUTE]
    cells, high = _rank_correlation("spearman", queries, difference, config)
    if high is None:
        cells["hypothesis_1"] = "cannot be tested: Q or the difference is constant"
    else:
        cells["hypothesis_1"] = "holds" if high < 0 else "does not hold"
    return cells | (_rank_correlation("spearman_q_ap", queries, queries.ap["qafm"], config)[0] if "qafm" in queries.ap else {})


def _rank_correlation(name: str, queries: Queries, values: np.ndarray, config: AblationConfig) -> tuple[Cells, float | None]:
    """Spearman's rho of Q and `values` [N] with its interval, and the interval's upper end; nothing where one of them is constant."""
    rho = spearman(queries.q, values)
    if rho is None:
        return {}, None
    low, high = spearman_interval(queries.q, values, queries.pid, samples=config.bootstrap_samples, seed=config.seed)
    return {name: f"{rho:.3f}", f"{name}_low": f"{low:.3f}", f"{name}_high": f"{high:.3f}"}, high
