"""embeddings.parquet joined with the labels of images.parquet, one side of a search at a time.

Shapes: N images of a side, Da and Ds lengths of v_a and v_s.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from qafm.errors import InputError
from qafm.evaluation.join_labels import Joined, join_labels, vector_column
from qafm.evaluation.ranking import Labels
from qafm.tables.embeddings import embeddings_schema
from qafm.tables.parquet import check_schema, read_parquet


@dataclass(frozen=True)
class Side:
    """The images of one split, in the order of images.parquet, without junk.

    Args:
        labels: who they are [N].
        distractor: always-wrong images, bool [N].
        weight: visual weight w of each image, float64 [N] in [0, 1].
        v_a: visual vectors, float32 [N, Da].
        v_s: attribute vectors, float32 [N, Ds].
    """

    labels: Labels
    distractor: np.ndarray
    weight: np.ndarray
    v_a: np.ndarray
    v_s: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> "Side":
        """The images at `rows`: indices or a bool mask [N]."""
        return Side(self.labels.take(rows), self.distractor[rows], self.weight[rows], self.v_a[rows], self.v_s[rows])


@dataclass(frozen=True)
class Embeddings:
    """The sides of an embeddings.parquet; `holdout` (held-out train identities) is None where there are none."""

    query: Side
    gallery: Side
    holdout: Side | None


def load_embeddings(images: Path, embeddings: Path) -> Embeddings:
    """Read `embeddings` and look up every image in `images`.

    Raises:
        InputError: a file has other columns, an image is unknown, a weight is not in [0, 1], or a query or gallery side is empty.
    """
    table = read_parquet(embeddings)
    everything = _all_rows(embeddings, table, joined := _joined(images, embeddings, table))
    weight_ok = (everything.weight >= 0) & (everything.weight <= 1)
    if not weight_ok.all():
        worst = int(np.flatnonzero(~weight_ok)[0])
        raise InputError(f"{embeddings}: {everything.labels.image_id[worst]}: visual_weight {everything.weight[worst]} is not in [0, 1]")
    holdout = joined.rows_of("holdout")
    return Embeddings(everything.take(joined.rows_of("query")), everything.take(joined.rows_of("gallery")), everything.take(holdout) if len(holdout) else None)


def _joined(images: Path, embeddings: Path, table: pa.Table) -> Joined:
    dims = [vector_column(embeddings, table, name).shape[1] for name in ("v_a", "v_s")]
    check_schema(embeddings, table.schema, embeddings_schema(*dims))
    return join_labels(images, embeddings, table)


def _all_rows(embeddings: Path, table: pa.Table, joined: Joined) -> Side:
    """Every row of the embeddings."""
    weight = table["visual_weight"].fill_null(float("nan")).to_numpy()
    return Side(joined.labels, joined.distractor, weight, vector_column(embeddings, table, "v_a"), vector_column(embeddings, table, "v_s"))
