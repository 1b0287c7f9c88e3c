"""Companion c3: the first ranks of every query by its visible parts, for the picture with part maps.

E embeddings of an image.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qafm.companions.bpbreid.load_parts import load_parts
from qafm.companions.bpbreid.part_distance import PartSide, euclidean, part_similarity
from qafm.companions.bpbreid.part_tables import PART_RANKING_SCHEMA
from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.first_ranks import FirstRanks
from qafm.evaluation.ranking import Matches, Retrieval, evaluate_retrieval
from qafm.tables.parquet import write_parquet


def rank_parts(images: Path, embeddings: Path, *, foreground: bool, same_camera: SameCamera, depth: int, out: Path) -> None:
    """Rank the standard gallery for every query, by what is visible in both images (binary), and write the first ranks.

    Args:
        images: images.parquet.
        embeddings: the system's embeddings of whole images.
        foreground: whether the first embedding is compared beside the others.
        same_camera: "drop" or "keep", as in `evaluate_retrieval`.
        depth: ranks to keep of every query.
        out: ranking.parquet.

    Raises:
        InputError: a bad file, or no query with a valid match.
    """
    query, gallery = load_parts(images, embeddings, embeddings, foreground=foreground)
    first = FirstRanks(part_similarity(query, gallery, "binary"), Matches(query.labels, gallery.labels, same_camera), depth)
    try:
        retrieval = evaluate_retrieval(query.labels, gallery.labels, first, same_camera=same_camera)
    except InputError as error:
        raise InputError(f"{embeddings}: {error}") from error
    write_parquet(out, _to_table(query, gallery, retrieval, first))


def _to_table(query: PartSide, gallery: PartSide, retrieval: Retrieval, first: FirstRanks) -> pa.Table:
    names = gallery.labels.image_id
    columns: dict[str, Any] = {
        "image_id": query.labels.image_id.tolist(),
        "pid": query.labels.pid.tolist(),
        "ap": [ap if valid else None for ap, valid in zip(retrieval.ap.tolist(), retrieval.valid, strict=True)],
        "first_rank": [rank or None for rank in retrieval.first_rank.tolist()],
        "gallery_id": [names[places].tolist() for places in first.places],
        "right": [np.isin(places, relevant) for places, relevant in zip(first.places, first.relevant, strict=True)],
        "distance": [-scores for scores in first.scores],
        "part_distance": [_apart(query, i, gallery, places) for i, places in enumerate(first.places)],
    }
    return pa.table({name: pa.array(values, PART_RANKING_SCHEMA.field(name).type) for name, values in columns.items()}, schema=PART_RANKING_SCHEMA)


def _apart(query: PartSide, i: int, gallery: PartSide, places: np.ndarray) -> list[list[float]]:
    """Distance of every embedding of query `i` to its counterparts at `places`, one list of E per place."""
    per_embedding = [euclidean(one[i : i + 1], others[places])[0] for one, others in zip(query.vectors, gallery.vectors, strict=True)]
    return np.stack(per_embedding, axis=1).tolist()
