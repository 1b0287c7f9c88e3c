"""What Q(I) of an image that no run has seen is computed by."""

from qafm.config.backbone import BackboneConfig
from qafm.config.base import Settings
from qafm.config.perturb import PerturbConfig
from qafm.config.quality import QualityConfig


class QNetwork(Settings):
    """Its variants, a forward pass of the extractor each, their distances."""

    extractor: BackboneConfig
    perturb: PerturbConfig
    quality: QualityConfig
