"""The first weights of BPBReID's backbone."""

from pathlib import Path

from qafm.companions.bpbreid.backbones import HrnetTrunk, PartBackbone
from qafm.config.bpbreid import PartBackboneConfig
from qafm.errors import InputError
from qafm.models.resnet import ResNetTrunk
from qafm.training.backbone_start import start_backbone


def start_weights(backbone: PartBackbone, config: PartBackboneConfig, extractor: Path | None) -> None:
    """Give `backbone` the first weights that the configuration names; `extractor` are those of stage 3, for `init: extractor`.

    Raises:
        InputError: they cannot be had.
    """
    if isinstance(backbone, ResNetTrunk):
        start_backbone(backbone, config.resnet(), extractor)
    elif config.init == "imagenet":
        try:
            backbone.load_state_dict(HrnetTrunk(imagenet=True).state_dict())
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"imagenet weights of hrnet_w32: timm cannot load them ({reason}); set backbone.init to random") from error
