"""activation_maps.parquet: where the branches look in the images of a few example pairs, and what drives each pair's match.

Four rows per image, in the order of KINDS; the query's before the gallery image's, example after example. Both images of a pair carry the pair's similarity.
"""

import pyarrow as pa

ROLES = ("query", "gallery")
ACTIVATIONS = ("visual_activation", "attribute_activation")  # mean over the channels of the branch's backbone, as in the paper's Figure 8
MATCHES = ("visual_match", "attribute_match")  # Grad-CAM of the similarity through APN and through APAN; both in units of similarity
KINDS = (*ACTIVATIONS, *MATCHES)
ACTIVATION_MAPS_SCHEMA = pa.schema(
    [
        pa.field("example", pa.string(), nullable=False),  # name of the pair, for example "success"
        pa.field("role", pa.string(), nullable=False),  # one of ROLES
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("other_id", pa.string(), nullable=False),  # the pair's other image
        pa.field("kind", pa.string(), nullable=False),  # one of KINDS
        pa.field("height", pa.int32(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("values", pa.list_(pa.float32()), nullable=False),  # height * width, row by row; >= 0 for MATCHES
        pa.field("similarity", pa.float64(), nullable=False),  # cosine of both fused descriptors, in [-1, 1]
        pa.field("visual_weight", pa.float64(), nullable=False),  # w of this image
        # What this image's visual vector adds to the similarity, its attribute vector adding the rest; null where a ReLU mixes the two.
        pa.field("visual_part", pa.float64()),
    ]
)
