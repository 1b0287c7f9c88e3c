"""ResNet trunks without a classifier (paper section III: ResNet-50; section III-A uses layer3, III-B layer4).

Shapes: N images, C channels, h x w the map: 1/16 of the input at layer3, 1/32 at layer4 (1/16 with last_stride 1).
"""

from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn

from qafm.errors import InputError
from qafm.models.resnet_blocks import BasicBlock, Block, Bottleneck

BLOCKS: dict[str, tuple[type[Block], tuple[int, int, int, int]]] = {
    "resnet10": (BasicBlock, (1, 1, 1, 1)),
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
}


class ResNetTrunk(nn.Module):
    """A ResNet up to layer4, with random weights; `build_resnet` makes one by name.

    Its parameters have torchvision's names, so state dicts fit both ways.

    Args:
        block: of all layers.
        depths: blocks of each layer.
        channels: of the stem and layer1; each later layer has twice as many.
        last_stride: of layer4.
        ibn: half instance norm in the blocks of layers 1 to 3.
    """

    layer4: nn.Module | None

    def __init__(self, *, block: type[Block], depths: tuple[int, int, int, int], channels: int, last_stride: int, ibn: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        wide = block.expansion * channels
        self.layer1 = _layer(block, channels, channels, depths[0], stride=1, ibn=ibn)
        self.layer2 = _layer(block, wide, 2 * channels, depths[1], stride=2, ibn=ibn)
        self.layer3 = _layer(block, 2 * wide, 4 * channels, depths[2], stride=2, ibn=ibn)
        self.layer4 = _layer(block, 4 * wide, 8 * channels, depths[3], stride=last_stride, ibn=False)
        self.out_channels = 8 * wide

    def drop_layer4(self) -> None:
        """End the trunk at layer3."""
        self.layer4 = None
        self.out_channels //= 2

    def forward(self, images: Tensor) -> Tensor:
        """Return the map of the last layer.

        Args:
            images: [N, 3, H, W], normalised with the ImageNet mean and standard deviation.
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))  # [N, 64, H/4, W/4]
        x = self.layer3(self.layer2(self.layer1(x)))  # [N, C3, H/16, W/16]
        return x if self.layer4 is None else self.layer4(x)  # [N, C4, H/32, W/32], or H/16, W/16 with last_stride 1


def _layer(block: type[Block], in_channels: int, channels: int, depth: int, *, stride: int, ibn: bool) -> nn.Sequential:
    """`depth` blocks, the first of which takes the stride."""
    first = block(in_channels, channels, stride=stride, ibn=ibn)
    return nn.Sequential(first, *(block(block.expansion * channels, channels, stride=1, ibn=ibn) for _ in range(depth - 1)))


def build_resnet(name: str, *, last_stride: int, layers: Literal["layer3", "layer4"] = "layer4", channels: int = 64, ibn: bool = False) -> ResNetTrunk:
    """Build a trunk with random weights (He initialisation): from one seed, torchvision's own.

    Args:
        name: resnet10, resnet18, resnet34 or resnet50.
        last_stride: stride of layer4, 1 or 2; without effect on a trunk that ends at layer3.
        layers: the last layer; "layer3" has no layer4 at all.
        channels: of the stem and layer1; 64 as published, each later layer has twice as many.
        ibn: half instance norm in place of the first norm of each block in layers 1 to 3 (IBN-a).

    Raises:
        InputError: unknown name or stride.
    """
    if name not in BLOCKS or last_stride not in (1, 2):
        raise InputError(f"backbone: no {name!r} with last stride {last_stride}; known are {', '.join(BLOCKS)} with 1 or 2")
    block, depths = BLOCKS[name]
    trunk = ResNetTrunk(block=block, depths=depths, channels=channels, last_stride=last_stride, ibn=ibn)
    nn.Linear(trunk.out_channels, 1)  # the classifier that torchvision makes takes draws, too: so what follows starts as it does there
    for module in trunk.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if layers == "layer3":  # after the draws: a seed starts layers 1 to 3 alike in both trunks
        trunk.drop_layer4()
    return trunk


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
