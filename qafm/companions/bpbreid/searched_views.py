"""The images that are searched for and among, as a view shows them, a batch at a time.

N images of a batch, H W input size.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from tqdm import tqdm

from qafm.companions.bpbreid.views import Halves, View, take_view
from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.images.image_set import select_rows
from qafm.images.network_input import to_input

IMAGES_PER_BATCH = 64
Batch: TypeAlias = tuple[slice, torch.Tensor]


def searched_rows(images: Path, *, both: bool) -> pa.Table:
    """Rows of images.parquet of query and gallery, or (`both` false) of the query alone, junk left out.

    Raises:
        InputError: there is none.
    """
    rows = select_rows(images).filter(pc.field("split").isin(["query", "gallery"] if both else ["query"]))
    if rows.num_rows == 0:
        raise InputError(f"{images}: no {'query or gallery' if both else 'query'} image to embed")
    return rows


def view_pictures(rows: pa.Table, view: View, halves: Halves) -> Iterator[tuple[slice, list[np.ndarray]]]:
    """The images of `rows` as `view` shows them, uint8 of their own sizes, and which rows they are; a batch at a time in memory."""
    paths, names = rows["path"].to_pylist(), rows["image_id"].to_pylist()
    for start in tqdm(range(0, len(paths), IMAGES_PER_BATCH), desc=f"embed {view}", unit="batch", disable=None):
        batch = slice(start, min(start + IMAGES_PER_BATCH, len(paths)))
        yield batch, [take_view(read_image(Path(paths[i])), view, names[i], halves) for i in range(batch.start, batch.stop)]


def view_batches(rows: pa.Table, view: View, halves: Halves, height: int, width: int) -> Iterator[Batch]:
    """The same as input of a network, uint8 [N, 3, H, W]."""
    for batch, pictures in view_pictures(rows, view, halves):
        yield batch, torch.cat([to_input(picture[None], height, width) for picture in pictures])
