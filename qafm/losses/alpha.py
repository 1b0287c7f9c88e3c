"""What teaches the visual weight w: the ratio of both branches' identity losses (paper Eq. 2, Eq. 6).

Inside, w weighs APN; the paper's alpha in Eq. 2 and Eq. 6 weighs APAN and is 1 - w.

Shapes: N images, D dimensions, P identities among them.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from qafm.errors import InputError

EPS = 1e-8
SCALES = tuple(2 ** (k / 2) for k in range(15))  # 1 to 128


def ratio_target(l_apn: Tensor, l_apan: Tensor) -> Tensor:
    """Return the target of w, L_apan / (L_apn + L_apan): the branch with the lower loss gets more weight (Eq. 2, told for w).

    Args:
        l_apn: [N], >= 0, identity loss of APN per image.
        l_apan: [N], >= 0, of APAN.

    Returns:
        [N] in [0, 1], detached; 0.5 where both losses are 0.
    """
    l_apn, l_apan = l_apn.detach(), l_apan.detach()
    return (l_apan + EPS) / (l_apn + l_apan + 2 * EPS)


def ratio_bce(logit: Tensor, target: Tensor) -> Tensor:
    """Return the mean binary cross-entropy between sigmoid(logit) [N] and the soft target [N]; least where both agree."""
    return F.binary_cross_entropy_with_logits(logit.float(), target.detach().float())


def expected_loss(w: Tensor, l_apn: Tensor, l_apan: Tensor) -> Tensor:
    """Return mean(w L_apn + (1 - w) L_apan) (Eq. 6). It is linear in w and so drives w to 0 or 1.

    Args:
        w: [N], visual weight.
        l_apn: [N], detached here: the MLP's loss never teaches a branch.
        l_apan: [N], likewise.
    """
    return (w * l_apn.detach() + (1 - w) * l_apan.detach()).mean()


def prototype_loss(features: Tensor, pids: Tensor, camids: Tensor | None, scale: float) -> Tensor:
    """Return the identity cross-entropy of each image for identities that no classifier knows.

    A softmax over `scale` times the cosine similarity to each identity's prototype, the mean of its L2-normalised features. The
    prototype of an image's own identity leaves out the image itself and, with camids, all images of its camera, as retrieval does;
    where the identity has no other camera, only the image itself.

    Args:
        features: [N, D].
        pids: [N].
        camids: [N], or None: cameras do not matter.
        scale: > 0, see `fit_scale`.

    Returns:
        [N]; NaN where the identity has no other image.
    """
    similarities, identity, alone = _prototype_similarities(features, pids, camids)
    losses = F.cross_entropy(scale * similarities, identity, reduction="none")  # [N]
    return losses.masked_fill(alone, torch.nan).to(features.dtype)


def fit_scale(features: Tensor, pids: Tensor, camids: Tensor | None, scales: Sequence[float] = SCALES) -> float:
    """Return the scale that makes the mean of `prototype_loss` over the images least, so that two branches' losses can be compared.

    Args:
        features: [N, D].
        pids: [N].
        camids: [N] or None.
        scales: the candidates, all > 0.

    Raises:
        InputError: no identity has two images.
    """
    similarities, identity, alone = _prototype_similarities(features, pids, camids)
    if bool(alone.all()):
        raise InputError("held-out identities: none has two images, so that no identity loss can be computed")
    means = [float(F.cross_entropy(scale * similarities[~alone], identity[~alone])) for scale in scales]
    return float(scales[means.index(min(means))])


def _prototype_similarities(features: Tensor, pids: Tensor, camids: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return cosines to the prototypes [N, P] in float64, the own identity's column [N], and whether it has no other image [N]."""
    unit = F.normalize(features.double(), dim=1)  # [N, D]
    _, identity, counts = torch.unique(pids, return_inverse=True, return_counts=True)
    sums = _group_sums(unit, identity, len(counts))  # [P, D]
    others = sums[identity] - unit  # [N, D]
    if camids is not None:
        others = _other_cameras(unit, identity, camids, sums, others)
    own = (unit * F.normalize(others, dim=1)).sum(dim=1)  # [N]
    similarities = (unit @ F.normalize(sums, dim=1).T).scatter(1, identity[:, None], own[:, None])  # [N, P]
    return similarities, identity, counts[identity] == 1


def _other_cameras(unit: Tensor, identity: Tensor, camids: Tensor, sums: Tensor, others: Tensor) -> Tensor:
    """Return the sum of the identity's images of other cameras [N, D], or `others` where there are none."""
    _, group = torch.unique(torch.stack([identity, camids.to(identity)], dim=1), dim=0, return_inverse=True)  # [N]
    same_camera = _group_sums(unit, group, int(group.max()) + 1)[group]  # [N, D]
    one_camera = torch.bincount(group)[group] == torch.bincount(identity)[identity]  # [N]
    return torch.where(one_camera[:, None], others, sums[identity] - same_camera)


def _group_sums(rows: Tensor, group: Tensor, groups: int) -> Tensor:
    """Sum rows [N, D] by group [N] -> [groups, D]."""
    return rows.new_zeros(groups, rows.shape[1]).index_add(0, group, rows)
