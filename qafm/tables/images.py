"""images.parquet: one row per image of a data set, sorted by image_id."""

import pyarrow as pa

from qafm.tables.attributes import ATTRIBUTE_NAMES

SPLITS = ("train", "query", "gallery")
IMAGES_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),  # POSIX path below the data set's root: unique and stable
        pa.field("path", pa.string(), nullable=False),  # what to open, as the config names the root
        pa.field("split", pa.string(), nullable=False),  # one of SPLITS
        pa.field("fold", pa.string()),  # train only: "fit" or "holdout"
        pa.field("pid", pa.int32(), nullable=False),  # raw identity; -1 junk, 0 distractor
        pa.field("camid", pa.int16()),  # 1-based; null where a data set has no cameras
        pa.field("sequence", pa.int16()),
        pa.field("frame", pa.int32()),
        pa.field("junk", pa.bool_(), nullable=False),  # neither right nor wrong: never ranked
        pa.field("distractor", pa.bool_(), nullable=False),  # always wrong
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        *(pa.field(name, pa.int8()) for name in ATTRIBUTE_NAMES),  # 0-based class code, null = unknown
    ]
)
