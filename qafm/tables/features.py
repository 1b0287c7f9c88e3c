"""features/{shard}.parquet: one feature vector per image and variant."""

import pyarrow as pa


def features_schema(dim: int, dtype: str) -> pa.Schema:
    """Schema for features of length `dim` stored as `dtype` ("float32" or "float16").

    Rows of one image are consecutive, variant 0 (the original) first.
    """
    value = {"float32": pa.float32(), "float16": pa.float16()}[dtype]
    return pa.schema(
        [
            pa.field("image_id", pa.string(), nullable=False),
            pa.field("variant", pa.int8(), nullable=False),
            pa.field("feature", pa.list_(value, dim), nullable=False),
        ]
    )
