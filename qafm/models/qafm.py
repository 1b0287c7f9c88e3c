"""QAFM: the visual and the attribute branch, the fusion head, and the MLP that turns Q(I) into the visual weight w (paper section III-D)."""

from torch import nn

from qafm.config.fusion import ArchitectureConfig, HeadConfig
from qafm.models.branch import AttributeBranch, VisualBranch
from qafm.models.fusion import FusionHead
from qafm.models.weight_mlp import WeightMlp


class Qafm(nn.Module):
    """Four parts that stay apart: which gradient crosses from one to the next is decided by the losses, not here.

    Args:
        architecture: backbone, APN, APAN.
        head: the fusion head.
        num_ids: training identities.
        weight_mlp: None where the visual weight is fixed.
    """

    def __init__(self, architecture: ArchitectureConfig, head: HeadConfig, num_ids: int, weight_mlp: WeightMlp | None) -> None:
        super().__init__()
        self.visual = VisualBranch(architecture.backbone, architecture.apn, num_ids)
        self.attribute = AttributeBranch(architecture.backbone, architecture.apan, num_ids)
        self.head = FusionHead(config=head, visual_dim=architecture.apn.embedding_dim, attribute_dim=architecture.apan.embedding_dim, num_ids=num_ids)
        self.weight_mlp = weight_mlp
