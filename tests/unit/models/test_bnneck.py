import pytest
import torch

from qafm.models.bnneck import BNNeck


@torch.no_grad()
def test_normalises_then_classifies(rough):
    neck = rough(BNNeck(dim=5, classes=3)).eval()
    embedding = torch.randn(4, 5)
    normalized, logits = neck(embedding)
    norm = neck.norm
    for n in range(4):
        expected = [float((embedding[n, d] - norm.running_mean[d]) / (norm.running_var[d] + 1e-5) ** 0.5 * norm.weight[d]) for d in range(5)]
        assert normalized[n].tolist() == pytest.approx(expected, abs=1e-5)
        for k in range(3):
            assert float(logits[n, k]) == pytest.approx(sum(float(neck.classifier.weight[k, d]) * expected[d] for d in range(5)), abs=1e-6)


def test_bias_is_frozen_at_zero_and_the_classifier_starts_small():
    neck = BNNeck(dim=500, classes=200)
    assert not neck.norm.bias.requires_grad and not neck.norm.bias.any()
    assert neck.classifier.bias is None
    assert float(neck.classifier.weight.detach().std()) == pytest.approx(0.001, rel=0.05)


def test_trains_and_serves(check_learns, check_serves):
    neck, embedding = BNNeck(dim=5, classes=3), torch.randn(4, 5)
    check_learns(neck, embedding)
    check_serves(neck, embedding)
