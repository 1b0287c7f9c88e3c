"""ranking.parquet: the first ranks of every query under QAFM's own weights, and how well the query did.

One row per query, in the order of images.parquet. The lists have one entry per rank, nearest first; gallery images the protocol removes are not in them.
"""

import pyarrow as pa

RANKING_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("pid", pa.int32(), nullable=False),
        pa.field("camid", pa.int16()),
        pa.field("q", pa.float64()),
        pa.field("visual_weight", pa.float64(), nullable=False),
        pa.field("n_relevant", pa.int32(), nullable=False),  # right gallery images; 0: the query is excluded from the metrics
        pa.field("ap", pa.float64()),  # in [0, 1], over the whole gallery; null where n_relevant is 0
        pa.field("first_rank", pa.int32()),  # rank of the first right image, 1 = best; null where n_relevant is 0
        pa.field("gallery_id", pa.list_(pa.string()), nullable=False),
        pa.field("gallery_pid", pa.list_(pa.int32()), nullable=False),
        pa.field("gallery_camid", pa.list_(pa.int16()), nullable=False),
        pa.field("right", pa.list_(pa.bool_()), nullable=False),
        pa.field("distance", pa.list_(pa.float32()), nullable=False),  # Euclidean, of L2-normalised descriptors, in [0, 2]
        pa.field("gallery_q", pa.list_(pa.float64()), nullable=False),
        pa.field("gallery_weight", pa.list_(pa.float64()), nullable=False),  # visual weight
    ]
)
