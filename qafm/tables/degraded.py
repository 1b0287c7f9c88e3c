"""Degraded queries: their vectors, Q and weight (embeddings/degraded.parquet), and what each achieved (degraded.parquet)."""

import pyarrow as pa

CLEAN = "none"  # the query as it is, level 0
_KEY = (
    pa.field("image_id", pa.string(), nullable=False),
    pa.field("degradation", pa.string(), nullable=False),
    pa.field("level", pa.float64(), nullable=False),  # 0 (as it is) to 1
    pa.field("q", pa.float64()),  # null where Q was not computed by this run
    pa.field("visual_weight", pa.float64()),  # null where it depends on a Q that is not known
)


def degraded_embeddings_schema(visual_dim: int, attribute_dim: int) -> pa.Schema:
    """Schema for v_a of length `visual_dim` and v_s of length `attribute_dim`."""
    vectors = [pa.field("v_a", pa.list_(pa.float32(), visual_dim), nullable=False), pa.field("v_s", pa.list_(pa.float32(), attribute_dim), nullable=False)]
    return pa.schema([*_KEY, *vectors])


def degraded_results_schema(weights: int) -> pa.Schema:
    """Schema of the results with `weights` fixed weights tried; AP in [0, 1]."""
    measured = [
        pa.field("pid", pa.int32(), nullable=False),
        pa.field("ap_apn", pa.float64(), nullable=False),  # by the branch's own descriptor
        pa.field("ap_apan", pa.float64(), nullable=False),
        pa.field("ap_qafm", pa.float64()),  # the query at its own weight, as is the gallery; null without a weight
        pa.field("ap_fixed", pa.list_(pa.float64(), weights), nullable=False),  # all at one weight, from 0 to 1 in equal steps
    ]
    return pa.schema([*_KEY, *measured])
