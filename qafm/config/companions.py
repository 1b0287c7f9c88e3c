"""The `companions` section of a preset: systems beside QAFM, each trained and measured on the same images."""

from typing import Any

from pydantic import model_validator

from qafm.config.base import Settings
from qafm.config.bpbreid import BpbreidConfig
from qafm.config.comparison import ComparisonConfig
from qafm.config.par import ParConfig
from qafm.config.slicenet import SlicenetConfig


class CompanionsConfig(Settings):
    """One section per companion. They are no part of target `all`; `make companions` makes them."""

    par: ParConfig = ParConfig()
    slicenet: SlicenetConfig = SlicenetConfig()
    bpbreid: BpbreidConfig = BpbreidConfig()
    comparison: ComparisonConfig = ComparisonConfig()

    @model_validator(mode="after")
    def _compared_rows_are_trained(self) -> "CompanionsConfig":
        for name in self.comparison.slicenet:
            if not self.slicenet.system(name).seeds:
                raise ValueError(f"comparison.slicenet: slicenet.systems.{name} has no seeds, so nothing is trained that could be compared")
        return self

    def common_parts(self) -> list[Any]:
        """All settings of the companions that their trainings under the common recipe depend on."""
        siamese, slicenet, bpbreid = self.par.siamese, self.slicenet, self.bpbreid
        of_parts = [bpbreid.parts, bpbreid.mask_folder, bpbreid.loss, bpbreid.training.loss]
        return [siamese.dim, siamese.margin, siamese.clusters, slicenet.slices, slicenet.dropout, *of_parts]
