"""oracle.csv: what a weight for each query could gain between the two branches, and between two networks that differ in nothing but their seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError, reading
from qafm.evaluation.ablation_rows import Cells, Row, as_percent, as_weight, write_table
from qafm.evaluation.bootstrap import identity_interval
from qafm.evaluation.measure_oracle import METHODS
from qafm.runtime.files import read_json
from qafm.tables.table4 import Run

BRANCHES, NULL = "branches", "baselines"
NULLS = (NULL, "apn_seeds", "apan_seeds")  # pairs of networks that differ in nothing but their seed
GAINS = {"oracle_gain": ("oracle", "fixed_test"), "split_gain": ("split_oracle", "split_fixed")}
LEADS = {"branches_fixed_over_it": "fixed_test", "branches_oracle_gain_over_it": "oracle_gain", "branches_split_gain_over_it": "split_gain"}
INTERVALS = tuple(f"{name}{end}" for name in (*GAINS, *LEADS) for end in ("", "_low", "_high"))
COLUMNS = (
    *("pair", "first", "second", "dataset", "features", "model", "init", "n_queries", "weight_holdout", "weight_test"),
    *(f"mAP_{name}" for name in METHODS),
    *(*INTERVALS, "anything_to_adapt_to", "n_seeds"),
)
SIDES = {
    "branches": ("APN", "APAN"),
    "baselines": ("baseline", "baseline, another seed"),
    "apn_seeds": ("APN", "APN, another seed"),
    "apan_seeds": ("APAN", "APAN, another seed"),
}

Interval = tuple[float, float, float] | None  # mean and both ends


@dataclass(frozen=True)
class PairScores:
    """What one pair achieved, the mean over seeds.

    Args:
        pid: identities of the queries, int [Q].
        ap: method -> AP in percent, float64 [Q]; NaN where it does not apply to the query; without methods that were not measured.
        weights: mean of the chosen weights, by name.
        n_seeds: number of models, or of pairs of them.
    """

    pid: np.ndarray
    ap: dict[str, np.ndarray]
    weights: dict[str, float]
    n_seeds: int

    def of(self, name: str) -> np.ndarray:
        """AP of a method, or a gain of `GAINS`, per query [Q], NaN where it does not apply."""
        if name not in GAINS:
            return self.ap[name]
        better, worse = GAINS[name]
        return self.ap[better] - self.ap[worse]


def tabulate_oracle(rows: Sequence[Row], run: Run, config: AblationConfig, out: Path) -> None:
    """Write oracle.csv: a row per pair of descriptors.

    `oracle_gain` is what the best weight of each query, chosen by its own labels, adds to the best weight for all; `split_gain` the same where the weight is
    chosen on one half of a query's right images and scored on the other. A pair of one kind (`NULLS`) is a null, and its row says what the branches have beyond
    it, query by query: AP at one weight for all (`branches_fixed_over_it`) and both gains (`branches_.._gain_over_it`). There is something to adapt to ("yes")
    where the intervals of split_gain and of its lead over each measured null lie above 0.

    Args:
        rows: (seed, pair, artifact of `measure_oracle`).
        run: what the table belongs to.
        config: draws and seed of the bootstrap.
        out: the CSV.

    Raises:
        InputError: an artifact is missing or broken, or the pairs were measured on different queries.
    """
    paths: dict[str, list[Path]] = {}
    for _, pair, path in rows:
        paths.setdefault(pair, []).append(path)
    measured = {pair: _read(pair, found) for pair, found in paths.items()}
    names = {"dataset": run.dataset, "features": run.features, "model": run.model, "init": run.init}
    intervals = {pair: {gain: _interval(found.of(gain), found.pid, config) for gain in GAINS} for pair, found in measured.items()}
    if BRANCHES in measured:
        for null in [null for null in NULLS if null in measured]:
            intervals[null] |= _leads(measured[BRANCHES], null, measured[null], config)
    tables = {pair: names | _describe(pair, found) | _cells(intervals[pair]) for pair, found in measured.items()}
    if BRANCHES in measured:
        tables[BRANCHES]["anything_to_adapt_to"] = _verdict(intervals)
    write_table(out, COLUMNS, list(tables.values()))


def _read(pair: str, paths: Sequence[Path]) -> PairScores:
    contents = []
    for path in paths:
        with reading(path, "is no artifact of measure_oracle"):
            content = read_json(path)
            if content["pair"] != pair:
                raise InputError(f"{path}: is of pair {content['pair']}, expected {pair}")
            contents.append((content["queries"], {name: content[name] for name in ("weight_holdout", "weight_test")}))
    first = contents[0][0]
    if any(queries["image_id"] != first["image_id"] for queries, _ in contents):
        raise InputError(f"{paths[0]}: its seeds were measured on different queries")
    methods = [name for name in METHODS if all(queries[name] is not None for queries, _ in contents)]
    ap = {name: 100 * np.mean([np.array(queries[name], np.float64) for queries, _ in contents], axis=0) for name in methods}
    weights = {name: [chosen[name] for _, chosen in contents] for name in ("weight_holdout", "weight_test")}
    known = {name: float(np.mean(values)) for name, values in weights.items() if None not in values}
    return PairScores(np.array(first["pid"]), ap, known, len(contents))


def _describe(pair: str, found: PairScores) -> Cells:
    first, second = SIDES[pair]
    cells: Cells = {"pair": pair, "first": first, "second": second, "n_queries": str(len(found.pid)), "n_seeds": str(found.n_seeds)}
    cells |= {name: as_weight(weight) for name, weight in found.weights.items()}
    return cells | {f"mAP_{name}": as_percent(float(np.nanmean(ap))) for name, ap in found.ap.items() if np.isfinite(ap).any()}


def _leads(branches: PairScores, name: str, null: PairScores, config: AblationConfig) -> dict[str, Interval]:
    """What the branches have beyond a null, by the names of `LEADS`."""
    if not np.array_equal(null.pid, branches.pid):
        raise InputError(f"table: {BRANCHES} and {name} were measured on different queries")
    return {lead: _interval(branches.of(what) - null.of(what), branches.pid, config) for lead, what in LEADS.items()}


def _verdict(intervals: dict[str, dict[str, Interval]]) -> str:
    """Whether there is anything to adapt to: "yes" or "no"; empty where there is no null, or no query with two halves."""
    asked = [intervals[BRANCHES]["split_gain"], *(intervals[null]["branches_split_gain_over_it"] for null in NULLS if null in intervals)]
    lows = [interval[1] for interval in asked if interval is not None]
    if len(asked) == 1 or len(lows) < len(asked):
        return ""
    return "yes" if min(lows) > 0 else "no"


def _interval(values: np.ndarray, pid: np.ndarray, config: AblationConfig) -> Interval:
    """Mean of `values` [Q] and both ends of its interval over identities, NaN left out; None where no query has a value."""
    there = np.isfinite(values)
    if not there.any():
        return None
    low, high = identity_interval(values[there], pid[there], samples=config.bootstrap_samples, seed=config.seed)
    return float(values[there].mean()), low, high


def _cells(found: dict[str, Interval]) -> Cells:
    """Those of intervals by name; none where there is no interval."""
    there = {name: interval for name, interval in found.items() if interval is not None}
    return {f"{name}{end}": as_percent(value) for name, interval in there.items() for end, value in zip(("", "_low", "_high"), interval, strict=True)}
