"""The tables between BPBReID's stages.

E embeddings of an image that are compared one by one, D their length; K parts, h x w a feature map.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from qafm.tables.parquet import vector_array


def compared_embeddings(embedded: int, *, foreground: bool) -> slice:
    """Which of an image's embeddings a search compares: all, or where there are others all but the first, the foreground's."""
    return slice(None) if foreground or embedded == 1 else slice(1, None)


def views_schema(compared: int, dim: int) -> pa.Schema:
    """views/{view}.parquet: what is compared of every image, for `compared` = E embeddings of length `dim` = D."""
    return pa.schema(
        [
            pa.field("image_id", pa.string(), nullable=False),
            pa.field("split", pa.string(), nullable=False),  # query, gallery
            pa.field("vectors", pa.list_(pa.float32(), compared * dim), nullable=False),  # E * D, one embedding after the other, as the model gives them
            pa.field("visible", pa.list_(pa.uint8(), compared), nullable=False),  # 0 or 1
            pa.field("confidence", pa.list_(pa.float32(), compared), nullable=False),  # in [0, 1]
        ]
    )


def embeddings_table(image_ids: Sequence[str], splits: Sequence[str], vectors: np.ndarray, visible: np.ndarray, confidence: np.ndarray) -> pa.Table:
    """The table of `vectors` float32 [N, E, D], `visible` bool [N, E] and `confidence` float32 [N, E]."""
    compared, dim = vectors.shape[1:]
    columns = [
        vector_array(vectors.astype(np.float32).reshape(len(vectors), -1)),
        vector_array(visible.astype(np.uint8)),
        vector_array(confidence.astype(np.float32)),
    ]
    return pa.table([pa.array(list(image_ids)), pa.array(list(splits)), *columns], schema=views_schema(compared, dim))


def descriptors_as_parts(image_ids: Sequence[str], splits: Sequence[str], descriptors: np.ndarray) -> pa.Table:
    """The same table of systems that know no parts: `descriptors` float32 [N, D], one embedding an image, always visible."""
    always = np.ones((len(descriptors), 1), np.float32)
    return embeddings_table(image_ids, splits, descriptors[:, None], always > 0, always)


# maps.parquet: the part maps of every query and gallery image, as seen whole.
MAPS_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),  # h
        pa.field("width", pa.int32(), nullable=False),  # w
        pa.field("maps", pa.binary(), nullable=False),  # uint8 [K, h, w], probabilities times 255; the background is what is missing to 255
    ]
)


def maps_table(image_ids: Sequence[str], maps: np.ndarray) -> pa.Table:
    """The table of `maps`, uint8 [N, K, h, w]."""
    height, width = maps.shape[2:]
    count = len(image_ids)
    columns = [list(image_ids), [height] * count, [width] * count, [np.ascontiguousarray(each).tobytes() for each in maps]]
    return pa.table([pa.array(values, field.type) for values, field in zip(columns, MAPS_SCHEMA, strict=True)], schema=MAPS_SCHEMA)


# ranking.parquet: the first ranks of every query, and how far each part is from its counterpart.
PART_RANKING_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("pid", pa.int32(), nullable=False),
        pa.field("ap", pa.float64()),  # in [0, 1], over the whole gallery; null where nothing right is in it
        pa.field("first_rank", pa.int32()),  # of the first right image, 1 = best; null likewise
        pa.field("gallery_id", pa.list_(pa.string()), nullable=False),
        pa.field("right", pa.list_(pa.bool_()), nullable=False),
        pa.field("distance", pa.list_(pa.float32()), nullable=False),  # over what both images show
        pa.field("part_distance", pa.list_(pa.list_(pa.float32())), nullable=False),  # E per rank, whether visible or not
    ]
)
