"""quality.parquet: Q(I) of every image that is not junk, sorted by image_id. Low Q = stable features = good."""

import pyarrow as pa

FAMILIES = ("light", "blur", "occlusion", "background", "noise")
QUALITY_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("q", pa.float64(), nullable=False),  # the Q the weight is computed from (config: quality.normalize)
        pa.field("q_normalized", pa.float64()),  # on L2-normalised features; null where Q was not computed here
        pa.field("q_raw", pa.float64()),  # on raw features: Eq. 1 verbatim
        pa.field("mean_norm", pa.float64()),  # mean norm of the raw features
        pa.field("q_z", pa.float64(), nullable=False),  # (q - mean) / sd over the reference images
        pa.field("q_rank", pa.float64(), nullable=False),  # share of reference images with a lower q, in [0, 1]
        *(pa.field(f"q_{family}", pa.float64()) for family in FAMILIES),  # pairs within {original + the family's variants}
    ]
)
