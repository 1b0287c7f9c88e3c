"""The companions' networks on the common backbone, strip by strip against loops."""

import pytest
import torch
from torch.nn import functional

from qafm.companions.comparison.common_nets import CommonSlicedNet, build_common, common_descriptors
from qafm.companions.par.siamese_network import SiameseNetwork
from qafm.config.backbone import BackboneConfig
from qafm.config.common_recipe import CommonNetworkConfig, SiameseHead, SlicedHead
from qafm.errors import InputError

BACKBONE = BackboneConfig(name="resnet10", last_stride=1, channels=16, init="random", height=64, width=32)


def network(name: str, slices: int = 2, backbone: BackboneConfig = BACKBONE) -> CommonSlicedNet:
    torch.manual_seed(1)
    head = SlicedHead.model_validate({"network": name, "slices": slices, "dropout": 0.5})
    return CommonSlicedNet(backbone, head, 5).eval()


@pytest.mark.parametrize(("height", "width", "stride"), [(64, 32, 1), (64, 32, 2), (70, 35, 2), (128, 48, 1)])
def test_the_size_of_the_map_is_the_trunks(height: int, width: int, stride: int) -> None:
    backbone = BACKBONE.model_copy(update={"height": height, "width": width, "last_stride": stride})
    trunk = network("bignet", backbone=backbone).trunk
    assert trunk(torch.zeros(1, 3, height, width)).shape[2:] == backbone.map_size(height)


@torch.no_grad()
def test_bignet_sees_the_whole_map() -> None:
    model, images = network("bignet", slices=3), torch.randn(2, 3, 64, 32)
    assert model.slices == 1
    expected = functional.normalize(model.dense_10(model.trunk(images)))
    output = model(images)
    assert output.vector.shape == (2, 128)
    torch.testing.assert_close(output.vector, expected)
    torch.testing.assert_close(output.logits, model.classifier(expected))


@torch.no_grad()
def test_slicenet1_sends_each_strip_of_the_image_through_the_trunk() -> None:
    model, images = network("slicenet1"), torch.randn(3, 3, 64, 32)
    expected = torch.cat([functional.normalize(model.dense_10(model.trunk(images[:, :, top : top + 32]))) for top in (0, 32)], dim=1)
    torch.testing.assert_close(model(images).vector, expected)
    torch.testing.assert_close(common_descriptors(model, images), expected / 2**0.5)


@torch.no_grad()
def test_slicenet2_cuts_the_map() -> None:
    model, images = network("slicenet2"), torch.randn(3, 3, 64, 32)
    maps = model.trunk(images)
    expected = functional.normalize(torch.cat([model.dense_10(maps[:, :, top : top + 2]) for top in (0, 2)], dim=1))
    torch.testing.assert_close(model(images).vector, expected)


@pytest.mark.parametrize(("name", "slices", "rows"), [("slicenet2", 8, "4 rows of the backbone's map"), ("slicenet1", 5, "64 rows of the input")])
def test_strips_that_do_not_divide_are_refused(name: str, slices: int, rows: str) -> None:
    with pytest.raises(InputError, match=rf"companions\.slicenet\.slices: {slices} strips do not divide the {rows}"):
        network(name, slices)


def test_the_head_decides_what_is_built() -> None:
    siamese = build_common(CommonNetworkConfig(backbone=BACKBONE, head=SiameseHead(dim=7)), 5)
    assert isinstance(siamese, SiameseNetwork)
    found = common_descriptors(siamese.eval(), torch.randn(2, 3, 64, 32))
    assert found.shape == (2, 7)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    sliced = build_common(CommonNetworkConfig(backbone=BACKBONE, head=SlicedHead(network="slicenet2", slices=4, dropout=0.1)), 5)
    assert isinstance(sliced, CommonSlicedNet) and sliced.slices == 4 and sliced.dense_10.dropout.p == 0.1
    assert sliced.classifier.weight.shape == (128, 5)
