"""The fit: a falling polyline from distance to log likelihood ratio.

Balanced logistic regression (both kinds of pairs weigh the same) minimises Cllr, the proper scoring rule by which calibrations are judged. A straight
line (Platt) assumes Gaussian distances of one variance; distances of unit vectors are bounded and skewed, so the line may bend, and never rises. Isotonic
regression is monotone too, but it jumps, and gives the nearest pairs infinite evidence.

Shapes: B bins of the distance, K knots.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from qafm.tables.calibration import Polyline

SEGMENTS = 6  # of about equal mass, where both kinds of pairs are
LEAST_PAIRS = 10  # beyond the outer knots lie fewer pairs of both kinds; the line is level there
RIDGE = 1e-4  # on differences of neighbouring slopes: one line where data are few


def fit_polyline(distance: np.ndarray, genuine: np.ndarray, impostor: np.ndarray, limits: tuple[float, float]) -> Polyline:
    """Fit the log likelihood ratio.

    Args:
        distance: of the bins, ascending, float64 [B].
        genuine: pairs of one person in each bin, [B]; at least one in all.
        impostor: pairs of two people in each bin, [B]; at least one in all.
        limits: least and greatest log likelihood ratio that the number of people can bear out.
    """
    weights = 0.5 * genuine / genuine.sum(), 0.5 * impostor / impostor.sum()  # 2 x [B]
    knots = place_knots(distance, genuine, impostor)
    used = (genuine > 0) | (impostor > 0)
    basis = hats(distance[used], knots)  # [used B, K]
    values = _minimise(basis, weights[0][used], weights[1][used], knots, limits)
    return Polyline(distance=tuple(knots.tolist()), llr=tuple(np.round(np.clip(values, *limits), 6).tolist()))


def place_knots(distance: np.ndarray, genuine: np.ndarray, impostor: np.ndarray) -> np.ndarray:
    """Distances of the knots, ascending [K].

    Inner ones from the nearest impostor pairs to the farthest genuine ones, by quantiles of both kinds in balance; an outer one at either end of all pairs,
    so that the line goes on where only one kind is left, up to the limits.
    """
    ends = [_ends(distance, pairs) for pairs in (genuine, impostor)]  # nearest and farthest genuine, nearest and farthest impostor
    low, high = sorted((ends[1][0], ends[0][1]))
    mass = np.cumsum(genuine / genuine.sum() + impostor / impostor.sum())
    start, end = np.interp([low, high], distance, mass)
    inner = np.clip(np.interp(np.linspace(start, end, SEGMENTS + 1), mass, distance), low, high)
    return np.unique(np.round([min(ends[0][0], low), *inner, max(ends[1][1], high)], 6))


def _ends(distance: np.ndarray, pairs: np.ndarray) -> tuple[float, float]:
    """The distances below and above which fewer than LEAST_PAIRS of `pairs` [B] lie."""
    least = min(LEAST_PAIRS, pairs.sum())
    near, far = (int(np.searchsorted(np.cumsum(side), least)) for side in (pairs, pairs[::-1]))
    last = len(distance) - 1
    return float(distance[min(near, last)]), float(distance[max(last - far, 0)])


def hats(distance: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Weights [B, K] that make a polyline's value at `distance` [B] of its values at `knots` [K]."""
    return np.stack([np.interp(distance, knots, unit) for unit in np.eye(len(knots))], axis=1)


def _minimise(basis: np.ndarray, genuine: np.ndarray, impostor: np.ndarray, knots: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Values at the knots [K] of least balanced log loss; parameters are the first value and the drops to the next ones, which are not negative."""
    width = limits[1] - limits[0]
    widths = np.maximum(np.diff(knots), np.finfo(float).tiny) / max(knots[-1] - knots[0], np.finfo(float).tiny)
    drops = np.tril(np.ones((len(knots), len(knots))), -1)[:, :-1]  # [K, K - 1]
    design = np.concatenate([np.ones((len(basis), 1)), -basis @ drops], axis=1)  # [B, K]
    bend = np.diff(np.eye(len(knots) - 1), axis=0) / widths if len(knots) > 2 else np.zeros((0, len(knots) - 1))  # [K - 2, K - 1]

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        llr = design @ parameters
        bends = bend @ parameters[1:]
        value = genuine @ np.logaddexp(0, -llr) + impostor @ np.logaddexp(0, llr) + 0.5 * RIDGE * bends @ bends / width**2
        slope = design.T @ (impostor * expit(llr) - genuine * expit(-llr))
        slope[1:] += RIDGE * bend.T @ bends / width**2
        return float(value), slope

    start = np.concatenate([[0.0], np.full(len(knots) - 1, 1.0)])
    bounds = [limits, *[(0.0, width)] * (len(knots) - 1)]
    # The problem is convex and small; L-BFGS-B and TNC stop short of its minimum on some inputs (by up to 3e-3 and 1e-4), SLSQP on none that was tried.
    found = minimize(loss, start, jac=True, method="SLSQP", bounds=bounds, options={"maxiter": 1000, "ftol": 1e-12})
    return found.x[0] - drops @ found.x[1:]
