import pytest
import torch

from qafm.config.training import BranchLossConfig
from qafm.losses.branches import apan_losses, apn_losses
from qafm.losses.descriptor import descriptor_losses
from qafm.models.apan import ApanOutput
from qafm.models.apn import ApnOutput

PIDS = torch.tensor([0, 0, 1, 1])
VECTORS = torch.tensor([[1.0, 0], [0, 10], [1, 1], [4, 0]])


@pytest.mark.parametrize("triplet_on", ["unit", "raw"])
def test_a_branch_has_the_losses_of_its_descriptor(triplet_on: str) -> None:
    config, logits = BranchLossConfig.model_validate({"triplet_on": triplet_on}), torch.tensor([[1.0, 0], [0, 2], [3, 0], [0, 4]])
    expected = descriptor_losses(logits, VECTORS, PIDS, config)
    visual = apn_losses(ApnOutput(VECTORS, logits, []), PIDS, config)
    attribute = apan_losses(ApanOutput(VECTORS, logits, ()), PIDS, torch.full((4, 12), -1), config, 1.0)
    for name, value in expected.items():
        assert visual[f"apn_{name}"] == attribute[f"apan_{name}"] == value


def test_without_a_triplet_loss_identities_and_attributes_are_all_there_is() -> None:
    config, logits = BranchLossConfig(triplet_on="none"), torch.zeros(4, 2)
    assert set(apn_losses(ApnOutput(VECTORS, logits, []), PIDS, config)) == {"apn_identity"}
    assert set(apan_losses(ApanOutput(VECTORS, logits, ()), PIDS, torch.full((4, 12), -1), config, 1.0)) == {"apan_attributes", "apan_identity"}
