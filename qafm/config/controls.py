"""Settings of the control experiments on the synthetic data set: what cheap cues alone achieve."""

from pydantic import Field

from qafm.config.base import Settings


class ControlsConfig(Settings):
    """How the controls are measured. The histograms are joint ones over hue, saturation and value."""

    seed: int = Field(default=1, ge=0, description="of random rankings and random ties")
    repeats: int = Field(default=10, ge=1, description="random rankings and tie orders to average over")
    hue_bins: int = Field(default=16, ge=1, le=180, description="bins of a histogram along hue")
    saturation_bins: int = Field(default=4, ge=1, le=256, description="along saturation")
    value_bins: int = Field(default=4, ge=1, le=256, description="along value")
    stripes: int = Field(default=6, ge=1, le=32, description="horizontal stripes of hsv_histogram_stripes and _person, a histogram each")
    background_margin: int = Field(default=3, ge=0, description="pixels around the person that do not count as background: blur and JPEG spread colours")
