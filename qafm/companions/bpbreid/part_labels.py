"""Part masks of many images as tensors: kept on PifPaf's own coarse grid, enlarged batch by batch, and reduced to labels of a feature map.

N images, K parts, channel 0 the background; H W input size, h w the feature map.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F

from qafm.companions.bpbreid.part_fields import find_fields, group_fields, read_fields
from qafm.datasets.synthetic.pifpaf_layout import grid_shape
from qafm.errors import InputError


def load_part_maps(masks: Path, image_ids: Sequence[str], grouping: str, height: int, width: int) -> torch.Tensor:
    """Read and group the masks of images.

    Args:
        masks: folder of the mask files, in the images' folders.
        image_ids: as in images.parquet.
        grouping: one of part_fields.GROUPINGS.
        height: H.
        width: W.

    Returns:
        Probabilities times 255, uint8 [N, K + 1, H/8 + 1, W/8 + 1].

    Raises:
        InputError: an image has no mask file, or one is no such file; the message names it.
    """
    maps = []
    for image_id in image_ids:
        path = find_fields(masks, image_id)
        if path is None:
            raise InputError(f"{(masks / image_id).with_suffix('.npy')}: no part masks of the image {image_id}")
        maps.append(read_part_maps(path, grouping, height, width))
    return torch.stack(maps)


def read_part_maps(path: Path, grouping: str, height: int, width: int) -> torch.Tensor:
    """One image's maps, as `load_part_maps` gives them: uint8 [K + 1, H/8 + 1, W/8 + 1]."""
    grouped = torch.from_numpy(group_fields(read_fields(path), grouping))[None]  # [1, K + 1, h, w] of the file
    return _to_bytes(_resize(grouped, grid_shape(height, width)) * 255)[0]


def enlarge_maps(maps: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Maps on the coarse grid, uint8 [N, K + 1, h', w'], at the size of the images, uint8 [N, K + 1, H, W]; the grid's corners are the image's."""
    return _to_bytes(_resize(maps.float(), (height, width)))


def map_labels(maps: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """The likeliest part in the middle of each cell of a feature map.

    Args:
        maps: [N, K + 1, H, W], uint8 or float; where all channels are 0 there is background.
        rows: h.
        columns: w.

    Returns:
        int64 [N, h, w] in [0, K].
    """
    return F.interpolate(maps.float(), size=(rows, columns), mode="bilinear", align_corners=False).argmax(dim=1)


def stripe_labels(count: int, rows: int, columns: int) -> torch.Tensor:
    """`count` horizontal stripes as labels 1..count, int64 [h, w]: stripe i ends above row round(i h / count)."""
    ends = torch.tensor([round(i * rows / count) for i in range(1, count + 1)])
    labels = 1 + torch.searchsorted(ends, torch.arange(rows), right=True)  # [h]
    return labels[:, None].expand(rows, columns)


def _resize(maps: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return maps if maps.shape[2:] == size else F.interpolate(maps, size=size, mode="bilinear", align_corners=True)


def _to_bytes(values: torch.Tensor) -> torch.Tensor:
    return values.round().clamp(0, 255).to(torch.uint8)
