"""The `companions` section of a preset: systems beside QAFM, each trained and measured on the same images."""

from typing import Any

from qafm.config.base import Settings
from qafm.config.bpbreid import BpbreidConfig
from qafm.config.par import ParConfig
from qafm.config.slicenet import SlicenetConfig


class CompanionsConfig(Settings):
    """One section per companion. They are no part of target `all`; `make companions` makes them."""

    par: ParConfig = ParConfig()
    slicenet: SlicenetConfig = SlicenetConfig()
    bpbreid: BpbreidConfig = BpbreidConfig()

    def stages(self) -> dict[str, Any]:
        """Name of each folder below results/{d}/companions/ -> all that what lies in it depends on."""
        return {**self.par.stages(), "slicenet": self.slicenet}
