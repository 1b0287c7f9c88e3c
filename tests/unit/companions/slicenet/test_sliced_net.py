"""The three networks against sums by hand and against the same computation image by image and strip by strip."""

import math
from collections.abc import Mapping

import pytest
import torch
from torch import nn
from torch.nn import functional

from qafm.companions.slicenet.sliced_net import CosineSoftmax, SlicedNet, cut
from qafm.companions.slicenet.trunk import Residual, Trunk, pad_end
from qafm.config.sliced_net import Network, NetworkConfig

BIGNET, SLICE_1, SLICE_2 = (NetworkConfig(network=name, slices=slices) for name, slices in (("bignet", 1), ("slicenet1", 4), ("slicenet2", 4)))
# By hand: a convolution i -> o has 9 i o + o (1 x 1: i o + o) parameters, a batch norm over c channels 2 c.
STEM = (9 * 3 * 32 + 32) + 64 + (9 * 32 * 32 + 32) + 64
R4 = 2 * (9 * 32 * 32 + 32) + 64  # no bn_0
R5 = R4 + 64
R6 = 64 + (9 * 32 * 64 + 64) + 128 + (9 * 64 * 64 + 64) + (32 * 64 + 64)
R7 = 128 + 2 * (9 * 64 * 64 + 64) + 128
R8 = 128 + (9 * 64 * 128 + 128) + 256 + (9 * 128 * 128 + 128) + (64 * 128 + 128)
R9 = 256 + 2 * (9 * 128 * 128 + 128) + 256
TRUNK = STEM + R4 + R5 + R6 + R7 + R8 + R9
IDS = 62


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def small(network: Network, slices: int = 2, dropout: float = 0.4) -> NetworkConfig:
    return NetworkConfig(network=network, height=32, width=16, slices=1 if network == "bignet" else slices, dropout=dropout)


def rough(model: SlicedNet) -> SlicedNet:
    """In eval mode, with statistics, scales and biases other than their neutral start."""
    torch.manual_seed(3)
    uneven(model)
    model.mean, model.std = torch.tensor([0.4, 0.5, 0.6]), torch.tensor([0.2, 0.25, 0.3])
    return model.eval()


def images(n: int, height: int = 32, width: int = 16) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_parameter_counts() -> None:
    assert count(Trunk(0.4)) == TRUNK == 705_120
    classifier = 128 * IDS + 1
    assert count(SlicedNet(BIGNET, IDS)) == TRUNK + (128 * 16 * 6) * 128 + 128 + 256 + classifier == 2_278_368 + classifier
    for config in (SLICE_1, SLICE_2):
        assert count(SlicedNet(config, IDS)) == TRUNK + (128 * 4 * 6) * 32 + 32 + 64 + classifier == 803_520 + classifier


def test_fifteen_weighted_layers_with_biases() -> None:
    model = SlicedNet(BIGNET, IDS)
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)}
    assert all(layer.bias is not None for layer in layers.values())
    assert len([name for name in layers if not name.endswith("shortcut")]) == 15
    assert all(module.p == 0.4 for module in model.modules() if isinstance(module, nn.Dropout))


def test_sizes_at_128_x_48() -> None:
    trunk, seen = Trunk(0.0).eval(), {}
    for name, module in trunk.named_children():
        module.register_forward_hook(lambda _module, _inputs, output, name=name: seen.update({name: tuple(output.shape[1:])}))
    trunk(torch.zeros(1, 3, 128, 48))
    assert seen["conv_2"] == (32, 128, 48)
    assert seen["pool"] == seen["r4"] == seen["r5"] == (32, 64, 24)
    assert seen["r6"] == seen["r7"] == (64, 32, 12)
    assert seen["r8"] == seen["r9"] == (128, 16, 6)


def test_padding_is_below_and_right() -> None:
    padded = pad_end(torch.ones(1, 1, 2, 2))
    assert padded[0, 0].tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize(("channels_in", "channels", "first"), [(32, 32, True), (32, 32, False), (32, 64, False)])
@torch.no_grad()
def test_residual_block(channels_in: int, channels: int, first: bool) -> None:
    torch.manual_seed(0)
    block = Residual(channels_in, channels, 0.4, first=first).eval()
    x = torch.randn(2, channels_in, 6, 4)
    y = x if first else functional.elu(block.bn_0(x))  # type: ignore[misc]
    if channels == channels_in:
        y = functional.conv2d(y, block.conv_1.weight, block.conv_1.bias, padding=1)
        shortcut = x
    else:  # the window's first row and column are those of the image: windows start at even places
        y = functional.conv2d(functional.pad(y, (0, 1, 0, 1)), block.conv_1.weight, block.conv_1.bias, stride=2)
        assert block.shortcut is not None
        shortcut = torch.einsum("nchw,oc->nohw", x[:, :, ::2, ::2], block.shortcut.weight[:, :, 0, 0]) + block.shortcut.bias.view(1, -1, 1, 1)  # type: ignore[union-attr]
    expected = functional.conv2d(functional.elu(block.bn_1(y)), block.conv_2.weight, block.conv_2.bias, padding=1) + shortcut
    torch.testing.assert_close(block(x), expected)
    assert (block.bn_0 is None) == first


def uneven(module: nn.Module) -> None:
    """Statistics, scales and biases of its batch norms other than their neutral start."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            for values, low, high in ((norm.running_mean, -0.5, 0.5), (norm.running_var, 0.5, 2), (norm.weight, 0.5, 2), (norm.bias, -0.5, 0.5)):
                assert values is not None
                nn.init.uniform_(values, low, high)


def slow_pool(x: torch.Tensor) -> torch.Tensor:
    """The largest value of each 3 x 3 window at even places; beyond the last row and column there are zeros, which count."""
    below = x.new_zeros(x.shape[0], x.shape[1], x.shape[2] + 1, x.shape[3] + 1)
    below[:, :, : x.shape[2], : x.shape[3]] = x
    rows = [torch.stack([below[:, :, i : i + 3, j : j + 3].amax(dim=(2, 3)) for j in range(0, x.shape[3], 2)], dim=2) for i in range(0, x.shape[2], 2)]
    return torch.stack(rows, dim=2)


def slow_trunk(state: Mapping[str, torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """Stem, pooling and residual blocks by the names of the weights, layer after layer as the original's facts list them; no dropout."""

    def convolved(x: torch.Tensor, name: str, **how: int) -> torch.Tensor:
        return functional.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **how)

    def activated(x: torch.Tensor, name: str) -> torch.Tensor:
        mean, var, scale, shift = (state[f"{name}.{value}"].view(1, -1, 1, 1) for value in ("running_mean", "running_var", "weight", "bias"))
        y = (x - mean) / (var + 1e-5).sqrt() * scale + shift
        return torch.where(y > 0, y, y.exp() - 1)  # ELU

    x = activated(convolved(images, "conv_1", padding=1), "bn_1")
    x = slow_pool(activated(convolved(x, "conv_2", padding=1), "bn_2"))
    for block, halves in (("r4", False), ("r5", False), ("r6", True), ("r7", False), ("r8", True), ("r9", False)):
        y = x if block == "r4" else activated(x, f"{block}.bn_0")
        y = convolved(functional.pad(y, (0, 1, 0, 1)), f"{block}.conv_1", stride=2) if halves else convolved(y, f"{block}.conv_1", padding=1)
        y = convolved(activated(y, f"{block}.bn_1"), f"{block}.conv_2", padding=1)
        x = y + (convolved(x, f"{block}.shortcut", stride=2) if halves else x)
    return x


@torch.no_grad()
def test_the_trunk_layer_by_layer() -> None:
    torch.manual_seed(0)
    trunk = Trunk(0.4).double()
    uneven(trunk)
    pictures = torch.randn(2, 3, 16, 24, dtype=torch.float64)
    torch.testing.assert_close(trunk.eval()(pictures), slow_trunk(trunk.state_dict(), pictures), rtol=1e-9, atol=1e-9)


@torch.no_grad()
def test_a_window_over_the_edge_sees_zeros() -> None:
    trunk = Trunk(0.4).eval()
    nn.init.zeros_(trunk.bn_2.weight)
    nn.init.constant_(trunk.bn_2.bias, -1.0)  # what is pooled is ELU(-1) everywhere
    inputs: list[torch.Tensor] = []
    trunk.r4.register_forward_pre_hook(lambda _module, args: inputs.append(args[0]))
    trunk(torch.zeros(1, 3, 8, 8))
    inside = math.exp(-1) - 1
    expected = torch.tensor([[inside, inside, inside, 0.0]] * 3 + [[0.0] * 4])
    torch.testing.assert_close(inputs[0][0, 5], expected)


@torch.no_grad()
def test_dropout_of_a_block_is_between_its_convolutions() -> None:
    """conv_2 that keeps every value and adds 1 shows what it was given: values as without dropout, over 1 - p, and zeros in their place."""
    torch.manual_seed(0)
    p, block, x = 0.25, Residual(6, 6, 0.25).double().train(), torch.randn(16, 6, 8, 4, dtype=torch.float64)
    nn.init.dirac_(block.conv_2.weight)
    nn.init.ones_(block.conv_2.bias)  # type: ignore[arg-type]

    def activated(maps: torch.Tensor) -> torch.Tensor:
        return functional.elu(functional.batch_norm(maps, None, None, training=True))

    whole = activated(functional.conv2d(activated(x), block.conv_1.weight, block.conv_1.bias, padding=1))
    given = block(x) - x - 1
    dropped = given.abs() < 1e-9
    torch.testing.assert_close(given[~dropped], whole[~dropped] / (1 - p))
    assert dropped.double().mean().item() == pytest.approx(p, abs=0.03)
    assert not dropped.flatten(2).all(dim=2).any() and not torch.equal(block(x), block(x))  # value by value, not whole maps; anew each time


def test_the_first_block_alone_has_no_bn_0_and_doubling_blocks_a_shortcut() -> None:
    blocks = {name: module for name, module in Trunk(0.4).named_children() if isinstance(module, Residual)}
    assert list(blocks) == ["r4", "r5", "r6", "r7", "r8", "r9"]
    assert [name for name, block in blocks.items() if block.bn_0 is None] == ["r4"]
    assert [name for name, block in blocks.items() if block.shortcut is not None] == ["r6", "r8"]


def test_strips_run_from_top_to_bottom_image_by_image() -> None:
    maps = torch.arange(2 * 3 * 4 * 2).view(2, 3, 4, 2)
    strips = cut(maps, 2)
    assert strips.shape == (4, 3, 2, 2)
    for image in range(2):
        for strip in range(2):
            assert torch.equal(strips[2 * image + strip], maps[image, :, 2 * strip : 2 * strip + 2])
    assert cut(maps, 1) is maps


@torch.no_grad()
def test_cosine_softmax() -> None:
    torch.manual_seed(0)
    layer = CosineSoftmax(5, 3)
    assert layer.kappa.item() == 1 and layer.kappa.requires_grad and layer.weight.shape == (5, 3)
    layer.kappa.fill_(2.5)
    r = torch.randn(2, 5)
    logits = layer(r)
    for n in range(2):
        for c in range(3):
            w = layer.weight[:, c]
            dot = sum(float(r[n, i]) * float(w[i]) for i in range(5))
            assert logits[n, c].item() == pytest.approx(2.5 * dot / sum(float(value) ** 2 for value in w) ** 0.5, rel=1e-5)


def test_classifier_starts_from_a_standard_normal() -> None:
    torch.manual_seed(0)
    weight = CosineSoftmax(128, 500).weight
    assert weight.mean().item() == pytest.approx(0, abs=0.02) and weight.std().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("network", ["bignet", "slicenet1", "slicenet2"])
@pytest.mark.parametrize("slices", [2, 4])
@torch.no_grad()
def test_strips_one_by_one_give_the_same(network: Network, slices: int) -> None:
    torch.manual_seed(0)
    model = rough(SlicedNet(small(network, slices), 5))
    pixels = images(3)
    output = model(pixels)
    assert output.vector.shape == (3, 128) and output.logits.shape == (3, 5)
    slices = 1 if network == "bignet" else slices
    for i, picture in enumerate(pixels):
        x = (picture.float() / 255 - torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1)) / torch.tensor([0.2, 0.25, 0.3]).view(3, 1, 1)
        if network == "slicenet1":
            vectors = [model.dense_10(model.trunk(strip[None]))[0] for strip in x.chunk(slices, dim=1)]
            expected = torch.cat([vector / vector.norm() for vector in vectors])
        else:
            vectors = [model.dense_10(part) for part in model.trunk(x[None]).chunk(slices, dim=2)]
            whole = torch.cat([vector[0] for vector in vectors])
            expected = whole / whole.norm()
        torch.testing.assert_close(output.vector[i], expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(output.logits[i], model.classifier(expected[None])[0], rtol=1e-4, atol=1e-5)
        assert output.vector[i].norm().item() == pytest.approx(slices**0.5 if network == "slicenet1" else 1, rel=1e-4)


@pytest.mark.parametrize("network", ["bignet", "slicenet1", "slicenet2"])
def test_everything_learns(network: Network) -> None:
    torch.manual_seed(0)
    model = SlicedNet(small(network), 4).train()
    functional.cross_entropy(model(images(6)).logits, torch.tensor([0, 1, 2, 3, 0, 1])).backward()
    still = [name for name, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.abs().sum() > 0]
    assert still == []
    assert {name for name, _ in model.named_buffers()} >= {"mean", "std"}


def test_dropout_is_configured() -> None:
    model, pixels = SlicedNet(small("bignet", dropout=0.0), 3).train(), images(4)
    assert torch.equal(model(pixels).vector, model(pixels).vector)
    model = SlicedNet(small("bignet", dropout=0.4), 3).train()
    assert not torch.equal(model(pixels).vector, model(pixels).vector)
