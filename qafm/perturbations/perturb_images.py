"""Stage 2: the perturbed images of one shard."""

# B images of a row group, V variants with the original, H, W height and width in pixels

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from tqdm import tqdm

from qafm.config.perturb import PerturbConfig
from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.perturbations.stack import perturb
from qafm.runtime.files import file_sha256, whole_file
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet
from qafm.tables.perturbed import PERTURBED_SCHEMA

GROUP_IMAGES = 16  # images of a row group at most: what the stage and its reader hold in memory
GROUP_BYTES = 64 << 20  # and bytes of a row group, where images are large; a larger image has a group of its own
CELL_BYTES = (1 << 31) - 1  # what one cell of a binary column can hold


def shard_rows(images: Path, shard: int, shards: int) -> list[dict[str, Any]]:
    """The images of one shard: row i of images.parquet belongs to shard i mod `shards`; junk is left out.

    Args:
        images: images.parquet.
        shard: 0..shards-1.
        shards: number of shards, >= 1.

    Returns:
        image_id, path and sha256 of each, in the order of images.parquet.

    Raises:
        ValueError: there is no such shard.
        InputError: images.parquet cannot be read or is not sorted by image_id.
    """
    if not 0 <= shard < shards:
        raise ValueError(f"shard {shard} of {shards}: expected 0 to {shards - 1}")
    rows = read_parquet(images, IMAGES_SCHEMA, columns=["image_id", "path", "sha256", "junk"]).to_pylist()
    for number, (first, second) in enumerate(pairwise(rows)):
        if first["image_id"] >= second["image_id"]:
            raise InputError(f"{images}: row {number + 1} ({second['image_id']}) is not sorted by image_id, or is there twice")
    return [row for row in rows[shard::shards] if not row["junk"]]


def _perturbed(row: dict[str, Any], images: Path, config: PerturbConfig) -> NDArray[np.uint8]:
    """The stack [V, H, W, 3] of one image, checked to be the indexed one."""
    path = Path(row["path"])
    try:
        digest = file_sha256(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}), but {images} names it") from error
    if digest != row["sha256"]:
        raise InputError(f"{path}: changed since it was indexed in {images}")
    image = read_image(path)
    if (1 + config.variants) * image.nbytes > CELL_BYTES:
        raise InputError(f"{path}: {image.shape[1]} x {image.shape[0]} pixels are too many for {config.variants} variants; crops of persons are expected")
    return perturb(image, row["image_id"], config)


def _batch(image_ids: list[str], stacks: list[NDArray[np.uint8]]) -> pa.RecordBatch:
    offsets = np.cumsum([0, *(stack.nbytes for stack in stacks)], dtype=np.int32)
    data = np.concatenate([stack.reshape(-1) for stack in stacks])
    variants = pa.Array.from_buffers(pa.binary(), len(stacks), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    heights, widths = ([stack.shape[axis] for stack in stacks] for axis in (1, 2))
    return pa.record_batch([pa.array(image_ids), pa.array(heights, pa.int32()), pa.array(widths, pa.int32()), variants], schema=PERTURBED_SCHEMA)


def _batches(rows: list[dict[str, Any]], images: Path, config: PerturbConfig) -> Iterator[pa.RecordBatch]:
    """Row groups of at most GROUP_IMAGES images and GROUP_BYTES bytes, a single larger image excepted."""
    image_ids: list[str] = []
    stacks: list[NDArray[np.uint8]] = []
    for row in rows:
        stack = _perturbed(row, images, config)
        if stacks and (len(stacks) == GROUP_IMAGES or sum(held.nbytes for held in stacks) + stack.nbytes > GROUP_BYTES):
            yield _batch(image_ids, stacks)
            image_ids, stacks = [], []
        image_ids.append(row["image_id"])
        stacks.append(stack)
    if stacks:
        yield _batch(image_ids, stacks)


def perturb_images(images: Path, config: PerturbConfig, shard: int, shards: int, out: Path) -> None:
    """Write the original and the variants (34 by default) of each image of a shard (paper section III-C).

    Args:
        images: images.parquet; the paths in it are opened.
        config: stage 2.
        shard: 0..shards-1; image i of `images` belongs to shard i mod `shards`, junk is left out.
        shards: number of shards, >= 1.
        out: the table to write (qafm.tables.perturbed), a row per image in the order of `images`; it has no rows
            if the shard has no images.

    Raises:
        InputError: `images` or an image cannot be read, or an image changed since it was indexed.
        ValueError: there is no such shard.
    """
    cv2.setNumThreads(1)  # images are small and shards run side by side
    rows = shard_rows(images, shard, shards)
    progress = tqdm(total=len(rows), desc=f"perturb shard {shard}", unit="image", disable=None)
    with (
        whole_file(out) as temporary,
        pq.ParquetWriter(temporary, PERTURBED_SCHEMA, compression="zstd", compression_level=1, use_dictionary=False, write_statistics=False) as writer,
        progress,
    ):
        for batch in _batches(rows, images, config):
            writer.write_batch(batch)
            progress.update(batch.num_rows)
