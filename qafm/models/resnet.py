"""ResNet trunks without a classifier, on torchvision's ResNet (paper section III: ResNet-50, ImageNet; section III-A uses layer3, III-B layer4).

Shapes: N images, C channels, h x w the map: 1/16 of the input at layer3, 1/32 at layer4 (1/16 with last_stride 1).
"""

import pickle
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torchvision.models import get_model_weights
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from qafm.runtime.errors import InputError

BLOCKS: dict[str, tuple[type[BasicBlock | Bottleneck], list[int]]] = {
    "resnet10": (BasicBlock, [1, 1, 1, 1]),
    "resnet18": (BasicBlock, [2, 2, 2, 2]),
    "resnet34": (BasicBlock, [3, 4, 6, 3]),
    "resnet50": (Bottleneck, [3, 4, 6, 3]),
}


class ResNetTrunk(nn.Module):
    """A ResNet up to layer3 or layer4. Its parameters have torchvision's names, so state dicts fit both ways."""

    layer4: nn.Module | None

    def __init__(self, *, resnet: ResNet, layers: Literal["layer3", "layer4"]) -> None:
        super().__init__()
        self.conv1, self.bn1, self.relu, self.maxpool = resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool
        self.layer1, self.layer2, self.layer3 = resnet.layer1, resnet.layer2, resnet.layer3
        self.layer4 = resnet.layer4 if layers == "layer4" else None
        self.out_channels = resnet.inplanes if layers == "layer4" else resnet.inplanes // 2

    def forward(self, images: Tensor) -> Tensor:
        """Return the map of the last layer.

        Args:
            images: [N, 3, H, W], normalised with the ImageNet mean and standard deviation.
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))  # [N, 64, H/4, W/4]
        x = self.layer3(self.layer2(self.layer1(x)))  # [N, C3, H/16, W/16]
        return x if self.layer4 is None else self.layer4(x)  # [N, C4, H/32, W/32], or H/16, W/16 with last_stride 1


class Narrow(ResNet):
    """torchvision's ResNet with another number of channels."""

    def __init__(self, block: type[BasicBlock | Bottleneck], depths: list[int], channels: int) -> None:
        super().__init__(block, depths, num_classes=1)
        self.inplanes = channels
        self.conv1 = nn.Conv2d(3, channels, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            self._make_layer(block, channels << k, depth, stride=1 if k == 0 else 2) for k, depth in enumerate(depths)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


class Ibn(nn.Module):
    """Instance norm on the first half of the channels, batch norm on the rest: what light and camera change is taken out early, and told apart still (Pan et
    al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.instance_channels = channels // 2
        self.instance = nn.InstanceNorm2d(self.instance_channels, affine=True)
        self.batch = nn.BatchNorm2d(channels - self.instance_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x [N, C, h, w]."""
        return torch.cat([self.instance(x[:, : self.instance_channels]), self.batch(x[:, self.instance_channels :])], dim=1)


def build_resnet(name: str, *, last_stride: int, layers: Literal["layer3", "layer4"] = "layer4", channels: int = 64, ibn: bool = False) -> ResNetTrunk:
    """Build a trunk with random weights (He initialisation, torchvision's own).

    Args:
        name: resnet10, resnet18, resnet34 or resnet50.
        last_stride: stride of layer4, 1 or 2; without effect on a trunk that ends at layer3.
        layers: the last layer; "layer3" has no layer4 at all.
        channels: of the stem and layer1; 64 as published, each later layer has twice as many.
        ibn: `Ibn` in place of the first norm of each block in layers 1 to 3 (IBN-a).

    Raises:
        InputError: unknown name or stride.
    """
    if name not in BLOCKS or last_stride not in (1, 2):
        raise InputError(f"backbone: no {name!r} with last stride {last_stride}; known are {', '.join(BLOCKS)} with 1 or 2")
    block, depths = BLOCKS[name]
    resnet = ResNet(block, depths, num_classes=1) if channels == 64 else Narrow(block, depths, channels)
    if last_stride == 1:
        _remove_stride(resnet.layer4)
    if ibn:
        for block_of in (*resnet.layer1, *resnet.layer2, *resnet.layer3):
            assert isinstance(block_of, BasicBlock | Bottleneck)
            block_of.bn1 = Ibn(block_of.conv1.out_channels)
    return ResNetTrunk(resnet=resnet, layers=layers)


def _remove_stride(layer: nn.Sequential) -> None:
    """Set every stride-2 convolution of the layer to stride 1."""
    for module in layer.modules():
        if isinstance(module, nn.Conv2d):
            module.stride = (1, 1)


def load_imagenet(trunk: ResNetTrunk, name: str) -> None:
    """Load torchvision's official ImageNet weights (its DEFAULT: IMAGENET1K_V2 for ResNet-50) into the trunk.

    The file is taken from torch's hub folder, or downloaded into it.

    Raises:
        InputError: no such weights, no network and no file, a damaged file, or another architecture.
    """
    if name == "resnet10":
        raise InputError("imagenet weights of resnet10: there are none; set backbone.init to random or extractor")
    weights = get_model_weights(name)["DEFAULT"]
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    file = weights.url.rsplit("/", maxsplit=1)[-1]
    try:
        state = weights.get_state_dict(progress=True, check_hash=True, map_location="cpu", weights_only=True)
    except (OSError, HTTPException) as error:
        raise InputError(
            f"imagenet weights of {name}: cannot be downloaded or found in {folder}; set backbone.init to random or extractor, or place the file {file} there"
        ) from error
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise InputError(f"{folder / file}: damaged, remove it to download it again, or set backbone.init to random or extractor") from error
    load_trunk(trunk, {key: value for key, value in state.items() if not key.startswith("fc.")})


def load_trunk(trunk: ResNetTrunk, state_dict: Mapping[str, Tensor]) -> None:
    """Load a full trunk's weights; layer4 is passed over where the trunk has none, everything else must fit exactly.

    Args:
        state_dict: torchvision's names, without the classifier (`ReidBaseline.trunk.state_dict()`).

    Raises:
        InputError: a tensor is missing, unknown or of another shape; the first one is named.
    """
    own = trunk.state_dict()
    given = {key: value for key, value in state_dict.items() if trunk.layer4 is not None or not key.startswith("layer4.")}
    misfits = sorted(key for key in own.keys() | given.keys() if key not in own or key not in given or own[key].shape != given[key].shape)
    if misfits:
        raise InputError(f"backbone weights: not those of this ResNet, {len(misfits)} tensors do not fit, the first is {misfits[0]}")
    trunk.load_state_dict(given)
