"""Settings of the calibration: from the distance of two images to the probability that they show one person."""

from pydantic import Field, model_validator

from qafm.config.base import Settings


class CalibrationConfig(Settings):
    """Rule calibrate_match."""

    prior: float = Field(default=0.5, gt=0, lt=1, description="probability that two images show one person before they are compared; `qafm match` states it")
    folds: int = Field(default=5, ge=2, description="parts of the test identities for cross-fitting: the reliability of pairs is measured by fits without them")
    bins: int = Field(default=10, ge=2, description="bins of predicted probability of the reliability diagram and of ECE")
    identities: int = Field(default=20, ge=4, description="test identities seen by two cameras that it takes; with fewer no probability is offered")
    samples: int = Field(default=1000, ge=1, description="draws of identities for the 95 percent intervals")
    seed: int = Field(default=1, ge=0, description="seed of folds and draws")

    @model_validator(mode="after")
    def _folds_hold_two_identities(self) -> "CalibrationConfig":
        if self.identities < 2 * self.folds:
            raise ValueError("identities: at least two per fold")
        return self
