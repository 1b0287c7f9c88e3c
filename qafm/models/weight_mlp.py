"""The MLP that turns the quality score Q(I) into the weight of the visual branch (paper section III-D; 1-32-1 as in section V).

Shapes: N images.
"""

import math

import torch
from torch import Tensor, nn

HIDDEN = 32
CLEARANCE = 0.01  # a start of exactly 0 or 1 would have no gradient


class WeightMlp(nn.Module):
    """w = sigmoid(MLP((Q - mean) / sd)), one hidden layer of 32 ReLU units: 97 parameters.

    At the start w is `start_weight` for every Q: hidden units come in equal pairs with opposite output weights, which cancel out
    but let a gradient reach every parameter from the first step on (zero output weights would cut off the hidden layer).

    Args:
        mean: of Q.
        sd: of Q, >= 0.
        start_weight: visual weight before training, in [0, 1]; kept 0.01 away from both ends.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, *, mean: float, sd: float, start_weight: float = 0.5) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(float(mean)))
        self.register_buffer("sd", torch.tensor(float(sd)))
        self.hidden = nn.Linear(1, HIDDEN)
        self.output = nn.Linear(HIDDEN, 1)
        with torch.no_grad():
            self.hidden.weight[1::2] = self.hidden.weight[0::2]
            self.hidden.bias[1::2] = self.hidden.bias[0::2]
            self.output.weight[:, 1::2] = -self.output.weight[:, 0::2]
        self.start_at(start_weight)

    def forward(self, q: Tensor) -> Tensor:
        """Return the logit [N] of the visual weight for the scores q [N]."""
        with torch.autocast(q.device.type, enabled=False):  # bf16 would round Q and w
            standard = (q.to(self.mean.dtype) - self.mean) / (self.sd + 1e-8)
            return self.output(torch.relu(self.hidden(standard[:, None]))).squeeze(1)  # [N, 1] -> [N, 32] -> [N]

    @torch.no_grad()
    def start_at(self, weight: float) -> None:
        """Set the weight that every Q gets; only before the first training step, while the hidden units still cancel out.

        Args:
            weight: in [0, 1]; kept 0.01 away from both ends.
        """
        start = min(max(weight, CLEARANCE), 1 - CLEARANCE)
        self.output.bias.fill_(math.log(start / (1 - start)))

    def weight(self, q: Tensor) -> Tensor:
        """Return the visual weight [N] in (0, 1) for the scores q [N]."""
        return torch.sigmoid(self(q))
