"""Settings of the companion systems: what QAFM is compared with. They are no part of `rule all`."""

from qafm.config.base import Settings
from qafm.config.slicenet import SlicenetConfig


class CompanionsConfig(Settings):
    """One section per companion."""

    slicenet: SlicenetConfig = SlicenetConfig()
