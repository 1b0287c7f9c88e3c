"""Training augmentation of images together with maps of what they show, such as part masks: the same draws move both.

N images, H W input size, C channels of a map.
"""

from collections.abc import Sequence

import torch

from qafm.config.training import AugmentConfig
from qafm.images.network_input import normalize
from qafm.training.augment import jitter, random_crop, random_erase


def augment_with_maps(pixels: torch.Tensor, maps: torch.Tensor, mirrored: Sequence[int], config: AugmentConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """Augment a batch as `augment.augment` does, draw for draw, and move its maps along.

    Args:
        pixels: uint8 [N, 3, H, W].
        maps: uint8 [N, C, H, W].
        mirrored: channel of a map that each channel becomes in a mirrored image, length C: left and right may change places.
        config: probabilities and ranges.

    Returns:
        The images, normalised float32 [N, 3, H, W], and the maps, float32 [N, C, H, W] in 0..255: 0 outside the old image and where it was erased.
    """
    chosen = (torch.rand(len(pixels)) < config.flip).to(pixels.device).view(-1, 1, 1, 1)
    both = torch.cat([pixels, maps], dim=1)  # [N, 3 + C, H, W]
    back = torch.cat([pixels, maps[:, list(mirrored)]], dim=1).flip(3)
    moved = random_crop(torch.where(chosen, back, both), config.pad_px)
    colored = jitter(moved[:, :3].float() / 255, config.brightness, config.contrast, config.saturation)
    erased = random_erase(torch.cat([normalize(colored * 255), moved[:, 3:].float()], dim=1), config.erase)
    return erased[:, :3].contiguous(memory_format=torch.channels_last), erased[:, 3:]
