"""The head that fuses v_a and v_s by the visual weight w (paper section III-D, Eq. 3).

Shapes: N images, Da and Ds the lengths of v_a and v_s, D that of the fused vector.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qafm.config.fusion import HeadConfig
from qafm.models.bnneck import BNNeck


class FusionOutput(NamedTuple):
    """What the fusion head returns."""

    fused: Tensor  # [N, D], what the triplet loss sees
    logits: Tensor  # [N, ids]
    descriptor: Tensor  # [N, D], L2-normalised in eval mode only


class FusionHead(nn.Module):
    """V = [w v_a, (1-w) v_s] -> FC -> BNNeck -> classifier, v_a and v_s L2-normalised first (`normalize`).

    `activation: none`: FC without bias, orthogonal start; the descriptor is the BNNeck's output.
    `activation: relu`: FC + BN + ReLU; the descriptor is taken before the BNNeck, as in the original code.
    `dim: null`: no FC; V itself is the descriptor, and BNNeck and classifier are there for the losses alone.

    Args:
        config: length, activation and normalisation.
        visual_dim: Da.
        attribute_dim: Ds.
        num_ids: training identities.
    """

    def __init__(self, *, config: HeadConfig, visual_dim: int, attribute_dim: int, num_ids: int) -> None:
        super().__init__()
        self.normalize = config.normalize
        relu, together = config.activation == "relu", visual_dim + attribute_dim
        dim = together if config.dim is None else config.dim
        self.fc = nn.Identity() if config.dim is None else nn.Linear(together, dim, bias=relu)
        if isinstance(self.fc, nn.Linear) and not relu:
            nn.init.orthogonal_(self.fc.weight)
        self.fc_norm = nn.BatchNorm1d(dim) if relu else None
        self.neck = BNNeck(dim=dim, classes=num_ids)
        self.describes_before_neck = relu or config.dim is None

    def fuse(self, v_a: Tensor, v_s: Tensor, w: Tensor) -> Tensor:
        """Return what the BNNeck gets, [N, D].

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
        return fused if self.fc_norm is None else torch.relu(self.fc_norm(fused))

    def forward(self, v_a: Tensor, v_s: Tensor, w: Tensor) -> FusionOutput:
        """Fuse, normalise and classify; arguments and errors as of `fuse`."""
        fused = self.fuse(v_a, v_s, w)
        normalized, logits = self.neck(fused)
        descriptor = fused if self.describes_before_neck else normalized
        return FusionOutput(fused, logits, descriptor if self.training else F.normalize(descriptor, dim=1))

    @torch.no_grad()
    def export(self) -> dict[str, Tensor]:
        """Return what follows the weighted concatenation V in eval mode, as plain arrays on the CPU.

        Returns:
            fc_weight [D, Da + Ds], fc_scale [D], fc_shift [D]: before its L2 normalisation the descriptor is
            fc_scale * (fc_weight V) + fc_shift, with a ReLU on it if `activation` is relu.
        """
        if not isinstance(self.fc, nn.Linear):
            dim = len(self.neck.norm.weight)
            return {"fc_weight": torch.eye(dim), "fc_scale": torch.ones(dim), "fc_shift": torch.zeros(dim)}
        norm = self.neck.norm if self.fc_norm is None else self.fc_norm
        assert norm.running_mean is not None and norm.running_var is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        before = norm.running_mean if self.fc.bias is None else norm.running_mean - self.fc.bias
        arrays = {"fc_weight": self.fc.weight, "fc_scale": scale, "fc_shift": norm.bias - before * scale}
        return {name: array.detach().cpu().clone() for name, array in arrays.items()}
