"""Use of a calibration: from the distance of two images to the probability that they show one person, and to the false-match rate of that distance.

Shapes: N distances.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qafm.errors import InputError
from qafm.tables.calibration import CalibrationFile, read_calibration_file


class MatchOdds(NamedTuple):
    """What a distance says."""

    probability: float  # that both images show one person, at `prior`
    false_match_rate: float  # share of pairs of different people that are as near or nearer
    prior: float  # probability before the images were compared


@dataclass(frozen=True)
class Calibration:
    """A fitted calibration.

    Args:
        knots: distances between which the log likelihood ratio is straight, ascending, float64 [K].
        llr: log likelihood ratio at the knots, natural logarithm, descending, float64 [K].
        table_distance: distances of the false-match table, ascending, float64 [T].
        table_pairs: pairs of different people at most so far apart, cumulative, int64 [T].
        identity_pairs: pairs of two different people behind that table.
        prior: the prior that holds where none is given.
        set: which pairs it was fitted on, in words.
    """

    knots: np.ndarray
    llr: np.ndarray
    table_distance: np.ndarray
    table_pairs: np.ndarray
    identity_pairs: int
    prior: float
    set: str

    def at(self, distance: float, prior: float | None = None) -> MatchOdds:
        """What one distance says.

        Args:
            distance: Euclidean distance of two unit descriptors, 0..2.
            prior: probability, in (0, 1), that two images show one person before they are compared; None: the calibration's own.

        Raises:
            InputError: a distance that is none, or a prior outside (0, 1).
        """
        used = self.prior if prior is None else prior
        distances = np.array([distance], np.float64)
        return MatchOdds(float(self.probability(distances, used)[0]), float(self.false_match_rate(distances)[0]), used)

    def log_likelihood_ratio(self, distances: np.ndarray) -> np.ndarray:
        """Natural logarithm of how much likelier each of `distances` [N] is for one person than for two: float64 [N], falling with the distance.

        Nearer than the first knot and farther than the last it stays level: there are too few pairs to say more.

        Raises:
            InputError: a distance that is not in 0..2.
        """
        return np.interp(_checked(distances), self.knots, self.llr)

    def probability(self, distances: np.ndarray, prior: float | None = None) -> np.ndarray:
        """Bayes: probability [N] that the images at `distances` [N] show one person; `prior` as in `at`.

        Raises:
            InputError: as `at`.
        """
        used = self.prior if prior is None else prior
        if not 0 < used < 1:
            raise InputError(f"prior: {used} does not lie between 0 and 1")
        return 1 / (1 + np.exp(-(self.log_likelihood_ratio(distances) + math.log(used / (1 - used)))))

    def false_match_rate(self, distances: np.ndarray) -> np.ndarray:
        """Share [N] of the pairs of different people that are as near as `distances` [N] or nearer.

        Never below one in `identity_pairs`: pairs of the same two people are no independent evidence. A distance is taken at the next farther line of the
        table, 0.001 apart, so that rounding never makes a match look safer.

        Raises:
            InputError: a distance that is not in 0..2.
        """
        row = np.minimum(np.searchsorted(self.table_distance, _checked(distances)), len(self.table_distance) - 1)
        return np.maximum(self.table_pairs[row] / self.table_pairs[-1], 1 / self.identity_pairs)


def _checked(distances: np.ndarray) -> np.ndarray:
    values = np.asarray(distances, np.float64)
    wrong = ~((values >= 0) & (values <= 2 + 1e-6))  # of rounded unit vectors
    if wrong.any():
        raise InputError(f"distance: {values[wrong][0]} is not in 0..2, as of unit descriptors")
    return values


def read_calibration(path: Path) -> Calibration | None:
    """Read calibration.json; None where it holds no model, because the run had no cameras or too few test identities.

    Raises:
        InputError: there is no such file, or it is none.
    """
    return calibration_of(read_calibration_file(path))


def calibration_of(content: CalibrationFile) -> Calibration | None:
    """What can be used of a calibration file; None where it holds no model."""
    if content.model is None or content.false_matches is None:
        return None
    return Calibration(
        knots=np.array(content.model.distance),
        llr=np.array(content.model.llr),
        table_distance=np.array(content.false_matches.distance),
        table_pairs=np.array(content.false_matches.pairs, np.int64),
        identity_pairs=content.identity_pairs,
        prior=content.prior,
        set=content.set,
    )
