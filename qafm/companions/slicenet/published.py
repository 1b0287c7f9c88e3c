"""What COL780's report publishes, and how its test images are recognised."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import pyarrow.compute as pc

from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet

# SHA-256 over the sorted lines "query <sha256 of the file>" and "gallery <sha256 of the file>" of the report's 28 queries and 181 gallery images.
_TEST_IMAGES = "e9ad34174d0a9851d6bf98494a4b7c7649390ca943547f88abf3700c3f825754"


class Published(NamedTuple):
    """A row of the report's Table 5 in percent: the top-10 metric, the best epoch by these very images."""

    rank1: float
    rank5: float
    mAP: float


PUBLISHED = {
    "baseline": Published(92.9, 100.0, 86.1),
    "baseline_aug": Published(85.7, 100.0, 87.8),
    "slicenet1": Published(96.4, 100.0, 95.1),
    "slicenet2": Published(96.4, 100.0, 95.3),
    "slicenet2_long": Published(96.4, 100.0, 95.3),  # the report trained its SliceNets for 200 epochs
}


def are_the_reports(images: Path) -> bool:
    """Whether query and gallery of images.parquet are the report's, file by file.

    Raises:
        InputError: the file is damaged.
    """
    table = read_parquet(images, IMAGES_SCHEMA, ["split", "sha256", "junk"])
    rows = table.filter((pc.field("split") != "train") & ~pc.field("junk"))
    lines = sorted(f"{split} {sha256}" for split, sha256 in zip(rows["split"].to_pylist(), rows["sha256"].to_pylist(), strict=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest() == _TEST_IMAGES
