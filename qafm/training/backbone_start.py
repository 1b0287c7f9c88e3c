"""The first weights of a backbone: ImageNet, the extractor of stage 3, or random; never a silent fallback."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from qafm.config.backbone import BackboneConfig
from qafm.errors import InputError
from qafm.models.imagenet import load_imagenet
from qafm.models.resnet import ResNetTrunk, load_trunk
from qafm.models.weights import load_weights

EXTRACTOR_PREFIX = "trunk."


def start_backbone(trunk: ResNetTrunk, config: BackboneConfig, extractor: Path | None) -> None:
    """Give `trunk` the first weights the config names.

    Args:
        trunk: the backbone, changed in place; with random init it stays as built.
        config: names the architecture and the initialisation.
        extractor: weights of stage 3, needed for `init: extractor`.

    Raises:
        InputError: the weights are missing or belong to another architecture.
    """
    if config.init == "imagenet":
        load_imagenet(trunk, config.name)
    elif config.init == "extractor":
        if extractor is None:
            raise InputError("backbone.init: extractor needs the extractor's weights, and here there are none")
        tensors, provenance = load_weights(extractor)
        held = _held_architecture(provenance)
        if held != config.architecture:
            raise InputError(f"{extractor}: holds a {held}, the configured backbone is {config.architecture}; set backbone.init to random or imagenet")
        load_trunk(trunk, {name.removeprefix(EXTRACTOR_PREFIX): value for name, value in tensors.items() if name.startswith(EXTRACTOR_PREFIX)})


def _held_architecture(provenance: dict[str, Any]) -> str:
    """What the extractor's header says it is."""
    try:
        return BackboneConfig.model_validate(provenance["config"]["backbone"]).architecture
    except (KeyError, TypeError, ValidationError):
        return "network that its header does not describe"
