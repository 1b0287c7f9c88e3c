"""What the figure of Table 4 shows: per row its alpha and, per query, the mean over seeds of Rank-1 and AP."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from qafm.errors import InputError
from qafm.evaluation.ablation_rows import Artifacts, Row, read_artifacts
from qafm.evaluation.bootstrap import identity_interval
from qafm.tables.table4 import GALLERIES

METRICS = ("rank1", "mAP")
FIXED = ("apn_only_alpha_0", "apan_only_alpha_1", "fixed_alpha_")
LEARNED = "qafm"


class Score(NamedTuple):
    """One row of Table 4 on one gallery; Q valid queries."""

    experiment: str
    alpha: float  # paper_alpha, mean over queries and seeds
    alpha_sd: float  # over queries, mean over seeds
    names: list[str]  # [Q]
    pid: np.ndarray  # int [Q]
    percent: dict[str, np.ndarray]  # per metric float64 [Q], 0..100, mean over seeds

    def mean(self, metric: str) -> float:
        """The metric, in percent."""
        return float(self.percent[metric].mean())


class Comparison(NamedTuple):
    """The rows of one gallery."""

    fixed: list[Score]  # by ascending alpha
    learned: Score | None

    def best(self, metric: str) -> Score:
        """The fixed weight that does best on the test queries themselves, the least alpha among equals."""
        return max(self.fixed, key=lambda score: score.mean(metric))


class Bootstrap(NamedTuple):
    """Settings of the intervals."""

    samples: int
    seed: int

    def interval(self, values: np.ndarray, pid: np.ndarray) -> tuple[float, float]:
        """The 95 percent interval of the mean of `values` [Q] over identities `pid` [Q]."""
        return identity_interval(values, pid, samples=self.samples, seed=self.seed)


def read_scores(rows: Sequence[Row]) -> dict[str, Comparison]:
    """Read the fixed weights and the learned one of (seed, experiment, artifact); other experiments are not looked at.

    Returns:
        What was found on each gallery with a fixed weight, the standard one first.

    Raises:
        InputError: an artifact is missing, broken or without first ranks, there is no fixed weight, or rows were measured on different queries.
    """
    used = [row for row in rows if row[1] == LEARNED or row[1].startswith(FIXED)]
    if not any(experiment != LEARNED for _, experiment, _ in used):
        raise InputError("plot of Table 4: there is no row of a fixed weight")
    path_of = {experiment: path for _, experiment, path in used}
    artifacts = read_artifacts(used)
    galleries = {}
    for gallery in GALLERIES:
        scores = [_score(row, gallery, path_of[row.experiment]) for row in artifacts if row.of_gallery(gallery)]
        if any(score.names != scores[0].names for score in scores):
            raise InputError(f"{path_of[scores[0].experiment]}: gallery {gallery}: not all rows of Table 4 were measured on the same queries")
        fixed = sorted((score for score in scores if score.experiment != LEARNED), key=lambda score: score.alpha)
        if fixed:
            galleries[gallery] = Comparison(fixed, next((score for score in scores if score.experiment == LEARNED), None))
    if not galleries:
        raise InputError(f"{used[0][2]}: neither it nor another row of a fixed weight was measured on any gallery")
    return galleries


def _score(row: Artifacts, gallery: str, path: Path) -> Score:
    contents = row.of_gallery(gallery)
    try:
        names, pids, ap, first_rank = ([content["queries"][name] for content in contents] for name in ("image_id", "pid", "ap", "first_rank"))
        percent = {"rank1": 100 * _mean_over_seeds([np.array(ranks, np.int64) == 1 for ranks in first_rank]), "mAP": 100 * _mean_over_seeds(ap)}
        alpha = 1 - float(np.mean([content["visual_weight"] for content in contents]))
        spread = float(np.mean([content["visual_weight_sd"] for content in contents]))
        same = all(other == names[0] for other in names) and {len(pids[0]), *map(len, percent.values())} == {len(names[0])}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: gallery {gallery} has no weight, or no AP and first rank of each query ({error})") from error
    if not same:
        raise InputError(f"{path}: gallery {gallery}: the seeds were measured on different queries, or a query has no AP or no first rank")
    return Score(row.experiment, alpha, spread, names[0], np.array(pids[0]), percent)


def _mean_over_seeds(values: Sequence[Any]) -> np.ndarray:
    return np.mean(np.array(values, np.float64), axis=0)
