import pytest
import torch
from pydantic import ValidationError

from qafm.config.fusion import HeadConfig
from qafm.evaluation.fuse import concat
from qafm.models.fusion import FusionHead

EVERY_HEAD = [
    HeadConfig(dim=6),
    HeadConfig(dim=6, normalize=False),
    HeadConfig(dim=6, activation="relu"),
    HeadConfig(dim=6, activation="relu", normalize=False),
    HeadConfig(dim=None),
    HeadConfig(dim=None, normalize=False),
]


def small_head(config):
    torch.manual_seed(0)
    return FusionHead(config=config, visual_dim=5, attribute_dim=4, num_ids=7)


def unit(v):
    return [x / sum(y * y for y in v) ** 0.5 for x in v]


@torch.no_grad()
@pytest.mark.parametrize("config", EVERY_HEAD)
def test_head_equals_the_formula(rough, config):
    head = rough(small_head(config)).eval()
    v_a, v_s, w = torch.randn(3, 5), torch.randn(3, 4), torch.tensor([0.2, 0.5, 0.9])
    fused, logits, descriptor = head(v_a, v_s, w)
    for n in range(3):
        a, s = v_a[n].tolist(), v_s[n].tolist()
        if config.normalize:
            a, s = unit(a), unit(s)
        weighted = [float(w[n]) * x for x in a] + [(1 - float(w[n])) * x for x in s]
        y = weighted if config.dim is None else [sum(float(head.fc.weight[d, k]) * weighted[k] for k in range(9)) for d in range(6)]
        if config.activation == "relu":
            norm = head.fc_norm
            y = [y[d] + float(head.fc.bias[d] - norm.running_mean[d]) for d in range(6)]
            y = [max(0.0, y[d] * float(norm.weight[d] / (norm.running_var[d] + 1e-5) ** 0.5) + float(norm.bias[d])) for d in range(6)]
        assert fused[n].tolist() == pytest.approx(y, abs=1e-5)
        norm = head.neck.norm
        neck = [float((y[d] - norm.running_mean[d]) / (norm.running_var[d] + 1e-5) ** 0.5 * norm.weight[d]) for d in range(len(y))]
        before_neck = config.activation == "relu" or config.dim is None
        assert descriptor[n].tolist() == pytest.approx(unit(y if before_neck else neck), abs=1e-5)
        torch.testing.assert_close(logits[n], head.neck.classifier.weight @ torch.tensor(neck), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("config", EVERY_HEAD)
def test_export_gives_the_descriptor(rough, config):
    head = rough(small_head(config)).eval()
    v_a, v_s, w = torch.randn(3, 5), torch.randn(3, 4), torch.tensor([0.2, 0.5, 0.9])
    arrays = head.export()
    dim = config.dim or 9
    assert {name: tuple(array.shape) for name, array in arrays.items()} == {"fc_weight": (dim, 9), "fc_scale": (dim,), "fc_shift": (dim,)}
    assert not any(array.requires_grad for array in arrays.values())
    if config.normalize:
        v_a, v_s = torch.nn.functional.normalize(v_a), torch.nn.functional.normalize(v_s)
    y = torch.cat([w[:, None] * v_a, (1 - w[:, None]) * v_s], dim=1) @ arrays["fc_weight"].T * arrays["fc_scale"] + arrays["fc_shift"]
    y = y.relu() if config.activation == "relu" else y
    torch.testing.assert_close(torch.nn.functional.normalize(y), head(v_a, v_s, w).descriptor)
    arrays["fc_weight"].zero_()
    assert head.export()["fc_weight"].any()


def test_weight_is_that_of_the_visual_branch():
    head = small_head(HeadConfig(dim=6)).eval()
    v_a, v_s, ones = torch.randn(2, 3, 5), torch.randn(2, 3, 4), torch.ones(3)
    torch.testing.assert_close(head(v_a[0], v_s[0], ones), head(v_a[0], v_s[1], ones))
    torch.testing.assert_close(head(v_a[0], v_s[0], 0 * ones), head(v_a[1], v_s[0], 0 * ones))
    assert not torch.allclose(head(v_a[0], v_s[0], ones).fused, head(v_a[1], v_s[0], ones).fused)
    assert not torch.allclose(head(v_a[0], v_s[0], 0.3 * ones).fused, head(v_a[0], v_s[0], 0.7 * ones).fused)


@pytest.mark.parametrize(("dim", "activation"), [(6, "none"), (6, "relu"), (None, "none")])
def test_descriptor_is_normalised_in_eval_only(dim, activation):
    head = small_head(HeadConfig(dim=dim, activation=activation))
    inputs = torch.randn(8, 5), torch.randn(8, 4), torch.rand(8)
    training = head(*inputs)
    expected = training.fused if activation == "relu" or dim is None else torch.nn.functional.batch_norm(training.fused, None, None, training=True)
    torch.testing.assert_close(training.descriptor, expected)
    torch.testing.assert_close(head.eval()(*inputs).descriptor.square().sum(dim=1), torch.ones(8))


def test_linear_head_starts_orthogonal_without_bias():
    head = small_head(HeadConfig(dim=6))
    assert head.fc.bias is None and head.fc_norm is None
    torch.testing.assert_close(head.fc.weight @ head.fc.weight.T, torch.eye(6), rtol=1e-4, atol=1e-5)
    assert small_head(HeadConfig(dim=3)).fc.weight.shape == (3, 9)


@torch.no_grad()
def test_without_an_fc_the_descriptor_is_the_plain_concatenation(rough):
    head = rough(small_head(HeadConfig(dim=None))).eval()
    v_a, v_s, w = torch.randn(3, 5), torch.randn(3, 4), torch.tensor([0.2, 0.5, 0.9])
    expected = concat(v_a.numpy(), v_s.numpy(), w.numpy())
    torch.testing.assert_close(head(v_a, v_s, w).descriptor, torch.from_numpy(expected))
    assert [name for name, _ in head.named_parameters()] == ["neck.norm.weight", "neck.norm.bias", "neck.classifier.weight"]


def test_no_fc_has_no_activation():
    with pytest.raises(ValidationError, match="activation relu follows an FC, and dim null has none"):
        HeadConfig(dim=None, activation="relu")


@pytest.mark.parametrize("w", [torch.ones(3, 1), torch.tensor(0.5), torch.ones(2)])
def test_weight_of_another_shape_is_refused(w):
    with pytest.raises(ValueError, match=r"^one visual weight per image: \[3\] expected"):
        small_head(HeadConfig(dim=6))(torch.randn(3, 5), torch.randn(3, 4), w)


@pytest.mark.parametrize("config", EVERY_HEAD)
def test_head_trains_and_serves(check_learns, check_serves, config):
    head, inputs = small_head(config), (torch.randn(6, 5), torch.randn(6, 4), torch.rand(6))
    check_learns(head, *inputs, still=("fc.bias",))  # a batch norm takes a constant away
    check_serves(head, *inputs)
