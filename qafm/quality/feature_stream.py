"""Reading feature shards image by image in bounded memory."""

# V variants with the original, D feature length

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from qafm.errors import InputError
from qafm.tables.features import features_schema
from qafm.tables.parquet import open_parquet

IMAGES_PER_READ = 64


def _open(path: Path) -> pq.ParquetFile:
    """The open shard, its columns checked."""
    file = open_parquet(path)
    schema = file.schema_arrow
    allowed = []
    if schema.names == ["image_id", "variant", "feature"] and pa.types.is_fixed_size_list(schema.field("feature").type):
        allowed = [[field.type for field in features_schema(schema.field("feature").type.list_size, dtype)] for dtype in ("float32", "float16")]
    if [field.type for field in schema] not in allowed:
        raise InputError(
            f"{path}: columns are {[f'{field.name} {field.type}' for field in schema]}, expected image_id, variant and float vectors of one length"
        )
    return file


def _image(rows: pa.Table, path: Path, first_row: int) -> tuple[str, NDArray[Any]]:
    """image_id and features [V, D] of the V rows of one image."""
    image_ids, variants = rows["image_id"].to_pylist(), rows["variant"].to_pylist()
    for number, (image_id, variant) in enumerate(zip(image_ids, variants, strict=True)):
        if image_id != image_ids[0] or variant != number:
            raise InputError(f"{path}: row {first_row + number} is variant {variant} of {image_id}, expected variant {number} of {image_ids[0]}")
    column = rows["feature"].combine_chunks()
    features = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, column.type.list_size)
    if len(features) != len(rows) or not np.isfinite(features).all():
        raise InputError(f"{path}: the features of {image_ids[0]} (from row {first_row}) are not finite numbers")
    return image_ids[0], features


def read_features(path: Path, variants: int) -> Iterator[tuple[str, NDArray[Any]]]:
    """The images of a feature shard, one after the other.

    Args:
        path: features/{shard}.parquet (qafm.tables.features).
        variants: V, the variants each image must have, the original included.

    Yields:
        image_id and its features, float16 or float32 [V, D].

    Raises:
        InputError: the file cannot be read, has other columns, or the rows of an image are not variants 0..V-1 in
            a row; the message names the row.
    """
    with _open(path) as file:
        rest = file.schema_arrow.empty_table()
        row = 0
        for batch in file.iter_batches(batch_size=IMAGES_PER_READ * variants):
            rest = pa.concat_tables([rest, pa.Table.from_batches([batch])])
            whole = len(rest) // variants * variants
            for start in range(0, whole, variants):
                yield _image(rest.slice(start, variants), path, row + start)
            rest, row = rest.slice(whole), row + whole
        if len(rest):
            raise InputError(f"{path}: ends within an image: row {row} ({rest['image_id'][0]}) begins {len(rest)} of {variants} variants")
