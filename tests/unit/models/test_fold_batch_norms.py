import copy

import pytest
import torch
from torch import nn

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.fusion import ArchitectureConfig, HeadConfig
from qafm.models.fold_batch_norms import fold_batch_norms
from qafm.models.ibn import Ibn
from qafm.models.qafm import Qafm
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.resnet import build_resnet


def norms(model: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())


@pytest.mark.parametrize(("name", "ibn", "left"), [("resnet10", False, 0), ("resnet18", False, 0), ("resnet50", False, 0), ("resnet50", True, 13)])
@torch.no_grad()
def test_a_trunk_gives_the_same_map(rough, name, ibn, left):
    model = rough(build_resnet(name, last_stride=1, ibn=ibn)).eval()
    images = torch.randn(2, 3, 64, 32)
    before = copy.deepcopy(model)(images)
    folded = fold_batch_norms(model)
    assert folded is model and norms(model) == left == sum(isinstance(module, Ibn) for module in model.modules())  # an Ibn keeps its own
    torch.testing.assert_close(model(images), before, rtol=1e-3, atol=1e-4 * float(before.abs().max()))


@torch.no_grad()
def test_the_baseline_and_the_whole_model_give_the_same_vectors(rough):
    backbone = BackboneConfig(name="resnet10", height=64, width=32)
    apn = ApnConfig(mfpm_channels=8, decoder_channels=(6,), lam_channels=(4, 12), embedding_dim=10)
    apan = ApanConfig(pafm_channels=6, step_channels=5, hidden_channels=4, embedding_dim=8)
    images = torch.randn(3, 3, 64, 32)
    baseline = rough(ReidBaseline(backbone=backbone, num_ids=7)).eval()
    qafm = rough(Qafm(ArchitectureConfig(backbone=backbone, apn=apn, apan=apan), HeadConfig(dim=9), 7, None)).eval()
    for model, vectors in ((baseline, lambda m: [m(images).feature]), (qafm, lambda m: [m.visual(images).v_a, m.attribute(images).v_s])):
        before, had = vectors(copy.deepcopy(model)), norms(model)
        fold_batch_norms(model)
        assert norms(model) < had / 2
        for now, then in zip(vectors(model), before, strict=True):
            torch.testing.assert_close(now, then, rtol=1e-3, atol=1e-4 * float(then.abs().max()))


def test_only_what_follows_a_convolution_is_folded():
    apart = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)).eval()
    fold_batch_norms(apart)
    assert [type(module) for module in apart] == [nn.Conv2d, nn.ReLU, nn.BatchNorm2d, nn.Conv2d, nn.Identity]


def test_a_network_in_training_is_refused():
    with pytest.raises(ValueError, match="training mode"):
        fold_batch_norms(build_resnet("resnet10", last_stride=1))
