"""QAFM: both branches and the head that fuses v_a and v_s by the visual weight w (paper section III-D, Eq. 3).

Shapes: N images, Da and Ds the lengths of v_a and v_s, D that of the fused vector.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.fusion import HeadConfig
from qafm.models.apan import Apan, ApanOutput
from qafm.models.apn import Apn, ApnOutput
from qafm.models.bnneck import BNNeck
from qafm.models.resnet import build_resnet
from qafm.models.weight_mlp import WeightMlp


class FusionOutput(NamedTuple):
    """What the fusion head returns."""

    fused: Tensor  # [N, D], what the triplet loss sees
    logits: Tensor  # [N, ids]
    descriptor: Tensor  # [N, D], L2-normalised in eval mode only


class FusionHead(nn.Module):
    """V = [w v_a, (1-w) v_s] -> FC -> BNNeck -> classifier, v_a and v_s L2-normalised first (`normalize`).

    `activation: none`: FC without bias, orthogonal start; the descriptor is the BNNeck's output.
    `activation: relu`: FC + BN + ReLU; the descriptor is taken before the BNNeck, as in the original code.

    Args:
        config: length, activation and normalisation.
        visual_dim: Da.
        attribute_dim: Ds.
        num_ids: training identities.
    """

    def __init__(self, *, config: HeadConfig, visual_dim: int, attribute_dim: int, num_ids: int) -> None:
        super().__init__()
        self.normalize = config.normalize
        relu = config.activation == "relu"
        self.fc = nn.Linear(visual_dim + attribute_dim, config.dim, bias=relu)
        if not relu:
            nn.init.orthogonal_(self.fc.weight)
        self.fc_norm = nn.BatchNorm1d(config.dim) if relu else None
        self.neck = BNNeck(dim=config.dim, classes=num_ids)

    def forward(self, v_a: Tensor, v_s: Tensor, w: Tensor) -> FusionOutput:
        """Fuse.

        Args:
            v_a: [N, Da].
            v_s: [N, Ds].
            w: [N], weight of v_a in [0, 1].

        Raises:
            ValueError: w is not one number per image.
        """
        if w.shape != v_a.shape[:1]:
            raise ValueError(f"one visual weight per image: {list(v_a.shape[:1])} expected, {list(w.shape)} given")
        if self.normalize:
            v_a, v_s = F.normalize(v_a, dim=1), F.normalize(v_s, dim=1)
        fused = self.fc(torch.cat([w[:, None] * v_a, (1 - w)[:, None] * v_s], dim=1))  # [N, Da + Ds] -> [N, D]
        if self.fc_norm is not None:
            fused = torch.relu(self.fc_norm(fused))
        normalized, logits = self.neck(fused)
        descriptor = normalized if self.fc_norm is None else fused
        return FusionOutput(fused, logits, descriptor if self.training else F.normalize(descriptor, dim=1))

    @torch.no_grad()
    def export(self) -> dict[str, Tensor]:
        """Return what follows the weighted concatenation V in eval mode, as plain arrays on the CPU.

        Returns:
            fc_weight [D, Da + Ds], fc_scale [D], fc_shift [D]: before its L2 normalisation the descriptor is
            fc_scale * (fc_weight V) + fc_shift, with a ReLU on it if `activation` is relu.
        """
        norm = self.neck.norm if self.fc_norm is None else self.fc_norm
        assert norm.running_mean is not None and norm.running_var is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        before = norm.running_mean if self.fc.bias is None else norm.running_mean - self.fc.bias
        arrays = {"fc_weight": self.fc.weight, "fc_scale": scale, "fc_shift": norm.bias - before * scale}
        return {name: array.detach().cpu().clone() for name, array in arrays.items()}


class Qafm(nn.Module):
    """Two backbones (APN's ends at layer3, APAN's at layer4), two branches, the fusion head, and the MLP behind w.

    Args:
        backbone: of both branches; the weights are random.
        apn: the visual branch.
        apan: the attribute branch.
        head: the fusion head.
        num_ids: training identities.
        weight_mlp: None where the visual weight is fixed.
    """

    def __init__(
        self, *, backbone: BackboneConfig, apn: ApnConfig, apan: ApanConfig, head: HeadConfig, num_ids: int, weight_mlp: WeightMlp | None = None
    ) -> None:
        super().__init__()
        self.backbone_apn = build_resnet(backbone.name, last_stride=backbone.last_stride, layers="layer3")
        self.backbone_apan = build_resnet(backbone.name, last_stride=backbone.last_stride, layers="layer4")
        self.apn = Apn(config=apn, in_channels=self.backbone_apn.out_channels, num_ids=num_ids)
        self.apan = Apan(config=apan, in_channels=self.backbone_apan.out_channels, num_ids=num_ids)
        self.head = FusionHead(config=head, visual_dim=apn.embedding_dim, attribute_dim=apan.embedding_dim, num_ids=num_ids)
        self.weight_mlp = weight_mlp

    def visual(self, images: Tensor) -> ApnOutput:
        """Run APN on images [N, 3, H, W]."""
        return self.apn(self.backbone_apn(images))

    def attributes(self, images: Tensor) -> ApanOutput:
        """Run APAN on images [N, 3, H, W]."""
        return self.apan(self.backbone_apan(images))

    def forward(self, images: Tensor, w: Tensor) -> FusionOutput:
        """Run both branches on images [N, 3, H, W] and fuse them by the visual weights w [N]; every gradient reaches everything."""
        return self.head(self.visual(images).v_a, self.attributes(images).v_s, w)
