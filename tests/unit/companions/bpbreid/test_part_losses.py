"""GiLt in both weightings, and the attention loss, against loops."""

import math

import pytest
import torch

from qafm.companions.bpbreid.attention import visibility
from qafm.companions.bpbreid.part_losses import EMBEDDINGS, attention_loss, gilt_losses
from qafm.companions.bpbreid.part_model import Embedded, PartOutput
from qafm.companions.bpbreid.part_triplet import part_triplet
from qafm.config.bpbreid import EmbeddingWeights, PartLossConfig
from qafm.config.training import IdentityLossConfig
from qafm.losses.triplet import batch_hard_triplet

PIDS = torch.tensor([0, 0, 1, 1])
SETTINGS = IdentityLossConfig(label_smoothing=0.2, triplet_margin=0.7)


def embedded(*shape: int) -> Embedded:
    return Embedded(torch.randn(*shape, 6), torch.randn(*shape, 6), torch.randn(*shape, 3))


@pytest.fixture
def output() -> PartOutput:
    holistic = [embedded(4) for _ in range(4)]
    return PartOutput(*holistic, embedded(4, 5), torch.rand(4, 6, 3, 2), torch.randn(4, 6, 3, 2))


def smoothed(logits: torch.Tensor, target: int, smoothing: float) -> float:
    """Cross-entropy of one row by hand."""
    log_total = math.log(sum(math.exp(value) for value in logits.tolist()))
    classes = len(logits)
    return -sum((smoothing / classes + (1 - smoothing) * (index == target)) * (value - log_total) for index, value in enumerate(logits.tolist()))


def test_the_papers_weighting(output: PartOutput) -> None:
    losses = gilt_losses(output, PIDS, PartLossConfig(), SETTINGS)
    assert set(losses) == {"identity_whole", "identity_foreground", "identity_concatenated", "triplet_parts"}
    for name in ("whole", "foreground", "concatenated"):
        rows = [smoothed(logits, int(pid), 0.2) for logits, pid in zip(getattr(output, name).logits, PIDS, strict=True)]
        assert float(losses[f"identity_{name}"]) == pytest.approx(sum(rows) / 4, rel=1e-5)
    torch.testing.assert_close(losses["triplet_parts"], part_triplet(output.parts.vector, PIDS, 0.7))


def test_the_released_weighting_adds_a_triplet_on_the_foreground(output: PartOutput) -> None:
    released = PartLossConfig(triplet=EmbeddingWeights(parts=1, foreground=1))
    losses = gilt_losses(output, PIDS, released, SETTINGS)
    papers = gilt_losses(output, PIDS, PartLossConfig(), SETTINGS)
    assert set(losses) == {*papers, "triplet_foreground"}
    torch.testing.assert_close(losses["triplet_foreground"], batch_hard_triplet(output.foreground.vector, PIDS, 0.7))


def test_every_weight_has_its_loss(output: PartOutput) -> None:
    everything = dict.fromkeys(EMBEDDINGS, 0.5)
    losses = gilt_losses(output, PIDS, PartLossConfig(identity=EmbeddingWeights(**everything), triplet=EmbeddingWeights(**everything)), SETTINGS)
    assert set(losses) == {f"{kind}_{name}" for kind in ("identity", "triplet") for name in EMBEDDINGS}
    rows = [smoothed(output.parts.logits[i, k], int(PIDS[i]), 0.2) for i in range(4) for k in range(5)]
    assert float(losses["identity_parts"]) == pytest.approx(0.5 * sum(rows) / 20, rel=1e-5)
    torch.testing.assert_close(losses["triplet_whole"], 0.5 * batch_hard_triplet(output.whole.vector, PIDS, 0.7))


def test_visibility_reaches_the_triplet_where_asked_for(output: PartOutput) -> None:
    losses = gilt_losses(output, PIDS, PartLossConfig(triplet_visibility=True), SETTINGS)
    expected = part_triplet(output.parts.vector, PIDS, 0.7, visibility(output.maps).visible)
    torch.testing.assert_close(losses["triplet_parts"], expected)
    assert not torch.isclose(expected, part_triplet(output.parts.vector, PIDS, 0.7))


def test_attention_loss_is_the_mean_over_all_places() -> None:
    logits, labels = torch.randn(2, 4, 3, 2), torch.randint(0, 4, (2, 3, 2))
    for smoothing in (0.0, 0.1):
        rows = [smoothed(logits[n, :, y, x], int(labels[n, y, x]), smoothing) for n in range(2) for y in range(3) for x in range(2)]
        assert float(attention_loss(logits, labels, smoothing)) == pytest.approx(sum(rows) / 12, rel=1e-5)
