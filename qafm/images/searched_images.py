"""The images that are embedded: every query, gallery and held-out image, junk left out."""

from pathlib import Path

import pyarrow.compute as pc

from qafm.errors import InputError
from qafm.images.image_set import ImageSet, load_image_set, select_rows


def load_searched(images: Path, height: int, width: int) -> ImageSet:
    """Decode and resize them.

    Args:
        images: images.parquet.
        height, width: of the network's input, pixels.

    Raises:
        InputError: there is none, or one cannot be read.
    """
    rows = select_rows(images)
    searched = rows.filter(pc.field("split").isin(["query", "gallery"]) | (pc.field("fold") == "holdout"))
    if searched.num_rows == 0:
        raise InputError(f"{images}: no query, gallery or held-out image to embed")
    return load_image_set(searched, height, width)
