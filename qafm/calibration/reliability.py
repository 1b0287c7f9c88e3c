"""How well a calibration holds: Cllr, ECE, reliability diagram and DET points, with intervals from a bootstrap over identities.

Every measure is a function of sums over pairs. Where an identity is drawn c_i times, a genuine pair of it counts c_i times and an impostor pair of i and j
c_i c_j times, so that one pass over the pairs gives the sums of all draws; draw 0 is the sample itself.

Shapes: S draws, I identities, F folds, B bins of the distance, R bins of the probability, T thresholds, M columns of sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from qafm.calibration.pairs import EDGES, STEP, PairCounts, People, counted_pairs
from qafm.tables.calibration import Measured, Measures, OperatingPoint, Polyline, ReliabilityBin

CENTRES = EDGES - STEP / 2  # [B]; of distance 0 itself slightly below it
FALSE_MATCHES = tuple(10 ** (-step / 4) for step in range(24, 0, -1))  # of the DET points
HIGH_FALSE_MATCHES = (0.7, 0.8, 0.9, 0.95, 0.98, 0.99)


def cross_fitted(polylines: Sequence[Polyline]) -> np.ndarray:
    """Log likelihood ratio of each distance bin by the fit without each fold, [F, B]."""
    return np.stack([np.interp(CENTRES, line.distance, line.llr) for line in polylines])


@dataclass(frozen=True)
class Columns:
    """What is summed over the pairs: one row per distance bin.

    Args:
        inside: [F, B, M1], of pairs within a fold: loss if genuine, loss if impostor (in bits), then per probability bin its count and its sum of predictions.
        everywhere: [B, M2], of all pairs: whether they are at most as far as each threshold, then 1.
    """

    inside: np.ndarray
    everywhere: np.ndarray


def make_columns(llr: np.ndarray, prior: float, bins: int, thresholds: np.ndarray) -> Columns:
    """Columns for the cross-fitted log likelihood ratios `llr` [F, B] and the `thresholds` [T], which are edges."""
    losses = np.stack([np.logaddexp(0, -llr), np.logaddexp(0, llr)], axis=2) / np.log(2)  # [F, B, 2]
    probability = 1 / (1 + np.exp(-(llr + np.log(prior / (1 - prior)))))  # [F, B]
    member = np.eye(bins)[np.clip(np.ceil(probability * bins).astype(int) - 1, 0, bins - 1)]  # [F, B, R]
    inside = np.concatenate([losses, member, member * probability[:, :, None]], axis=2)
    everywhere = np.concatenate([EDGES[:, None] <= thresholds, np.ones((len(EDGES), 1))], axis=1)
    return Columns(inside, everywhere)


@dataclass(frozen=True)
class Sums:
    """Sums over genuine and over impostor pairs, one row per draw: `inside` [2, S, M1], `everywhere` [2, S, M2]; genuine first."""

    inside: np.ndarray
    everywhere: np.ndarray


def draw_identities(identities: int, samples: int, seed: int) -> np.ndarray:
    """How often each identity counts, [1 + samples, I]: row 0 once each, the others drawn with replacement."""
    drawn = np.random.default_rng(seed).multinomial(identities, np.full(identities, 1 / identities), size=samples)
    return np.concatenate([np.ones((1, identities)), drawn])


def sum_pairs(people: People, fold: np.ndarray, columns: Columns, draws: np.ndarray) -> Sums:
    """Sum the columns over every pair, for each row of `draws` [S, I]; `fold` [I] of each identity."""
    inside = np.zeros((2, len(draws), columns.inside.shape[2]))
    everywhere = np.zeros((2, len(draws), columns.everywhere.shape[1]))
    for i, counts in counted_pairs(people):
        own, later = counts[0].astype(float), counts[1:]
        same = fold[i + 1 :] == fold[i]
        weight, others = draws[:, i, None], draws[:, i + 1 :]  # [S, 1], [S, I - i - 1]
        inside[0] += weight * (own @ columns.inside[fold[i]])
        everywhere[0] += weight * (own @ columns.everywhere)
        inside[1] += weight * (others[:, same] @ (later[same] @ columns.inside[fold[i]]))
        everywhere[1] += weight * (others @ (later @ columns.everywhere))
    return Sums(inside, everywhere)


def measured(values: np.ndarray) -> Measured:
    """The sample's value and the 95 percent interval of `values` [S], draw 0 the sample; draws in which it is undefined are left out."""
    drawn = values[1:][np.isfinite(values[1:])]
    low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (values[0], values[0])
    return Measured(value=_rounded(values[0]), low=_rounded(low), high=_rounded(high))


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


@dataclass(frozen=True)
class Reliability:
    """The reliability diagram: its bins that hold a pair, ECE, and the ECE that the draw of people makes by chance alone."""

    bins: tuple[ReliabilityBin, ...]
    ece: float
    ece_by_chance: float


def reliability(sums: Sums, prior: float) -> Reliability:
    """The reliability diagram at `prior`. By chance: the mean over the draws of how far the shares of a draw lie from those of the sample."""
    bins = (sums.inside.shape[2] - 2) // 2
    counts, predictions = sums.inside[:, :, 2 : 2 + bins], sums.inside[:, :, 2 + bins :]  # [2, S, R]
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = np.array([prior, 1 - prior])[:, None, None] / counts.sum(axis=2, keepdims=True)  # [2, S, 1]
        mass = (weights * counts).sum(axis=0)  # [S, R]
        observed = weights[0] * counts[0] / mass
        predicted = (weights * predictions).sum(axis=0) / mass
    shown = [
        ReliabilityBin(
            start=_rounded(r / bins),
            end=_rounded((r + 1) / bins),
            predicted=_rounded(predicted[0, r]),
            observed=measured(observed[:, r]),
            genuine=round(counts[0, 0, r]),
            impostor=round(counts[1, 0, r]),
        )
        for r in range(bins)
        if mass[0, r] > 0
    ]
    filled = mass[0] > 0
    ece = float(np.sum(mass[0, filled] * np.abs(observed - predicted)[0, filled]))
    by_chance = float(np.nanmean(np.nansum(mass[1:] * np.abs(observed[1:] - observed[0]), axis=1)))
    return Reliability(tuple(shown), _rounded(ece), _rounded(by_chance))


def pick_thresholds(genuine: np.ndarray, impostor: np.ndarray, identity_pairs: int) -> np.ndarray:
    """Edges [T] for the DET points: by false-match rate down to one in `identity_pairs`, and where both errors are most alike."""
    false_match = np.cumsum(impostor) / impostor.sum()  # [B]
    wanted = [rate for rate in (*FALSE_MATCHES, *HIGH_FALSE_MATCHES) if rate >= 1 / identity_pairs]
    picked = [int(np.searchsorted(false_match, rate, side="right")) - 1 for rate in wanted]
    picked.append(equal_error(genuine, impostor))
    return EDGES[np.unique([edge for edge in picked if edge >= 0])]


def equal_error(genuine: np.ndarray, impostor: np.ndarray) -> int:
    """The edge at which the false-match and the false-non-match rate are most alike."""
    return int(np.argmin(np.abs(np.cumsum(impostor) / impostor.sum() + np.cumsum(genuine) / genuine.sum() - 1)))


def operating_points(sums: Sums, thresholds: np.ndarray) -> tuple[OperatingPoint, ...]:
    """Both errors at each threshold [T]."""
    accepted = _accepted(sums)
    return tuple(
        OperatingPoint(distance=_rounded(distance), false_match_rate=measured(accepted[1, :, t]), false_non_match_rate=measured(1 - accepted[0, :, t]))
        for t, distance in enumerate(thresholds)
    )


def _accepted(sums: Sums) -> np.ndarray:
    """Share of genuine and of impostor pairs within each threshold, [2, S, T]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums.everywhere[:, :, :-1] / sums.everywhere[:, :, -1:]


def measure(sums: Sums, found: Reliability, counts: PairCounts, thresholds: np.ndarray) -> Measures:
    """The measures in one number each."""
    totals = sums.inside[:, :, 2 : 2 + (sums.inside.shape[2] - 2) // 2].sum(axis=2)  # [2, S]: pairs within a fold
    with np.errstate(invalid="ignore", divide="ignore"):
        cllr = (sums.inside[0, :, 0] / totals[0] + sums.inside[1, :, 1] / totals[1]) / 2
    genuine, impostor = counts.all()
    at = int(np.flatnonzero(thresholds == EDGES[equal_error(genuine, impostor)])[0])
    accepted = _accepted(sums)[:, :, at]
    within = counts.impostor[np.arange(len(counts.genuine)), np.arange(len(counts.genuine))].sum(axis=0)
    least = least_cllr(genuine, within)
    eer = measured((accepted[1] + 1 - accepted[0]) / 2)
    return Measures(cllr=measured(cllr), cllr_min=_rounded(least), ece=found.ece, ece_by_chance=found.ece_by_chance, eer=eer)


def least_cllr(genuine: np.ndarray, impostor: np.ndarray) -> float:
    """Cllr of the best falling function of the distance for these very pairs [B], found by isotonic regression."""
    weights = np.stack([genuine / genuine.sum(), impostor / impostor.sum()])  # [2, B]
    used = weights.sum(axis=0) > 0
    weights = weights[:, used]
    mass = weights.sum(axis=0)
    share = isotonic_regression(weights[0] / mass, weights=mass, increasing=False).x
    with np.errstate(divide="ignore", invalid="ignore"):
        losses = np.where(weights[0] > 0, -weights[0] * np.log2(share), 0) + np.where(weights[1] > 0, -weights[1] * np.log2(1 - share), 0)
    return float(losses.sum() / 2)
