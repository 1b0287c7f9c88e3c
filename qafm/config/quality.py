"""Settings of stage 4: the identifiability Q(I) (paper section III-C, Eq. 1)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from qafm.config.base import Settings


class QualityConfig(Settings):
    """How Q is computed, or where it is taken from."""

    source: Literal["compute", "published"] = Field(
        default="compute", description="published: values computed elsewhere, the authors' or your own, read from `published`"
    )
    published: str | None = Field(
        default=None, description="CSV with the columns file,q; file: image_id, or its last part alone; needed where source is published"
    )
    normalize: Literal["l2", "none"] = Field(default="l2", description="features that `q` is computed on; none: raw ones, Eq. 1 verbatim. Both are stored")
    mode: Literal["all_pairs", "reference"] = Field(
        default="all_pairs", description="all_pairs: Eq. 1, 595 distances; reference: the 34 distances original - perturbed (section V)"
    )

    @model_validator(mode="after")
    def _has_its_file(self) -> Self:
        if (self.source == "published") != (self.published is not None):
            raise ValueError("`published` names the file of `source: published`, and belongs to it alone")
        return self
