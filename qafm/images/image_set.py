"""Images decoded once, resized to the input of a network and kept as uint8 in memory, with their labels.

N images, H W input size.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from tqdm import tqdm

from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.images.network_input import to_input
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet

UNKNOWN = -1


@dataclass(frozen=True)
class ImageSet:
    """Images with their labels, in the order of images.parquet."""

    image_ids: list[str]
    pixels: torch.Tensor  # uint8 [N, 3, H, W], RGB
    pids: np.ndarray  # int64 [N], raw identities
    camids: np.ndarray  # int64 [N], -1 without cameras
    splits: np.ndarray  # str [N]
    labels: torch.Tensor  # int64 [N], 0-based over the sorted identities of this set
    attributes: torch.Tensor  # int64 [N, 12] class codes, -1 = unknown

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def num_ids(self) -> int:
        """Number of identities in this set."""
        return int(self.labels.max()) + 1


def _column(rows: pa.Table, name: str, null: int) -> np.ndarray:
    return rows[name].fill_null(null).to_numpy().astype(np.int64)


def select_rows(images: Path, *, split: str | None = None, fold: str | None = None) -> pa.Table:
    """Rows of images.parquet that are no junk, of one split or one fold.

    Raises:
        InputError: there is no such row.
    """
    table = read_parquet(images, IMAGES_SCHEMA)
    keep = ~pc.field("junk")
    if split is not None:
        keep = keep & (pc.field("split") == split)
    if fold is not None:
        keep = keep & (pc.field("fold") == fold)
    rows = table.filter(keep)
    if rows.num_rows == 0:
        raise InputError(f"{images}: no image with split {split or 'any'} and fold {fold or 'any'}")
    return rows


def load_image_set(rows: pa.Table, height: int, width: int) -> ImageSet:
    """Decode and resize the images of `rows` (columns as in images.parquet)."""
    paths = rows["path"].to_pylist()
    pixels = torch.empty((len(paths), 3, height, width), dtype=torch.uint8)
    for index, path in enumerate(tqdm(paths, desc="decode", unit="image", disable=None)):
        pixels[index] = to_input(read_image(Path(path))[None], height, width)[0]
    pids = _column(rows, "pid", UNKNOWN)
    labels = np.unique(pids, return_inverse=True)[1]
    return ImageSet(
        image_ids=rows["image_id"].to_pylist(),
        pixels=pixels,
        pids=pids,
        camids=_column(rows, "camid", UNKNOWN),
        splits=rows["split"].to_numpy(zero_copy_only=False),
        labels=torch.from_numpy(labels),
        attributes=torch.from_numpy(np.stack([_column(rows, name, UNKNOWN) for name in ATTRIBUTE_NAMES], axis=1)),
    )
