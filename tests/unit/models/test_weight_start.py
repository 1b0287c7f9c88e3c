import pytest
import torch

from qafm.models.weight_mlp import WeightMlp


@pytest.mark.parametrize(("asked", "given"), [(0.3, 0.3), (0.8, 0.8), (0.0, 0.01), (1.0, 0.99)])
def test_every_q_starts_at_the_weight(asked: float, given: float) -> None:
    mlp = WeightMlp(mean=2.0, sd=0.5, start_weight=0.5)
    mlp.start_at(asked)
    torch.testing.assert_close(mlp.weight(torch.linspace(-3, 9, 30)), torch.full((30,), given), atol=1e-5, rtol=0)
