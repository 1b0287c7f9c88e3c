import math

import pytest
import torch

from qafm.models.weight_mlp import WeightMlp


def test_has_97_parameters():
    mlp = WeightMlp(mean=11.1, sd=0.66)
    assert sum(parameter.numel() for parameter in mlp.parameters()) == 97
    assert mlp(torch.tensor([9.0, 11.0, 13.0])).shape == (3,)


@pytest.mark.parametrize(("start", "expected"), [(0.5, 0.5), (0.62, 0.62), (0.05, 0.05), (0.0, 0.01), (1.0, 0.99)])
def test_starts_at_one_weight_for_every_score(start, expected):
    mlp = WeightMlp(mean=11.1, sd=0.66, start_weight=start)
    assert mlp.weight(torch.linspace(5, 20, 50)).tolist() == pytest.approx([expected] * 50, abs=1e-6)


def test_every_parameter_learns_from_the_first_step_on():
    mlp = WeightMlp(mean=11.1, sd=0.66, start_weight=0.4)
    q = torch.linspace(9, 13, 20)
    (mlp(q) * torch.randn(20)).sum().backward()
    for name, parameter in mlp.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


@torch.no_grad()
def test_equals_the_formula_on_the_standardised_score():
    mlp = WeightMlp(mean=3.0, sd=0.5, start_weight=0.4)
    for parameter in mlp.parameters():
        parameter.normal_()
    for q in (2.0, 3.0, 4.4):
        z = (q - 3.0) / 0.5
        hidden = [max(0.0, float(mlp.hidden.weight[k, 0]) * z + float(mlp.hidden.bias[k])) for k in range(32)]
        logit = sum(float(mlp.output.weight[0, k]) * hidden[k] for k in range(32)) + float(mlp.output.bias)
        assert float(mlp(torch.tensor([q], dtype=torch.float64))) == pytest.approx(logit, rel=1e-5)
        assert float(mlp.weight(torch.tensor([q]))) == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-5)


def test_learns_a_step_in_both_directions():
    q = torch.linspace(9, 13, 101)
    target = torch.where(q < 11, 0.8, 0.3) + 0.3 * (q < 9.8)
    mlp = WeightMlp(mean=11, sd=1.17)
    optimiser = torch.optim.Adam(mlp.parameters(), lr=0.01)
    for _ in range(300):
        optimiser.zero_grad()
        loss = (mlp.weight(q) - target.clamp(max=0.9)).square().mean()
        loss.backward()
        optimiser.step()
    low, high = mlp.weight(torch.tensor([10.0, 12.5])).tolist()
    assert low - high > 0.35


def test_constant_score_is_harmless():
    assert torch.isfinite(WeightMlp(mean=2.0, sd=0.0)(torch.full((3,), 2.0))).all()


def test_stays_exact_under_autocast():
    mlp = WeightMlp(mean=11.1, sd=0.66, start_weight=0.37)
    with torch.no_grad():
        mlp.output.weight.normal_()
    q = torch.linspace(9, 13, 9)
    plain = mlp(q)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(mlp(q), plain)


def test_state_dict_carries_mean_and_sd():
    mlp, other = WeightMlp(mean=11.1, sd=0.66, start_weight=0.3), WeightMlp(mean=0, sd=1)
    torch.nn.init.normal_(mlp.output.weight)
    other.load_state_dict(mlp.state_dict())
    q = torch.linspace(9, 13, 9)
    assert torch.equal(other(q), mlp(q))
    assert mlp.eval()(q[:1]).shape == (1,)
