import re
import urllib.request
from pathlib import Path
from typing import get_args
from urllib.error import URLError

import pytest
import torch
import torchvision

from qafm.config.backbone import ResNetName
from qafm.errors import InputError
from qafm.models.imagenet import load_imagenet
from qafm.models.resnet import BLOCKS, build_resnet, load_trunk


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture
def offline_hub(tmp_path, monkeypatch) -> Path:
    """An empty hub folder, and no network."""

    def refuse(*_args, **_kwargs):
        raise URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr("torch.hub.urlopen", refuse)
    before = torch.hub.get_dir()
    torch.hub.set_dir(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    yield tmp_path / "checkpoints"
    torch.hub.set_dir(before)


@pytest.mark.parametrize(
    ("name", "layers", "parameters"),
    [
        ("resnet50", "layer4", 23_508_032),  # torchvision's 25,557,032 less its fc of 2,049,000
        ("resnet50", "layer3", 23_508_032 - 14_964_736),
        ("resnet34", "layer4", 21_797_672 - 513_000),
        ("resnet18", "layer4", 11_689_512 - 513_000),
    ],
)
def test_parameter_counts(name, layers, parameters):
    with torch.device("meta"):
        assert count(build_resnet(name, last_stride=2, layers=layers)) == parameters


@pytest.mark.parametrize(
    ("name", "layers", "last_stride", "shape"),
    [
        ("resnet10", "layer4", 2, (2, 512, 3, 2)),
        ("resnet10", "layer4", 1, (2, 512, 6, 3)),
        ("resnet10", "layer3", 2, (2, 256, 6, 3)),
        ("resnet10", "layer3", 1, (2, 256, 6, 3)),
        ("resnet50", "layer4", 1, (2, 2048, 6, 3)),
        ("resnet50", "layer3", 2, (2, 1024, 6, 3)),
    ],
)
def test_map_of_a_96x48_image(name, layers, last_stride, shape):
    with torch.device("meta"):
        trunk = build_resnet(name, last_stride=last_stride, layers=layers)
        assert trunk(torch.zeros(2, 3, 96, 48)).shape == shape
    assert trunk.out_channels == shape[1]


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
def test_equals_torchvision_from_the_same_seed(name):
    torch.manual_seed(3)
    reference = getattr(torchvision.models, name)(num_classes=1).eval()
    drawn = torch.rand(())
    torch.manual_seed(3)
    trunk = build_resnet(name, last_stride=2).eval()
    assert torch.equal(torch.rand(()), drawn)
    state = {key: value for key, value in reference.state_dict().items() if not key.startswith("fc.")}
    assert list(trunk.state_dict()) == list(state)
    assert all(torch.equal(trunk.state_dict()[key], value) for key, value in state.items())
    images = torch.randn(1, 3, 64, 32)
    expected = images
    for part, layer in list(reference.named_children())[:-2]:
        expected = layer(expected)
        if part == "layer3":
            middle = expected
    assert torch.equal(trunk(images), expected)
    torch.manual_seed(3)
    short = build_resnet(name, last_stride=2, layers="layer3").eval()
    assert torch.equal(torch.rand(()), drawn)
    assert torch.equal(short(images), middle)


def test_a_trunk_to_layer3_passes_over_layer4():
    trunk = build_resnet("resnet18", last_stride=2).eval()
    short = build_resnet("resnet18", last_stride=2, layers="layer3").eval()
    load_trunk(short, trunk.state_dict())
    trunk.drop_layer4()
    images = torch.randn(1, 3, 64, 32)
    assert torch.equal(short(images), trunk(images))


def test_last_stride_1_keeps_the_weights_usable():
    coarse, fine = build_resnet("resnet10", last_stride=2).eval(), build_resnet("resnet10", last_stride=1).eval()
    load_trunk(fine, coarse.state_dict())
    assert fine(torch.randn(1, 3, 64, 32)).shape[2:] == (4, 2)


def test_trains_and_serves(check_learns, check_serves):
    trunk, images = build_resnet("resnet10", last_stride=1), torch.randn(2, 3, 96, 48)
    check_learns(trunk, images)
    check_serves(trunk, images)


@pytest.mark.parametrize(("name", "last_stride"), [("resnet101", 2), ("resnet18", 3)])
def test_unknown_architecture(name, last_stride):
    with pytest.raises(InputError, match=f"^backbone: no '{name}' with last stride {last_stride}; known are resnet10, "):
        build_resnet(name, last_stride=last_stride)


def test_foreign_weights_are_named():
    trunk = build_resnet("resnet10", last_stride=2)
    state = trunk.state_dict()
    for change in ({"conv1.weight": torch.zeros(64, 1, 7, 7)}, {"zz.weight": torch.zeros(1)}):
        with pytest.raises(InputError, match=rf"^backbone weights: .* 1 tensors do not fit, the first is {next(iter(change))}$"):
            load_trunk(trunk, state | change)
    state.pop("layer4.0.bn2.bias")
    with pytest.raises(InputError, match=r"the first is layer4\.0\.bn2\.bias$"):
        load_trunk(trunk, state)
    load_trunk(build_resnet("resnet10", last_stride=2, layers="layer3"), state)
    state.pop("layer3.0.bn2.bias")
    with pytest.raises(InputError, match=r"the first is layer3\.0\.bn2\.bias$"):
        load_trunk(build_resnet("resnet10", last_stride=2, layers="layer3"), state)


def test_imagenet_without_network_says_what_to_do(offline_hub):
    expected = (
        f"imagenet weights of resnet50: cannot be downloaded or found in {offline_hub}; "
        "set backbone.init to random or extractor, or place the file resnet50-11ad3fa6.pth there"
    )
    with torch.device("meta"):
        trunk = build_resnet("resnet50", last_stride=2)
    with pytest.raises(InputError, match=f"^{re.escape(expected)}$"):
        load_imagenet(trunk, "resnet50")


def test_imagenet_from_a_file_in_the_hub_folder(offline_hub):
    reference = torchvision.models.resnet18()
    torch.save(reference.state_dict(), offline_hub / "resnet18-f37072fd.pth")
    trunk = build_resnet("resnet18", last_stride=1, layers="layer3")
    load_imagenet(trunk, "resnet18")
    assert torch.equal(trunk.layer3[1].conv2.weight, reference.layer3[1].conv2.weight)
    with pytest.raises(InputError, match=r"^backbone weights: not those of this ResNet"):
        load_imagenet(build_resnet("resnet34", last_stride=1), "resnet18")


@pytest.mark.parametrize("content", [b"", b"no weights at all"])
def test_damaged_imagenet_file_is_named(offline_hub, content):
    file = offline_hub / "resnet18-f37072fd.pth"
    file.write_bytes(content)
    with pytest.raises(InputError, match=f"^{re.escape(str(file))}: damaged"):
        load_imagenet(build_resnet("resnet10", last_stride=2), "resnet18")


def test_resnet10_has_no_imagenet_weights():
    with pytest.raises(InputError, match=r"^imagenet weights of resnet10: there are none; set backbone\.init to random or extractor$"):
        load_imagenet(build_resnet("resnet10", last_stride=2), "resnet10")


def test_ibn_normalises_half_of_the_channels_per_image():
    torch.manual_seed(0)
    plain, ibn = build_resnet("resnet18", last_stride=1).train(), build_resnet("resnet18", last_stride=1, ibn=True).train()
    assert count(ibn) == count(plain)  # both norms have a scale and a shift per channel
    norm = ibn.layer2[0].bn1
    x = torch.randn(5, 128, 6, 4) * torch.rand(5, 1, 1, 1) + torch.randn(5, 1, 1, 1)
    y = norm(x)
    half = x[:, :64]
    expected = (half - half.mean(dim=(2, 3), keepdim=True)) / (half.var(dim=(2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(y[:, :64], expected, atol=1e-4, rtol=1e-4)
    rest = x[:, 64:]
    expected = (rest - rest.mean(dim=(0, 2, 3), keepdim=True)) / (rest.var(dim=(0, 2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(y[:, 64:], expected, atol=1e-4, rtol=1e-4)
    assert [type(block.bn1).__name__ for layer in (ibn.layer1, ibn.layer2, ibn.layer3, ibn.layer4) for block in layer] == ["Ibn"] * 6 + ["BatchNorm2d"] * 2
    assert all(type(block.bn2).__name__ == "BatchNorm2d" for layer in (ibn.layer1, ibn.layer3) for block in layer)


def test_ibn_takes_out_an_images_gain_and_offset():
    """The instance-normalised half of the first block does not see how bright an image is."""
    torch.manual_seed(1)
    norm = build_resnet("resnet10", last_stride=1, ibn=True).eval().layer1[0].bn1
    x = torch.randn(2, 64, 8, 4)
    torch.testing.assert_close(norm(x)[:, :32], norm(3 * x + 2)[:, :32], atol=1e-4, rtol=1e-4)


def test_weights_without_ibn_do_not_fit_a_trunk_with_it():
    with pytest.raises(InputError, match="not those of this ResNet"):
        load_trunk(build_resnet("resnet10", last_stride=1, ibn=True), build_resnet("resnet10", last_stride=1).state_dict())


@pytest.mark.parametrize(("name", "parameters"), [("resnet18", 11_689_512 - 513_000), ("resnet50", 23_508_032)])
def test_a_narrow_trunk_has_fewer_channels_throughout(name, parameters):
    narrow, full = build_resnet(name, last_stride=1, channels=16), build_resnet(name, last_stride=1)
    assert narrow.out_channels == full.out_channels // 4
    assert narrow(torch.zeros(2, 3, 64, 32)).shape == (2, narrow.out_channels, 4, 2)
    matrices = sum(p.numel() for p in full.parameters() if p.dim() == 4 and p.shape[1] != 3)
    stem, vectors = full.conv1.weight.numel(), sum(p.numel() for p in full.parameters() if p.dim() == 1)
    assert matrices + stem + vectors == parameters
    assert count(narrow) == matrices // 16 + stem // 4 + vectors // 4  # both sides of each convolution a quarter; three colours, norms: one side
    assert list(narrow.state_dict()) == list(full.state_dict())
    assert build_resnet(name, last_stride=1, channels=16, layers="layer3").out_channels == narrow.out_channels // 2


def test_every_network_can_be_configured() -> None:
    assert get_args(ResNetName) == tuple(BLOCKS)
