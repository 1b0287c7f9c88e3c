"""The `quality` section of a preset: the settings of Q, and what its table sets beside them."""

from pydantic import Field

from qafm.config.quality import QualityConfig


class QualitySection(QualityConfig):
    """Rules score_quality, describe_quality and measure_guides."""

    compare: str | None = Field(
        default=None,
        description="CSV with the columns file,q, for example the authors' values: beside Q in quality.csv, a guide of the weight in guides.csv",
    )

    def score_slice(self) -> QualityConfig:
        """The slice of rule score_quality: what Q depends on."""
        return QualityConfig.model_validate(self.model_dump(exclude={"compare"}))
