"""Settings of the figures. They never rerun anything but the figures."""

from typing import Literal

from pydantic import Field

from qafm.config.base import Settings


class FiguresConfig(Settings):
    """One style for all figures."""

    dpi: int = Field(default=160, ge=50, le=600, description="dots per inch of PNG files")
    width_in: float = Field(default=6.4, gt=1, le=20, description="width of a figure, inches")
    bins: int = Field(default=50, ge=5, le=500, description="bins of the histograms")
    formats: tuple[Literal["png", "svg", "pdf"], ...] = Field(default=("png", "svg"), min_length=1)
