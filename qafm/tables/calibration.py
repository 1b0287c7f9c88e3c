"""calibration.json: how distances of one model become probabilities, and how well that was measured to hold. Distances are Euclidean, of unit descriptors."""

from itertools import pairwise
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from qafm.config.base import Settings, first_problem
from qafm.errors import InputError

FORMAT = 1


class Measured(Settings):
    """A measured number and its 95 percent interval over identities."""

    value: float
    low: float
    high: float


class Polyline(Settings):
    """The log likelihood ratio over the distance: straight between the knots, level before the first and after the last."""

    distance: tuple[float, ...] = Field(min_length=1)  # ascending
    llr: tuple[float, ...]  # natural logarithm, descending


class FalseMatches(Settings):
    """How many pairs of different people are at most so far apart."""

    distance: tuple[float, ...] = Field(min_length=1)  # ascending
    pairs: tuple[int, ...]  # cumulative, ascending; the last one is all of them


class OperatingPoint(Settings):
    """Both errors when every pair up to `distance` is called one person."""

    distance: float
    false_match_rate: Measured
    false_non_match_rate: Measured


class ReliabilityBin(Settings):
    """Pairs whose predicted probability, from a fit without them, lies in (start, end]; predicted and observed at the file's prior."""

    start: float
    end: float
    predicted: float  # mean
    observed: Measured  # share of pairs of one person
    genuine: int
    impostor: int


class Measures(Settings):
    """How well the distance separates (EER, least Cllr) and how well the probability is calibrated (Cllr, ECE); natural units, not percent."""

    cllr: Measured
    cllr_min: float  # what the distance allows at best: of the monotone function that fits these very pairs
    ece: float  # expected calibration error: mean distance between predicted and observed over the bins
    ece_by_chance: float  # what a perfect calibration would show, measured on so few people
    eer: Measured


class CalibrationFile(Settings):
    """The whole file; without `model` it says in `reason` why there is none."""

    format: Literal[1]
    set: str  # which pairs, in words
    reason: str | None
    prior: float = Field(gt=0, lt=1)
    identities: int
    images: int
    cameras: int
    genuine_pairs: int
    impostor_pairs: int
    identity_pairs: int  # pairs of two people behind the impostor pairs
    model: Polyline | None = None
    false_matches: FalseMatches | None = None
    measures: Measures | None = None
    reliability: tuple[ReliabilityBin, ...] = ()
    det: tuple[OperatingPoint, ...] = ()

    @model_validator(mode="after")
    def _belongs_together(self) -> "CalibrationFile":
        if (self.model is None) == (self.reason is None):
            raise ValueError("either a model or the reason why there is none")
        if self.model is not None and (self.false_matches is None or self.measures is None):
            raise ValueError("a model without false matches or measures")
        if self.model is not None and not (_ascending(self.model.distance) and _ascending([-value for value in self.model.llr])):
            raise ValueError("the log likelihood ratio does not fall with the distance")
        if self.false_matches is not None and not (_ascending(self.false_matches.distance) and _ascending(self.false_matches.pairs)):
            raise ValueError("the false matches do not rise with the distance")
        columns = [(part.distance, part.llr) for part in (self.model,) if part] + [(part.distance, part.pairs) for part in (self.false_matches,) if part]
        if any(len(left) != len(right) for left, right in columns):
            raise ValueError("columns differ in length")
        return self


def _ascending(values: tuple[float, ...] | list[float]) -> bool:
    return all(left <= right for left, right in pairwise(values))


def read_calibration_file(path: Path) -> CalibrationFile:
    """Read calibration.json.

    Raises:
        InputError: there is no such file, or it is none.
    """
    try:
        return CalibrationFile.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    except ValidationError as error:
        raise InputError(f"{path}: is no calibration ({first_problem(error)})") from None
