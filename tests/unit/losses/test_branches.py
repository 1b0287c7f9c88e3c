import pytest
import torch

from qafm.config.training import BranchLossConfig
from qafm.losses.branches import apan_losses, apn_losses
from qafm.models.apan import ApanOutput
from qafm.models.apn import ApnOutput

PIDS = torch.tensor([0, 0, 1, 1])
# At 0, 20, 90 and 30 degrees, of lengths 1, 10, 1 and 4.
ANGLES, LENGTHS = torch.tensor([0.0, 20, 90, 30]).deg2rad(), torch.tensor([1.0, 10, 1, 4])
VECTORS = LENGTHS[:, None] * torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1)  # [4, 2]


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
def test_triplet_of_both_branches_on_unit_or_raw_vectors(triplet_on: str, margin: float) -> None:
    config = BranchLossConfig.model_validate({"triplet_on": triplet_on, "triplet_margin": margin})
    logits = torch.zeros(4, 2)
    visual = apn_losses(ApnOutput(VECTORS, logits, []), PIDS, config)
    attribute = apan_losses(ApanOutput(VECTORS, logits, ()), PIDS, torch.full((4, 12), -1), config, 1.0)
    expected = by_hand(triplet_on == "unit", margin)
    assert float(visual["apn_triplet"]) == pytest.approx(expected, rel=1e-5)
    assert float(attribute["apan_triplet"]) == pytest.approx(expected, rel=1e-5)
    assert by_hand(True, margin) != pytest.approx(by_hand(False, margin), rel=0.1)


def test_without_a_triplet_loss_identities_and_attributes_are_all_there_is() -> None:
    config, logits = BranchLossConfig(triplet_on="none"), torch.zeros(4, 2)
    assert set(apn_losses(ApnOutput(VECTORS, logits, []), PIDS, config)) == {"apn_identity"}
    assert set(apan_losses(ApanOutput(VECTORS, logits, ()), PIDS, torch.full((4, 12), -1), config, 1.0)) == {"apan_attributes", "apan_identity"}


def test_unit_triplet_does_not_see_lengths() -> None:
    config = BranchLossConfig()
    longer = apn_losses(ApnOutput(3 * VECTORS, torch.zeros(4, 2), []), PIDS, config)
    assert float(longer["apn_triplet"]) == pytest.approx(by_hand(True, 0.3), rel=1e-5)
