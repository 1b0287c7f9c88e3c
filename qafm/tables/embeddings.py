"""embeddings.parquet: both branch vectors, Q and the weight of every query and gallery image (and of held-out ones)."""

import pyarrow as pa


def embeddings_schema(visual_dim: int, attribute_dim: int) -> pa.Schema:
    """Schema for v_a of length `visual_dim` and v_s of length `attribute_dim`."""
    return pa.schema(
        [
            pa.field("image_id", pa.string(), nullable=False),
            pa.field("split", pa.string(), nullable=False),  # query, gallery, holdout
            pa.field("q", pa.float64()),
            pa.field("visual_weight", pa.float64(), nullable=False),  # w, the weight of APN; paper_alpha = 1 - w
            pa.field("v_a", pa.list_(pa.float32(), visual_dim), nullable=False),  # after BN, before L2
            pa.field("v_s", pa.list_(pa.float32(), attribute_dim), nullable=False),
        ]
    )
