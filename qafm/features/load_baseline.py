"""The trained Bag-of-Tricks baseline: as extractor behind Q(I), or as a system of its own."""

from pathlib import Path

from qafm.config.backbone import BackboneConfig
from qafm.models.reid_baseline import ReidBaseline
from qafm.runtime.errors import InputError
from qafm.training.weights import load_weights


def load_baseline(weights: Path, config: BackboneConfig) -> ReidBaseline:
    """The trained network in eval mode.

    Raises:
        InputError: the weights cannot be read or do not fit the configured backbone.
    """
    tensors, _ = load_weights(weights)
    num_ids = len(tensors["neck.classifier.weight"]) if "neck.classifier.weight" in tensors else 0
    model = ReidBaseline(backbone=config, num_ids=num_ids)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise InputError(f"{weights}: does not fit the configured backbone ({str(error).splitlines()[-1].strip()})") from error
    return model.eval()
