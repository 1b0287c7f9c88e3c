import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.fusion import HeadConfig
from qafm.models.fusion import FusionHead, Qafm
from qafm.models.weight_mlp import WeightMlp

ORIGINAL_APN = ApnConfig(decoder_channels=(512, 512, 256, 128, 64, 1), decoder_kernel=3, decoder_last_linear=True, horizontal_stripes=0, vertical_stripes=0)
ORIGINAL_APAN = ApanConfig(step_channels=0, gates=False, steps=1, heads="single", identity_head=False)
ORIGINAL_HEAD = HeadConfig(dim=1024, activation="relu", normalize=False)
SMALL_APN = ApnConfig(mfpm_channels=8, decoder_channels=(6,), lam_channels=(4, 12), embedding_dim=10)
SMALL_APAN = ApanConfig(pafm_channels=6, step_channels=5, hidden_channels=4, embedding_dim=8)
EVERY_HEAD = [
    HeadConfig(dim=6),
    HeadConfig(dim=6, normalize=False),
    HeadConfig(dim=6, activation="relu"),
    HeadConfig(dim=6, activation="relu", normalize=False),
]


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def small_head(config):
    torch.manual_seed(0)
    return FusionHead(config=config, visual_dim=5, attribute_dim=4, num_ids=7)


def small_model(name="resnet10", last_stride=2):
    torch.manual_seed(0)
    backbone = BackboneConfig(name=name, last_stride=last_stride)
    return Qafm(backbone=backbone, apn=SMALL_APN, apan=SMALL_APAN, head=HeadConfig(dim=9), num_ids=7)


def unit(v):
    return [x / sum(y * y for y in v) ** 0.5 for x in v]


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
        y = [sum(float(head.fc.weight[d, k]) * weighted[k] for k in range(9)) for d in range(6)]
        if config.activation == "relu":
            norm = head.fc_norm
            y = [y[d] + float(head.fc.bias[d] - norm.running_mean[d]) for d in range(6)]
            y = [max(0.0, y[d] * float(norm.weight[d] / (norm.running_var[d] + 1e-5) ** 0.5) + float(norm.bias[d])) for d in range(6)]
        assert fused[n].tolist() == pytest.approx(y, abs=1e-5)
        norm = head.neck.norm
        neck = [float((y[d] - norm.running_mean[d]) / (norm.running_var[d] + 1e-5) ** 0.5 * norm.weight[d]) for d in range(6)]
        assert descriptor[n].tolist() == pytest.approx(unit(y if config.activation == "relu" else neck), abs=1e-5)
        torch.testing.assert_close(logits[n], head.neck.classifier.weight @ torch.tensor(neck), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("config", EVERY_HEAD)
def test_export_gives_the_descriptor(rough, config):
    head = rough(small_head(config)).eval()
    v_a, v_s, w = torch.randn(3, 5), torch.randn(3, 4), torch.tensor([0.2, 0.5, 0.9])
    arrays = head.export()
    assert {name: tuple(array.shape) for name, array in arrays.items()} == {"fc_weight": (6, 9), "fc_scale": (6,), "fc_shift": (6,)}
    assert not any(array.requires_grad for array in arrays.values())
    if config.normalize:
        v_a, v_s = torch.nn.functional.normalize(v_a), torch.nn.functional.normalize(v_s)
    y = torch.cat([w[:, None] * v_a, (1 - w[:, None]) * v_s], dim=1) @ arrays["fc_weight"].T * arrays["fc_scale"] + arrays["fc_shift"]
    y = y.relu() if config.activation == "relu" else y
    torch.testing.assert_close(torch.nn.functional.normalize(y), head(v_a, v_s, w).descriptor)
    arrays["fc_weight"].zero_()
    assert head.fc.weight.any()


def test_weight_is_that_of_the_visual_branch():
    head = small_head(HeadConfig(dim=6)).eval()
    v_a, v_s, ones = torch.randn(2, 3, 5), torch.randn(2, 3, 4), torch.ones(3)
    torch.testing.assert_close(head(v_a[0], v_s[0], ones), head(v_a[0], v_s[1], ones))
    torch.testing.assert_close(head(v_a[0], v_s[0], 0 * ones), head(v_a[1], v_s[0], 0 * ones))
    assert not torch.allclose(head(v_a[0], v_s[0], ones).fused, head(v_a[1], v_s[0], ones).fused)
    assert not torch.allclose(head(v_a[0], v_s[0], 0.3 * ones).fused, head(v_a[0], v_s[0], 0.7 * ones).fused)


@pytest.mark.parametrize("activation", ["none", "relu"])
def test_descriptor_is_normalised_in_eval_only(activation):
    head = small_head(HeadConfig(dim=6, activation=activation))
    inputs = torch.randn(8, 5), torch.randn(8, 4), torch.rand(8)
    training = head(*inputs)
    expected = training.fused if activation == "relu" else torch.nn.functional.batch_norm(training.fused, None, None, training=True)
    torch.testing.assert_close(training.descriptor, expected)
    torch.testing.assert_close(head.eval()(*inputs).descriptor.square().sum(dim=1), torch.ones(8))


def test_linear_head_starts_orthogonal_without_bias():
    head = small_head(HeadConfig(dim=6))
    assert head.fc.bias is None and head.fc_norm is None
    torch.testing.assert_close(head.fc.weight @ head.fc.weight.T, torch.eye(6), rtol=1e-4, atol=1e-5)
    assert small_head(HeadConfig(dim=3)).fc.weight.shape == (3, 9)


@pytest.mark.parametrize("w", [torch.ones(3, 1), torch.tensor(0.5), torch.ones(2)])
def test_weight_of_another_shape_is_refused(w):
    with pytest.raises(ValueError, match=r"^one visual weight per image: \[3\] expected"):
        small_head(HeadConfig(dim=6))(torch.randn(3, 5), torch.randn(3, 4), w)


@pytest.mark.parametrize("config", EVERY_HEAD)
def test_head_trains_and_serves(check_learns, check_serves, config):
    head, inputs = small_head(config), (torch.randn(6, 5), torch.randn(6, 4), torch.rand(6))
    check_learns(head, *inputs, still=("fc.bias",))  # a batch norm takes a constant away
    check_serves(head, *inputs)


def test_original_has_its_parameter_counts():
    with torch.device("meta"):
        mlp = WeightMlp(mean=11.109, sd=0.658, start_weight=0.5)
        model = Qafm(backbone=BackboneConfig(), apn=ORIGINAL_APN, apan=ORIGINAL_APAN, head=ORIGINAL_HEAD, num_ids=751, weight_mlp=mlp)
    head = model.head
    assert count(head.fc) + count(head.fc_norm) == 2_100_224
    assert count(head.neck.norm) == 2_048 and count(head.neck.classifier) == 769_024
    assert count(model.backbone_apan) == 23_508_032 and count(model.weight_mlp) == 97
    unused_layer4 = 14_964_736  # the original's APN backbone carries a layer4 that nothing reads
    assert count(model) + unused_layer4 == 142_602_033


def test_default_full_size():
    with torch.device("meta"):
        model = Qafm(backbone=BackboneConfig(), apn=ApnConfig(), apan=ApanConfig(), head=HeadConfig(), num_ids=751)
        images = torch.zeros(2, 3, 384, 128)
        assert model.backbone_apn(images).shape == (2, 1024, 24, 8) and model.backbone_apan(images).shape == (2, 2048, 12, 4)
        fused, logits, descriptor = model(images, torch.full((2,), 0.5))
    assert fused.shape == descriptor.shape == (2, 1000) and logits.shape == (2, 751)
    assert count(model.head) == 2048 * 1000 + 2 * 1000 + 1000 * 751
    backbones = 23_508_032 + 23_508_032 - 14_964_736
    assert count(model) == backbones + count(model.apn) + count(model.apan) + count(model.head) == 109_074_966


def test_default_full_size_is_finite():
    model = Qafm(backbone=BackboneConfig(), apn=ApnConfig(), apan=ApanConfig(), head=HeadConfig(), num_ids=751).eval()
    with torch.no_grad():
        output = model(torch.randn(1, 3, 384, 128), torch.tensor([0.6]))
    assert all(torch.isfinite(x).all() for x in output)


def test_forward_composes_the_parts():
    model = small_model().eval()
    images, w = torch.randn(2, 3, 96, 48), torch.tensor([0.3, 0.8])
    visual, attributes = model.visual(images), model.attributes(images)
    torch.testing.assert_close(visual, model.apn(model.backbone_apn(images)))
    torch.testing.assert_close(attributes, model.apan(model.backbone_apan(images)))
    torch.testing.assert_close(model(images, w), model.head(visual.v_a, attributes.v_s, w))
    assert model.weight_mlp is None


def test_backbone_settings_matter():
    images = torch.randn(2, 3, 96, 48)
    base = small_model().eval()
    assert count(small_model(name="resnet18")) > count(base)
    finer = small_model(last_stride=1).eval()
    finer.load_state_dict(base.state_dict())
    torch.testing.assert_close(finer.visual(images).v_a, base.visual(images).v_a)
    assert not torch.allclose(finer.attributes(images).v_s, base.attributes(images).v_s)


def test_detached_vectors_keep_the_head_alone():
    model = small_model()
    images, w = torch.randn(4, 3, 64, 32), torch.full((4,), 0.4)
    output = model.head(model.visual(images).v_a.detach(), model.attributes(images).v_s.detach(), w)
    (output.logits.sum() + output.fused.square().sum()).backward()
    reached = {name.split(".")[0] for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert reached == {"head"}


@pytest.mark.parametrize("size", [(96, 48), (128, 64)])
def test_whole_model_trains_and_serves(check_learns, check_serves, size):
    model, images, w = small_model(), torch.randn(3, 3, *size), torch.rand(3)
    elsewhere = [name for name, _ in model.named_parameters() if name.startswith(("apn.neck", "apn.horiz", "apn.vert", "apan.neck", "apan.heads"))]
    check_learns(model, images, w, still=tuple(elsewhere))
    check_serves(model, images, w)
