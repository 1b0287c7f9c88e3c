"""Settings of stage 2: the 34 perturbations of each image (paper section III-C; the defaults are the paper's)."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from qafm.config.base import Settings

MAX_VARIANTS = 126  # features/{shard}.parquet numbers them in 8 bits, the original is 0
NOISE_LEVELS = ("gaussian_sigma", "salt_pepper", "speckle")


class PerturbConfig(Settings):
    """What is done to each image. The defaults give 4 + 3 + 16 + 8 + 3 = 34 variants; an empty list or a null leaves its variants out."""

    light_offsets: tuple[Annotated[int, Field(ge=-255, le=255)], ...] = Field(default=(-90, -45, 45, 90), description="added to V of HSV, V in 0..255")
    blur_sigmas_px: tuple[Annotated[float, Field(gt=0, le=50)], ...] = Field(
        default=(1.0, 1.5, 1.85), description="sigma of the Gaussian in pixels of the native size"
    )
    occlusion_sizes: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        default=(0.05, 0.10, 0.15, 0.20), description="thickness of the black bar as a share of the height (top, bottom) or the width (left, right)"
    )
    inset: float = Field(
        default=0.0, ge=0, lt=0.25, description="free margin around the bars as a share of height and width; 0: they touch the border; 0.05: the original code"
    )
    background_scales: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(1.2, 1.0), description="axes of the centred ellipse that is kept, as a share of width and height"
    )
    background_colors: tuple[Literal["R", "B", "Y", "G"], ...] = Field(default=("R", "B", "Y", "G"), description="what fills the outside of the ellipse")
    gaussian_sigma: float | None = Field(default=25.0, gt=0, le=255, description="sd of additive Gaussian noise on 0..255")
    salt_pepper: float | None = Field(default=0.02, gt=0, le=1, description="share of pixels set to white or black, half of them each")
    speckle: float | None = Field(default=0.1, gt=0, le=10, description="sd of multiplicative Gaussian noise: x (1 + speckle n)")
    seed: int = Field(default=0, ge=0, description="seed of the noise, which depends on the image and the variant only")

    @field_validator("light_offsets", "blur_sigmas_px", "occlusion_sizes", "background_scales", "background_colors")
    @classmethod
    def _distinct(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """A value given twice would be two equal variants, whose distance 0 lowers Q."""
        if len(set(values)) < len(values):
            raise ValueError(f"{list(values)} holds a value twice")
        if 0 in values:
            raise ValueError(f"{list(values)} holds 0, which changes nothing")
        return values

    @model_validator(mode="after")
    def _countable(self) -> Self:
        if not 1 <= self.variants <= MAX_VARIANTS:
            raise ValueError(f"{self.variants} variants, expected 1 to {MAX_VARIANTS}")
        return self

    @property
    def variants(self) -> int:
        """Number of variants beside the original."""
        bars, backgrounds = 4 * len(self.occlusion_sizes), len(self.background_scales) * len(self.background_colors)
        noises = sum(getattr(self, name) is not None for name in NOISE_LEVELS)
        return len(self.light_offsets) + len(self.blur_sigmas_px) + bars + backgrounds + noises
