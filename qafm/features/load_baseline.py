"""The trained Bag-of-Tricks baseline: as extractor behind Q(I), or as a system of its own."""

from pathlib import Path

from qafm.config.backbone import BackboneConfig
from qafm.models.fold_batch_norms import fold_batch_norms
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weights import load_into, load_weights


def load_baseline(weights: Path, config: BackboneConfig) -> ReidBaseline:
    """The trained network in eval mode, batch norms folded.

    Raises:
        InputError: the weights cannot be read or do not fit the configured backbone.
    """
    tensors, _ = load_weights(weights)
    num_ids = len(tensors["neck.classifier.weight"]) if "neck.classifier.weight" in tensors else 0
    model = ReidBaseline(backbone=config, num_ids=num_ids)
    load_into(model, tensors, weights, "the configured backbone")
    return fold_batch_norms(model.eval())
