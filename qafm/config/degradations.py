"""Settings of the degradation study: the same queries, harder to identify by a known amount (paper section I, hypothesis 1)."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from qafm.config.base import Settings

Kind = Literal["blur", "low_resolution", "darkness", "colour_cast", "noise", "occlusion"]
Level = Annotated[float, Field(gt=0, le=1)]


class DegradationsConfig(Settings):
    """Rules embed_degraded, measure_degraded and tabulate_degradations."""

    queries: int = Field(default=150, ge=1, description="queries drawn; all where there are fewer")
    kinds: tuple[Kind, ...] = Field(
        default=("blur", "low_resolution", "darkness", "noise", "occlusion"), min_length=1, description="ways to make a query worse"
    )
    levels: tuple[Level, ...] = Field(default=(0.4, 0.8), min_length=1, description="strengths from 0 (nothing) to 1 (worst)")
    seed: int = Field(default=1, ge=0, description="decides the queries, the noise and where the occluder stands")

    @field_validator("kinds", "levels")
    @classmethod
    def _once(cls, values: tuple[str | float, ...]) -> tuple[str | float, ...]:
        if len(set(values)) != len(values):
            raise ValueError("must not repeat a value")
        return values
