"""APN, the appearance network: MFPM, LTN, v_a, identity and stripe classifiers (paper section III-A, Eq. 7).

Shapes: N images, Da the length of v_a, h x w the map.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from qafm.config.backbone import Pooling
from qafm.config.branches import ApnConfig
from qafm.models.bnneck import BNNeck
from qafm.models.global_pool import GlobalPool
from qafm.models.lam import Ltn
from qafm.models.mfpm import Mfpm
from qafm.models.residual import Residual


class ApnOutput(NamedTuple):
    """What APN returns."""

    v_a: Tensor  # [N, Da], after the batch norm of the embedding, before the BNNeck
    logits: Tensor  # [N, ids]
    stripe_logits: list[Tensor]  # of [N, ids]: horizontal stripes from the top, then vertical ones from the left


class Apn(nn.Module):
    """Backbone map -> MFPM -> LTN -> global pooling -> Linear + BN = v_a -> BNNeck -> identities; a BNNeck with classifier for each stripe of the LTN's map.

    Args:
        config: widths, tiles and stripes.
        in_channels: channels of the backbone's map.
        num_ids: training identities.
        pooling: of the LTN's map to what v_a is made of; stripes are averaged.
    """

    def __init__(self, *, config: ApnConfig, in_channels: int, num_ids: int, pooling: Pooling = "mean") -> None:
        super().__init__()
        mfpm = Mfpm(
            in_channels=in_channels,
            channels=config.mfpm_channels,
            decoder_channels=config.decoder_channels,
            decoder_kernel=config.decoder_kernel,
            decoder_last_linear=config.decoder_last_linear,
        )
        self.mfpm = Residual(mfpm, in_channels=in_channels, out_channels=mfpm.out_channels) if config.residual else mfpm
        self.ltn = Ltn(in_channels=mfpm.out_channels, channels=config.lam_channels, grid=config.lam_grid, residual=config.residual)
        self.pool = GlobalPool(pooling)
        self.embed = nn.Sequential(nn.Linear(self.ltn.out_channels, config.embedding_dim), nn.BatchNorm1d(config.embedding_dim))
        self.neck = BNNeck(dim=config.embedding_dim, classes=num_ids)
        self.horizontal = nn.ModuleList([BNNeck(dim=self.ltn.out_channels, classes=num_ids) for _ in range(config.horizontal_stripes)])
        self.vertical = nn.ModuleList([BNNeck(dim=self.ltn.out_channels, classes=num_ids) for _ in range(config.vertical_stripes)])

    def forward(self, x: Tensor) -> ApnOutput:
        """Return v_a and all identity logits of the backbone's map x [N, in_channels, h, w]."""
        local = self.ltn(self.mfpm(x))  # [N, 512, h, w]
        v_a = self.embed(self.pool(local))  # [N, Da]
        stripes = _stripe_logits(local, self.horizontal, 2) + _stripe_logits(local, self.vertical, 3)
        return ApnOutput(v_a, self.neck(v_a).logits, stripes)

    def descriptor(self, v_a: Tensor) -> Tensor:
        """Return the descriptor of APN alone: v_a [N, Da] after the BNNeck, L2-normalised."""
        return F.normalize(self.neck.norm(v_a), dim=1)


def _stripe_logits(local: Tensor, necks: nn.ModuleList, dim: int) -> list[Tensor]:
    """Cut the map along `dim` into as many stripes as there are classifiers (fewer where it is too small) and classify their means."""
    if not len(necks):
        return []
    stripes = local.tensor_split(min(len(necks), local.shape[dim]), dim=dim)
    return [neck(stripe.mean(dim=(2, 3))).logits for neck, stripe in zip(necks, stripes, strict=False)]
