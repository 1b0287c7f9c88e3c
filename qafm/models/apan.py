"""APAN, the attribute network: PAFM, ConvLSTM over the attribute groups, v_s, 12 attribute heads (paper section III-B, Eq. 5).

Shapes: N images, T steps (12 attribute groups), C channels of a step's input, D hidden channels, Ds the length of v_s, h x w the map.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qafm.config.backbone import Pooling
from qafm.config.branches import ApanConfig
from qafm.models.bnneck import BNNeck
from qafm.models.conv_norm import ConvNorm
from qafm.models.convlstm import ConvLstmCell
from qafm.models.global_pool import GlobalPool
from qafm.models.pafm import Pafm
from qafm.tables.attributes import ATTRIBUTE_NAMES, ATTRIBUTE_SIZES

LOGIT_SIZES = tuple(1 if size == 2 else size for size in ATTRIBUTE_SIZES)  # 30 in all
GATE_START = 2.0  # sigmoid(2) = 0.88: open, and still steep enough to learn


class ApanOutput(NamedTuple):
    """What APAN returns."""

    v_s: Tensor  # [N, Ds], after the batch norm of the embedding, before the BNNeck
    logits: Tensor | None  # [N, ids]; None without an identity head
    attribute_logits: tuple[Tensor, ...]  # in the order of ATTRIBUTES: [N] (class 1) of a binary group, else [N, classes]


class Apan(nn.Module):
    """Backbone map -> PAFM -> shared projection -> 12 gated ConvLSTM steps -> a head per group on GAP(h_t), v_s = BN(Linear(all GAP(h_t))).

    With `residual` v_s reads the pooled map of PAFM, too, past projection and ConvLSTM.

    Args:
        config: widths, steps and heads.
        in_channels: channels of the backbone's map.
        num_ids: training identities.
        pooling: of PAFM's map past the ConvLSTM.
    """

    def __init__(self, *, config: ApanConfig, in_channels: int, num_ids: int, pooling: Pooling = "mean") -> None:
        super().__init__()
        # step_of[k]: the step whose hidden state belongs to group k of ATTRIBUTES
        self.step_of = [config.group_order.index(name) if config.steps == 12 else 0 for name in ATTRIBUTE_NAMES]
        self.steps = config.steps
        hidden, length = config.hidden_channels, config.embedding_dim
        self.pafm = Pafm(in_channels=in_channels, channels=config.pafm_channels)
        self.project = ConvNorm(in_channels, config.step_channels, kernel_size=1) if config.step_channels else nn.Identity()
        step_channels = config.step_channels or in_channels
        self.gates = nn.Parameter(torch.full((config.steps, step_channels), GATE_START)) if config.gates else None  # [T, C], row t: step t
        self.cell = ConvLstmCell(in_channels=step_channels, hidden_channels=hidden)
        self.pool = GlobalPool(pooling) if config.residual else None
        read = config.steps * hidden + (in_channels if config.residual else 0)
        self.embed = nn.Sequential(nn.Linear(read, length), nn.BatchNorm1d(length))
        self.heads = nn.ModuleList([_head(hidden, size) for size in LOGIT_SIZES]) if config.heads == "separate" else None
        self.single_head = BNNeck(dim=length, classes=sum(LOGIT_SIZES)) if config.heads == "single" else None
        self.neck = BNNeck(dim=length, classes=num_ids) if config.identity_head else None

    def forward(self, x: Tensor) -> ApanOutput:
        """Return v_s, the identity logits and the attribute logits of the backbone's map x [N, in_channels, h, w]."""
        attended = self.pafm(x)  # [N, in_channels, h, w]
        pooled = self._pooled_states(self.project(attended))  # T x [N, D]
        read = [pooled[t] for t in self._distinct_steps()]
        v_s = self.embed(torch.cat(read if self.pool is None else [*read, self.pool(attended)], dim=1))  # [N, Ds]
        logits = None if self.neck is None else self.neck(v_s).logits  # [N, ids]
        return ApanOutput(v_s, logits, self._attribute_logits(pooled, v_s))

    def descriptor(self, v_s: Tensor) -> Tensor:
        """Return the descriptor of APAN alone: v_s [N, Ds] after the BNNeck (as it is without an identity head), L2-normalised."""
        return F.normalize(v_s if self.neck is None else self.neck.norm(v_s), dim=1)

    def _pooled_states(self, x: Tensor) -> list[Tensor]:
        """Run the cell over the steps on x [N, C, h, w] and return GAP(h_t) of each."""
        state = self.cell.start(x)
        pooled = []
        for t in range(self.steps):
            x_t = x if self.gates is None else x * torch.sigmoid(self.gates[t])[:, None, None]  # [N, C, h, w]
            state = self.cell(x_t, state)
            pooled.append(state.h.mean(dim=(2, 3)))  # [N, D]
        return pooled

    def _distinct_steps(self) -> list[int]:
        """The steps in the order of their groups in ATTRIBUTES, so that v_s reads the same columns whatever the order of the groups."""
        return self.step_of if self.steps == 12 else [0]

    def _attribute_logits(self, pooled: list[Tensor], v_s: Tensor) -> tuple[Tensor, ...]:
        if self.heads is not None:
            parts = [head(pooled[t]) for head, t in zip(self.heads, self.step_of, strict=True)]
        else:
            assert self.single_head is not None
            parts = self.single_head(v_s).logits.split(LOGIT_SIZES, dim=1)
        return tuple(part.squeeze(1) if part.shape[1] == 1 else part for part in parts)  # [N] or [N, K]


def _head(channels: int, size: int) -> nn.Sequential:
    """A linear head behind a batch norm: GAP(h_t) lies within (-1, 1), mostly near 0, and a bare linear layer learns from it much more slowly."""
    return nn.Sequential(nn.BatchNorm1d(channels), nn.Linear(channels, size))
