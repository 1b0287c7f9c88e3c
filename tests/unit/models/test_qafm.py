"""The whole model, full-size counts included (those of the original code)."""

import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.fusion import ArchitectureConfig, HeadConfig
from qafm.models.qafm import Qafm
from qafm.models.weight_mlp import WeightMlp

DEFAULT = ArchitectureConfig(backbone=BackboneConfig(), apn=ApnConfig(), apan=ApanConfig())
ORIGINAL = ArchitectureConfig(
    backbone=BackboneConfig(),
    apn=ApnConfig(decoder_channels=(512, 512, 256, 128, 64, 1), decoder_kernel=3, decoder_last_linear=True, horizontal_stripes=0, vertical_stripes=0),
    apan=ApanConfig(step_channels=0, gates=False, steps=1, heads="single", identity_head=False),
)
SMALL_APN = ApnConfig(mfpm_channels=8, decoder_channels=(6,), lam_channels=(4, 12), embedding_dim=10)
SMALL_APAN = ApanConfig(pafm_channels=6, step_channels=5, hidden_channels=4, embedding_dim=8)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def small_model(name="resnet10", last_stride=2):
    torch.manual_seed(0)
    backbone = BackboneConfig(name=name, last_stride=last_stride)
    return Qafm(ArchitectureConfig(backbone=backbone, apn=SMALL_APN, apan=SMALL_APAN), HeadConfig(dim=9), 7, None)


def fuse(model, images, w):
    return model.head(model.visual(images).v_a, model.attribute(images).v_s, w)


def test_original_has_its_parameter_counts():
    with torch.device("meta"):
        mlp = WeightMlp(mean=11.109, sd=0.658)
        model = Qafm(ORIGINAL, HeadConfig(dim=1024, activation="relu", normalize=False), 751, mlp)
    head = model.head
    assert count(model.visual.apn) == 54_530_128 and count(model.attribute.apan) == 38_184_448
    assert count(head.fc) + count(head.fc_norm) == 2_100_224
    assert count(head.neck.norm) == 2_048 and count(head.neck.classifier) == 769_024
    assert count(model.attribute.backbone) == 23_508_032 and count(model.weight_mlp) == 97
    unused_layer4 = 14_964_736  # the original's APN backbone carries a layer4 that nothing reads
    assert count(model) + unused_layer4 == 142_602_033


def test_default_full_size():
    with torch.device("meta"):
        model = Qafm(DEFAULT, HeadConfig(), 751, None)
        images = torch.zeros(2, 3, 384, 128)
        assert model.visual.backbone(images).shape == (2, 1024, 24, 8) and model.attribute.backbone(images).shape == (2, 2048, 12, 4)
        fused, logits, descriptor = fuse(model, images, torch.full((2,), 0.5))
    assert fused.shape == descriptor.shape == (2, 1000) and logits.shape == (2, 751)
    assert count(model.head) == 2048 * 1000 + 2 * 1000 + 1000 * 751
    backbones = 23_508_032 + 23_508_032 - 14_964_736
    assert count(model) == backbones + count(model.visual.apn) + count(model.attribute.apan) + count(model.head) == 109_081_110


def test_default_full_size_is_finite():
    model = Qafm(DEFAULT, HeadConfig(), 751, None).eval()
    with torch.no_grad():
        output = fuse(model, torch.randn(1, 3, 384, 128), torch.tensor([0.6]))
    assert all(torch.isfinite(x).all() for x in output)


def test_branches_compose_their_parts():
    model, images = small_model().eval(), torch.randn(2, 3, 96, 48)
    torch.testing.assert_close(model.visual(images), model.visual.apn(model.visual.backbone(images)))
    torch.testing.assert_close(model.attribute(images), model.attribute.apan(model.attribute.backbone(images)))
    assert model.visual.backbone.layer4 is None and model.attribute.backbone.layer4 is not None
    assert model.weight_mlp is None


def test_backbone_settings_matter():
    images = torch.randn(2, 3, 96, 48)
    base = small_model().eval()
    assert count(small_model(name="resnet18")) > count(base)
    finer = small_model(last_stride=1).eval()
    finer.load_state_dict(base.state_dict())
    torch.testing.assert_close(finer.visual(images).v_a, base.visual(images).v_a)
    assert not torch.allclose(finer.attribute(images).v_s, base.attribute(images).v_s)


def test_detached_vectors_keep_the_head_alone():
    model = small_model()
    images, w = torch.randn(4, 3, 64, 32), torch.full((4,), 0.4)
    output = model.head(model.visual(images).v_a.detach(), model.attribute(images).v_s.detach(), w)
    (output.logits.sum() + output.fused.square().sum()).backward()
    reached = {name.split(".")[0] for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert reached == {"head"}


@pytest.mark.parametrize("part", ["visual", "attribute"])
@pytest.mark.parametrize("size", [(96, 48), (128, 64)])
def test_branches_train_and_serve(check_learns, check_serves, part, size):
    branch, images = getattr(small_model(), part), torch.randn(3, 3, *size)
    check_learns(branch, images)
    check_serves(branch, images)
