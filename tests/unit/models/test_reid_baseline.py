import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.models.reid_baseline import ReidBaseline

SMALL = BackboneConfig(name="resnet10", height=96, width=48)


@torch.no_grad()
def test_feature_is_the_mean_of_the_map_before_the_neck(rough):
    model = rough(ReidBaseline(backbone=SMALL, num_ids=7)).eval()
    images = torch.randn(2, 3, 96, 48)
    feature, logits = model(images)
    trunk_map = model.trunk(images)
    assert float(feature[1, 3]) == pytest.approx(sum(float(value) for value in trunk_map[1, 3].flatten()) / trunk_map[1, 3].numel(), rel=1e-5)
    torch.testing.assert_close(logits, model.neck(trunk_map.mean(dim=(2, 3))).logits)
    assert logits.shape == (2, 7)


def test_full_size():
    with torch.device("meta"):
        model = ReidBaseline(backbone=BackboneConfig(), num_ids=751)
        feature, logits = model(torch.zeros(2, 3, 384, 128))
    assert feature.shape == (2, 2048) and logits.shape == (2, 751)
    assert sum(parameter.numel() for parameter in model.parameters()) == 23_508_032 + 2 * 2048 + 2048 * 751


def test_backbone_settings_matter():
    images = torch.randn(1, 3, 96, 48)
    features = []
    for config in (SMALL, SMALL.model_copy(update={"last_stride": 1}), SMALL.model_copy(update={"name": "resnet18"})):
        torch.manual_seed(0)
        features.append(ReidBaseline(backbone=config, num_ids=3).eval()(images).feature)
    assert not torch.allclose(features[0], features[1]) and not torch.allclose(features[0], features[2])


def test_trains_and_serves(check_learns, check_serves):
    model, images = ReidBaseline(backbone=SMALL, num_ids=5), torch.randn(2, 3, 96, 48)
    check_learns(model, images)
    check_serves(model, images)
