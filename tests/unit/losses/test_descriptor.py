import pytest
import torch

from qafm.config.training import DescriptorLossConfig
from qafm.losses.descriptor import descriptor_losses

PIDS = torch.tensor([0, 0, 1, 1])
# At 0, 20, 90 and 30 degrees, of lengths 1, 10, 1 and 4.
ANGLES, LENGTHS = torch.tensor([0.0, 20, 90, 30]).deg2rad(), torch.tensor([1.0, 10, 1, 4])
VECTORS = LENGTHS[:, None] * torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1)  # [4, 2]
LOGITS = torch.zeros(4, 2)


def by_hand(unit: bool, margin: float) -> float:
    """Farthest positive against nearest negative of each anchor, in plain loops."""
    points = [(v / v.norm() if unit else v).tolist() for v in VECTORS]

    def distance(i: int, j: int) -> float:
        return sum((a - b) ** 2 for a, b in zip(points[i], points[j], strict=True)) ** 0.5

    total = 0.0
    for i in range(4):
        positive = max(distance(i, j) for j in range(4) if j != i and PIDS[i] == PIDS[j])
        negative = min(distance(i, j) for j in range(4) if PIDS[i] != PIDS[j])
        total += max(0.0, positive - negative + margin) / 4
    return total


@pytest.mark.parametrize("triplet_on", ["unit", "raw"])
@pytest.mark.parametrize("margin", [0.3, 1.1])
def test_triplet_on_unit_or_raw_vectors(triplet_on: str, margin: float) -> None:
    config = DescriptorLossConfig.model_validate({"triplet_on": triplet_on, "triplet_margin": margin})
    losses = descriptor_losses(LOGITS, VECTORS, PIDS, config)
    assert float(losses["triplet"]) == pytest.approx(by_hand(triplet_on == "unit", margin), rel=1e-5)
    assert by_hand(True, margin) != pytest.approx(by_hand(False, margin), rel=0.1)


def test_unit_triplet_does_not_see_lengths() -> None:
    longer = descriptor_losses(LOGITS, 3 * VECTORS, PIDS, DescriptorLossConfig(triplet_on="unit"))
    assert float(longer["triplet"]) == pytest.approx(by_hand(True, 0.3), rel=1e-5)


def test_without_a_triplet_loss_identities_are_all_there_is() -> None:
    losses = descriptor_losses(LOGITS, VECTORS, PIDS, DescriptorLossConfig(triplet_on="none"))
    assert set(losses) == {"identity"}
    assert float(losses["identity"]) == pytest.approx(0.6931472)  # ln 2: both identities alike


def test_half_precision_is_computed_in_full() -> None:
    vectors = torch.tensor([[0.0], [20.0], [20.0], [0.0]]).bfloat16()
    losses = descriptor_losses(LOGITS.bfloat16(), vectors, PIDS, DescriptorLossConfig())
    assert losses["triplet"].dtype == losses["identity"].dtype == torch.float32
    assert float(losses["triplet"]) == pytest.approx(20.3, abs=1e-3)  # bfloat16 would make it 20.25
