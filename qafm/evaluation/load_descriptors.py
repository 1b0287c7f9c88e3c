"""descriptors.parquet joined with the labels of images.parquet, one side of a search at a time.

Shapes: N images of a side, D length of a descriptor.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qafm.evaluation.fuse import unit_rows
from qafm.evaluation.join_labels import join_labels, vector_column
from qafm.evaluation.ranking import Labels
from qafm.tables.descriptors import descriptors_schema
from qafm.tables.parquet import check_schema, read_parquet


@dataclass(frozen=True)
class DescriptorSide:
    """The images of one split, in the order of images.parquet, without junk.

    Args:
        labels: who they are [N].
        distractor: always-wrong images, bool [N].
        descriptor: L2-normalised, float32 [N, D].
    """

    labels: Labels
    distractor: np.ndarray
    descriptor: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> "DescriptorSide":
        """The images at `rows`: indices or a bool mask [N]."""
        return DescriptorSide(self.labels.take(rows), self.distractor[rows], self.descriptor[rows])


@dataclass(frozen=True)
class Descriptors:
    """The sides of a descriptors.parquet; `holdout` (held-out train identities) is None where there are none."""

    query: DescriptorSide
    gallery: DescriptorSide
    holdout: DescriptorSide | None


def load_descriptors(images: Path, descriptors: Path) -> Descriptors:
    """Read `descriptors`, look up every image in `images`, and L2-normalise.

    Raises:
        InputError: a file has other columns, an image is unknown, or a query or gallery side is empty.
    """
    table = read_parquet(descriptors)
    vectors = vector_column(descriptors, table, "descriptor")
    check_schema(descriptors, table.schema, descriptors_schema(vectors.shape[1]))
    joined = join_labels(images, descriptors, table)
    everything = DescriptorSide(joined.labels, joined.distractor, unit_rows(vectors))
    holdout = joined.rows_of("holdout")
    return Descriptors(everything.take(joined.rows_of("query")), everything.take(joined.rows_of("gallery")), everything.take(holdout) if len(holdout) else None)
