"""perturbed/{shard}.parquet: the original and the 34 variants of each image of a shard, at native size."""

import pyarrow as pa

PERTURBED_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("variants", pa.binary(), nullable=False),  # uint8 [V, height, width, 3] RGB; variant 0 is the original
    ]
)
