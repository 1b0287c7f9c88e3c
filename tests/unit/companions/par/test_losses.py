"""Every loss against image-by-image loops in plain Python."""

import math
from itertools import product
from typing import Literal

import pytest
import torch

from qafm.companions.par.losses import ParLoss, triplet_loss
from qafm.config.par import LossName
from qafm.tables.attributes import ATTRIBUTE_NAMES

SIZES = {"gender": 2, "age": 4, "up_color": 9}
LOSSES: tuple[LossName, ...] = ("ce", "weighted_ce", "focal", "alpha_focal")
DIVISORS: tuple[Literal["weights", "images"], ...] = ("weights", "images")


def made(seed: int, n: int = 12) -> tuple[dict[str, torch.Tensor], torch.Tensor, dict[str, torch.Tensor]]:
    """Logits of three heads, codes [N, 12] with unknown ones, weights in which a class is absent."""
    generator = torch.Generator().manual_seed(seed)
    logits = {name: 2 * torch.randn(n, size, generator=generator) for name, size in SIZES.items()}
    codes = torch.full((n, 12), -1)
    for name, size in SIZES.items():
        drawn = torch.randint(0, size, (n,), generator=generator)
        codes[:, ATTRIBUTE_NAMES.index(name)] = torch.where(torch.rand(n, generator=generator) < 0.3, -1, drawn)
    weights = {name: torch.rand(size, generator=generator) + 0.2 for name, size in SIZES.items()}
    weights["age"][2] = 0
    return logits, codes, weights


def slow_loss(name: LossName, logits: dict[str, torch.Tensor], codes: torch.Tensor, weights: dict[str, torch.Tensor], gamma: float, divide_by: str) -> float:
    total = 0.0
    for head, values in logits.items():
        terms, factors = [], []
        for row, code in zip(values.tolist(), codes[:, ATTRIBUTE_NAMES.index(head)].tolist(), strict=True):
            if code < 0:
                continue
            p = math.exp(row[code]) / sum(math.exp(value) for value in row)
            term = -math.log(p)
            if "focal" in name:
                term *= (1 - p) ** gamma
            weight = float(weights[head][code]) if name in ("weighted_ce", "alpha_focal") else 1.0
            terms.append(weight * term)
            factors.append(weight)
        divisor = len(terms) if divide_by == "images" else sum(factors)
        total += sum(terms) / divisor if divisor else 0.0
    return total


@pytest.mark.parametrize(("name", "divide_by", "gamma"), list(product(LOSSES, DIVISORS, [0.5, 2.0])))
def test_loss_against_loops(name: LossName, divide_by: Literal["weights", "images"], gamma: float) -> None:
    for seed in range(3):
        logits, codes, weights = made(seed)
        found = ParLoss(name, weights, gamma, divide_by)(logits, codes)
        assert float(found) == pytest.approx(slow_loss(name, logits, codes, weights, gamma, divide_by), rel=1e-4)


def test_focal_losses_with_gamma_0_are_cross_entropies() -> None:
    logits, codes, weights = made(4)
    for focal, plain in (("focal", "ce"), ("alpha_focal", "weighted_ce")):
        assert float(ParLoss(focal, weights, 0.0, "weights")(logits, codes)) == pytest.approx(float(ParLoss(plain, weights, 2.0, "weights")(logits, codes)))


def test_equal_weights_change_nothing_and_scaling_them_only_what_is_divided_by_images() -> None:
    logits, codes, weights = made(5)
    ones = {name: torch.ones_like(values) for name, values in weights.items()}
    for divide_by in DIVISORS:
        plain, weighted = (float(ParLoss(name, ones, 2.0, divide_by)(logits, codes)) for name in ("ce", "weighted_ce"))
        assert weighted == pytest.approx(plain)
    tripled = {name: 3 * values for name, values in weights.items()}
    for divide_by, factor in (("weights", 1), ("images", 3)):
        one, other = (float(ParLoss("weighted_ce", values, 2.0, divide_by)(logits, codes)) for values in (weights, tripled))
        assert other == pytest.approx(factor * one)


@pytest.mark.parametrize("name", LOSSES)
def test_a_head_without_a_known_label_adds_nothing_and_gets_no_gradient(name: LossName) -> None:
    logits, codes, weights = made(6)
    codes[:, ATTRIBUTE_NAMES.index("age")] = -1
    logits = {head: values.requires_grad_() for head, values in logits.items()}
    loss = ParLoss(name, weights, 2.0, "weights")
    found = loss(logits, codes)
    found.backward()
    assert logits["age"].grad is None
    assert logits["gender"].grad is not None and logits["up_color"].grad is not None
    others = {head: values for head, values in logits.items() if head != "age"}
    assert found.item() == pytest.approx(loss(others, codes).item())


def test_without_any_known_label_the_loss_is_a_0_that_can_be_differentiated() -> None:
    logits, codes, weights = made(7)
    logits = {head: values.requires_grad_() for head, values in logits.items()}
    found = ParLoss("ce", weights, 2.0, "weights")(logits, torch.full_like(codes, -1))
    found.backward()
    assert found.item() == 0
    assert all(values.grad is None for values in logits.values())


def test_a_head_whose_labelled_classes_all_weigh_0_adds_nothing() -> None:
    logits, codes, weights = made(8)
    codes[:, ATTRIBUTE_NAMES.index("age")] = 2  # the class of weight 0
    without = {head: values for head, values in logits.items() if head != "age"}
    for divide_by in DIVISORS:
        loss = ParLoss("alpha_focal", weights, 2.0, divide_by)
        assert float(loss(logits, codes)) == pytest.approx(float(loss(without, codes)))


def test_certain_answers_have_finite_losses_and_gradients() -> None:
    logits = {"gender": torch.tensor([[80.0, -80.0], [-80.0, 80.0]], requires_grad=True)}
    codes = torch.full((2, 12), -1)
    codes[:, 0] = 0
    for name, gamma in product(LOSSES, (0.0, 0.5, 2.0)):
        found = ParLoss(name, {"gender": torch.ones(2)}, gamma, "weights")(logits, codes)
        (gradient,) = torch.autograd.grad(found, logits["gender"])
        assert found.item() == pytest.approx(80, rel=1e-3)
        assert torch.isfinite(gradient).all()


def test_triplet_loss_against_loops() -> None:
    generator = torch.Generator().manual_seed(9)
    anchor, positive, negative = torch.randn(3, 8, 4, generator=generator)
    expected = []
    for a, p, n in zip(anchor.tolist(), positive.tolist(), negative.tolist(), strict=True):
        near, far = (sum((x - y) ** 2 for x, y in zip(a, other, strict=True)) for other in (p, n))
        expected.append(max(0.0, near - far + 0.7))
    assert 0 < sum(value == 0 for value in expected) < 8
    assert float(triplet_loss(anchor, positive, negative, 0.7)) == pytest.approx(sum(expected) / 8, rel=1e-5)


def test_triplet_loss_by_hand() -> None:
    a, p, n = torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 3.0]]), torch.tensor([[4.0, 0.0]])
    assert float(triplet_loss(a, p, n, 6.9)) == 0
    assert float(triplet_loss(a, p, n, 7.5)) == 0.5
    assert float(triplet_loss(a, n, p, 1.0)) == 8
    assert float(triplet_loss(a, a, a, 0.2)) == pytest.approx(0.2)
