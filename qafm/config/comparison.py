"""The section `companions.comparison`: all systems side by side."""

from typing import Literal

from pydantic import Field, field_validator

from qafm.config.base import RunName, Settings
from qafm.config.slicenet import System

RecipeName = Literal["own", "common"]


class ComparisonConfig(Settings):
    """Rules of companion c4. The common recipe is the baseline's: `model.backbone` and `model.baseline.training`."""

    name: RunName = Field(
        default="common",
        description="results/{d}/{f}/{m}/{name}, the trainings under the common recipe; presets on one model whose companions differ must differ in this name",
    )
    recipes: tuple[RecipeName, ...] = Field(
        default=("own", "common"),
        min_length=1,
        description="own: each system as its section says; common: input size, backbone, first weights, batches, augmentation, optimiser and epochs of the "
        "Bag-of-Tricks baseline for all, so that architecture and loss alone differ; QAFM and its branches keep their stages and their epochs",
    )
    slicenet: tuple[System, ...] = Field(
        default=("baseline_aug", "slicenet1", "slicenet2"),
        min_length=1,
        description="rows of slicenet.systems that are compared; in the common recipe their networks",
    )
    batch: int = Field(default=32, ge=2, description="images at a time when inference is measured, beside one at a time")
    repeats: int = Field(
        default=20, ge=3, description="measurements of an inference time, whose median counts; fewer, but at least 3, where they take over 30 s"
    )

    @field_validator("recipes", "slicenet")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) != len(names):
            raise ValueError("names one twice")
        return names
