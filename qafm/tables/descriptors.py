"""descriptors.parquet: one retrieval descriptor of every query and gallery image (and of held-out ones), for systems that need no second vector."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from qafm.tables.parquet import vector_array


def descriptors_schema(dim: int) -> pa.Schema:
    """Schema for descriptors of length `dim`."""
    return pa.schema(
        [
            pa.field("image_id", pa.string(), nullable=False),
            pa.field("split", pa.string(), nullable=False),  # query, gallery, holdout
            pa.field("descriptor", pa.list_(pa.float32(), dim), nullable=False),  # L2-normalised: compared by Euclidean distance, which ranks as cosine does
        ]
    )


def descriptors_table(image_ids: Sequence[str], splits: Sequence[str], descriptors: np.ndarray) -> pa.Table:
    """The table of `descriptors`, float32 [N, D], already L2-normalised; `splits` as in images.parquet: train images in it are held-out ones."""
    stored = ["holdout" if split == "train" else split for split in splits]
    vectors = vector_array(descriptors.astype(np.float32, copy=False))
    return pa.table([pa.array(list(image_ids)), pa.array(stored), vectors], schema=descriptors_schema(descriptors.shape[1]))
