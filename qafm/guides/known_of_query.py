"""What can be told of a query before anybody says whom it shows: each may guide the weight between the branches, as Q does.

Shapes: N images of a side, G gallery images.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.load_descriptors import DescriptorSide
from qafm.evaluation.load_embeddings import Side
from qafm.evaluation.ranking import Labels, content_codes
from qafm.quality.image_statistics import STATISTICS, measure_images
from qafm.quality.published import published_of
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet
from qafm.tables.quality import FAMILIES, QUALITY_SCHEMA

CHUNK = 256
BY_QUALITY = ("q", *(f"q_{family}" for family in FAMILIES))
BY_FILE = ("compared",)
BY_NETWORK = ("visual_weight", "apn_norm", "apan_norm")
BY_SEARCH = ("nearest", "score_curve")
GUIDES = {
    name: reads
    for names, reads in ((BY_QUALITY, "Q"), (BY_FILE, "quality.compare"), (STATISTICS, "picture"), (BY_NETWORK, "network"), (BY_SEARCH, "search"))
    for name in names
}


def quality_guides(quality: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Q and its parts by family of perturbations, float64 [N] each; NaN where an image has none.

    Raises:
        InputError: the table cannot be read.
    """
    table = read_parquet(quality, QUALITY_SCHEMA, columns=["image_id", *BY_QUALITY])
    row_of = {name: row for row, name in enumerate(table["image_id"].to_pylist())}
    rows = np.array([row_of.get(name, -1) for name in names], np.int64)
    columns = {name: table[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in BY_QUALITY}
    return {name: np.append(column, np.nan)[rows] for name, column in columns.items()}


def file_guides(compare: Path | None, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Anybody's measure, from a CSV file (`quality.compare`), float64 [N]; NaN where it names no value; without a file, nothing.

    Raises:
        InputError: as `published_of`.
    """
    known = {} if compare is None else published_of(compare, names)
    return {} if compare is None else {"compared": np.array([known.get(name, np.nan) for name in names])}


def picture_guides(images: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Sharpness, brightness and contrast of the image files, float64 [N] each; `names` are all in `images`.

    Raises:
        InputError: the table or an image cannot be read.
    """
    table = read_parquet(images, IMAGES_SCHEMA, ["image_id", "path"])
    path_of = dict(zip(table["image_id"].to_pylist(), table["path"].to_pylist(), strict=True))
    return measure_images([Path(path_of[str(name)]) for name in names])


def network_guides(side: Side) -> dict[str, np.ndarray]:
    """The learned weight, and the norms of both branches' vectors, float64 [N] each."""
    norms = (np.linalg.norm(vectors, axis=1).astype(np.float64) for vectors in (side.v_a, side.v_s))
    return dict(zip(BY_NETWORK, (side.weight, *norms), strict=True))


def search_guides(
    query: tuple[DescriptorSide, DescriptorSide], gallery: tuple[DescriptorSide, DescriptorSide], same_camera: SameCamera
) -> dict[str, np.ndarray]:
    """What the two searches of a query tell without its label, float64 [N] each; positive in favour of the first descriptor.

    `nearest`: similarity of the nearest gallery image by the first descriptor minus that by the second. `score_curve`: of Zheng et al. (CVPR 2015), who trust
    a feature whose sorted scores fall steeply: log of the second area over the first, where an area is that below a query's scores, scaled to 0..1 (their
    reference curve is left out). The gallery images of the query's own camera do not count (`drop`), nor does the query itself; NaN where nothing is left.

    Args:
        query: the queries by the first and by the second descriptor, the same images.
        gallery: the gallery, likewise.
        same_camera: "drop" or "keep", as in `evaluate_retrieval`.
    """
    hides = _Hidden(query[0].labels, gallery[0].labels, same_camera)
    nearest, area = np.full((2, 2, len(query[0])), np.nan)
    for start in range(0, len(query[0]), CHUNK):
        rows = slice(start, start + CHUNK)
        shown = ~hides.of(rows)  # [n, G]
        some = shown.any(axis=1)
        for k in (0, 1):
            scores = query[k].descriptor[rows] @ gallery[k].descriptor.T
            high, low = np.max(scores, axis=1, where=shown, initial=-np.inf), np.min(scores, axis=1, where=shown, initial=np.inf)
            mean = scores.sum(axis=1, where=shown, dtype=np.float64) / np.maximum(shown.sum(axis=1), 1)
            nearest[k, rows] = np.where(some, high, np.nan)
            span = np.where(some & (high > low), high - low, np.nan)  # all scores equal: no curve
            area[k, rows] = (mean - np.where(some, low, np.nan)) / span
    return dict(zip(BY_SEARCH, (nearest[0] - nearest[1], np.log(area[1] / area[0])), strict=True))


class _Hidden:
    """Which gallery images a query does not see: what can be known without labels."""

    def __init__(self, query: Labels, gallery: Labels, same_camera: SameCamera) -> None:
        if same_camera not in ("drop", "keep"):
            raise InputError(f"same_camera: {same_camera!r} is neither drop nor keep")
        self.query, self.gallery, self.drop = query, gallery, same_camera == "drop"
        self.query_content, self.gallery_content = content_codes(query, gallery)

    def of(self, rows: slice) -> np.ndarray:
        """The hidden images of the queries `rows`, bool [n, G]."""
        same = self.query_content[rows, None] == self.gallery_content
        return same | (self.query.camid[rows, None] == self.gallery.camid) if self.drop else same
