"""Settings of the figures. They never rerun anything but the figures (and, for another example, its activation maps)."""

from typing import Literal

from pydantic import Field, field_validator

from qafm.config.base import Settings

# An example is an image_id, or a raw pid: of its queries the rule picks one.
Example = str | int | None


class ExamplesConfig(Settings):
    """Which images stand for the rest. Without a choice a stated rule makes it, so that no picture is picked by hand."""

    identity: int | None = Field(default=None, description="pid of Figure 1; null: the query identity seen by most cameras, then with most images")
    success: Example = Field(
        default=None, description="image_id or pid of the query of Figure 9; null: the query of median AP among those with a right first rank"
    )
    failure: Example = Field(
        default=None, description="image_id or pid of the query of Figure 10; null: the query of median AP among those with a wrong first rank"
    )


class StyleConfig(Settings):
    """One look for all figures."""

    dpi: int = Field(default=160, ge=50, le=600, description="dots per inch of PNG files")
    width_in: float = Field(default=6.4, ge=2, le=20, description="width of a figure, inches")
    bins: int = Field(default=50, ge=5, le=500, description="bins of the histograms")
    formats: tuple[Literal["png", "svg", "pdf"], ...] = Field(default=("png", "svg"), min_length=1, description="png must be among them: the report shows it")

    @field_validator("formats")
    @classmethod
    def _png_is_there(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        if "png" not in formats or len(set(formats)) != len(formats):
            raise ValueError("must name png, and no format twice")
        return formats


class FiguresConfig(Settings):
    """Style and examples of all figures."""

    style: StyleConfig = StyleConfig()
    examples: ExamplesConfig = ExamplesConfig()
