import pytest
import torch

from qafm.companions.par.par_network import ParNetwork
from qafm.companions.par.siamese_network import SiameseNetwork
from qafm.models.resnet import build_resnet
from tests.unit.companions.par.conftest import BACKBONE

IMAGES = torch.randn(3, 3, 64, 32, generator=torch.Generator().manual_seed(1))


def test_every_head_reads_the_pooled_map() -> None:
    torch.manual_seed(1)
    model = ParNetwork(BACKBONE, {"gender": 2, "up_color": 9}, dropout=0.5).eval()
    found = model(IMAGES)
    pooled = model.trunk(IMAGES).mean(dim=(2, 3))
    assert {name: tuple(values.shape) for name, values in found.items()} == {"gender": (3, 2), "up_color": (3, 9)}
    linear = model.heads["up_color"][1]
    torch.testing.assert_close(found["up_color"], pooled @ linear.weight.T + linear.bias)


def test_dropout_acts_in_training_alone_and_apart_for_each_head() -> None:
    torch.manual_seed(2)
    model = ParNetwork(BACKBONE, {"gender": 2, "hair": 2}, dropout=0.5)
    model.heads["hair"].load_state_dict(model.heads["gender"].state_dict())
    model.eval()
    assert torch.equal(model(IMAGES)["gender"], model(IMAGES)["hair"])
    for module in model.heads.modules():
        module.train()
    assert not torch.allclose(model(IMAGES)["gender"], model(IMAGES)["hair"])
    model = ParNetwork(BACKBONE, {"gender": 2}, dropout=0.0).eval()
    before = model(IMAGES)["gender"]
    model.heads.train()
    assert torch.equal(model(IMAGES)["gender"], before)


def test_siamese_descriptors_are_unit_vectors_of_the_projected_map() -> None:
    torch.manual_seed(3)
    model = SiameseNetwork(BACKBONE, dim=7).eval()
    found = model(IMAGES)
    linear = model.project[1]
    raw = model.trunk(IMAGES).mean(dim=(2, 3)).relu() @ linear.weight.T + linear.bias
    torch.testing.assert_close(found, raw / raw.norm(dim=1, keepdim=True))
    assert found.shape == (3, 7)
    assert found.norm(dim=1).tolist() == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("change", [{"name": "resnet18"}, {"channels": 16}, {"ibn": True}, {"last_stride": 2}])
def test_every_setting_of_the_backbone_reaches_both_networks(change: dict[str, object]) -> None:
    backbone = BACKBONE.model_copy(update=change)
    expected = build_resnet(backbone.name, last_stride=backbone.last_stride, channels=backbone.channels, ibn=backbone.ibn)
    for model in (ParNetwork(backbone, {"gender": 2}, 0.5), SiameseNetwork(backbone, 7)):
        model.trunk.load_state_dict(expected.state_dict())
        torch.testing.assert_close(model.trunk.eval()(IMAGES), expected.eval()(IMAGES))


def test_both_networks_have_the_same_trunk_and_every_parameter_learns() -> None:
    par, siamese = ParNetwork(BACKBONE, {"gender": 2}, 0.5), SiameseNetwork(BACKBONE, 7)
    names = set(build_resnet("resnet10", last_stride=1, channels=16).state_dict())
    assert {name.removeprefix("trunk.") for name in par.state_dict() if name.startswith("trunk.")} == names
    assert {name.removeprefix("trunk.") for name in siamese.state_dict() if name.startswith("trunk.")} == names
    for model, out in ((par, par(IMAGES)["gender"]), (siamese, siamese(IMAGES))):
        (out * torch.randn_like(out)).sum().backward()
        assert all(parameter.grad is not None and torch.isfinite(parameter.grad).all() for parameter in model.parameters())
