"""What the MLP learns from, measured anew in every epoch: plain identity losses of both branches on images as Q saw them."""

import numpy as np
import torch

from qafm.config.runtime import RuntimeConfig
from qafm.features.branch_vectors import branch_vectors
from qafm.images.forward import IMAGES_PER_BATCH, forward_batches
from qafm.images.image_set import ImageSet
from qafm.losses.alpha import fit_scale, prototype_loss, ratio_target
from qafm.models.qafm import Qafm
from qafm.training.fusion_losses import AlphaTable


def holdout_table(model: Qafm, images: ImageSet, q: torch.Tensor, device: torch.device, runtime: RuntimeConfig) -> AlphaTable:
    """Losses on held-out identities, which no classifier knows: cross-entropy against prototypes, each branch at its own best scale.

    Args:
        model: put into eval mode.
        images: the held-out identities [N]; an image's own camera is left out of its identity's prototype, unless all cameras are unknown.
        q: their Q, [N].
        device: where the model is.
        runtime: precision.

    Returns:
        The table of the images whose identity has another image.
    """
    pids = torch.from_numpy(images.pids).to(device)
    camids = torch.from_numpy(images.camids).to(device)
    losses = [prototype_loss(v, pids, camids, fit_scale(v, pids, camids)) for v in branch_vectors(model, images.pixels, device, runtime)]
    usable = torch.isfinite(losses[0]) & torch.isfinite(losses[1])
    return AlphaTable(q[usable], losses[0][usable], losses[1][usable])


def train_table(model: Qafm, images: ImageSet, q: torch.Tensor, device: torch.device, runtime: RuntimeConfig) -> AlphaTable:
    """Losses on the train identities themselves, by each branch's own classifier, unsmoothed and in eval mode.

    Args:
        model: put into eval mode; APAN needs its identity head.
        images: the train images [N].
        q: their Q, [N].
        device: where the model is.
        runtime: precision.
    """
    model.eval()

    def logits(batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return model.visual(batch).logits.float(), model.attribute(batch).logits.float()

    l_apn, l_apan = [], []
    for found, labels in zip(forward_batches(logits, images.pixels, device, runtime), images.labels.to(device).split(IMAGES_PER_BATCH), strict=True):
        for losses, values in zip((l_apn, l_apan), found, strict=True):
            losses.append(torch.nn.functional.cross_entropy(values, labels, reduction="none"))
    return AlphaTable(q, torch.cat(l_apn), torch.cat(l_apan))


@torch.no_grad()
def describe_table(model: Qafm, table: AlphaTable) -> dict[str, float]:
    """Mean and sd of target and weight and their correlation with Q: shows in every epoch whether the weight has collapsed."""
    assert model.weight_mlp is not None
    target = ratio_target(table.l_apn, table.l_apan).cpu().numpy()
    weight = model.weight_mlp.weight(table.q).cpu().numpy()
    q = table.q.cpu().numpy()
    return {
        "target_mean": float(target.mean()),
        "target_sd": float(target.std()),
        "target_q_r": _correlation(q, target),
        "weight_mean": float(weight.mean()),
        "weight_sd": float(weight.std()),
        "weight_q_r": _correlation(q, weight),
    }


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's r; 0 where one side is constant up to rounding."""
    if len(x) < 2 or min(np.ptp(x), np.ptp(y)) < 1e-6:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])
