"""Settings of the companion systems. No part of them decides anything about QAFM."""

from qafm.config.base import Settings
from qafm.config.bpbreid import BpbreidConfig


class CompanionsConfig(Settings):
    """The `companions` section of a preset."""

    bpbreid: BpbreidConfig = BpbreidConfig()
