"""Stage 7: the first ranks of every query under QAFM's own weights, for the ranking figures and the report.

Shapes: Q queries, G gallery images.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.first_ranks import FirstRanks
from qafm.evaluation.fuse import ExportedHead
from qafm.evaluation.load_embeddings import Side, load_embeddings
from qafm.evaluation.ranking import Matches, Retrieval, dot_similarity, evaluate_retrieval
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.tables.ranking import RANKING_SCHEMA


def rank_gallery(images: Path, embeddings: Path, head: Path, *, same_camera: SameCamera, depth: int, out: Path) -> None:
    """Rank the standard gallery for every query, each image at its own weight, and write ranking.parquet.

    Args:
        images: images.parquet.
        embeddings: embeddings.parquet of the model.
        head: the model's exported fusion head.
        same_camera: "drop" or "keep", as in `evaluate_retrieval`.
        depth: ranks to keep of every query.
        out: ranking.parquet.

    Raises:
        InputError: a bad file, or no query with a valid match.
    """
    loaded = load_embeddings(images, embeddings)
    query, gallery, fusion = loaded.query, loaded.gallery, ExportedHead.load(head)
    vectors = [fusion.fused(side.v_a, side.v_s, side.weight) for side in (query, gallery)]
    first = FirstRanks(dot_similarity(vectors[0], vectors[1]), Matches(query.labels, gallery.labels, same_camera), depth)
    try:
        retrieval = evaluate_retrieval(query.labels, gallery.labels, first, same_camera=same_camera)
    except InputError as error:
        raise InputError(f"{embeddings}: {error}") from error
    table = read_parquet(embeddings, columns=["image_id", "q"])
    q = dict(zip(table["image_id"].to_pylist(), table["q"].to_pylist(), strict=True))
    write_parquet(out, _to_table(query, gallery, retrieval, first, q))


def _to_table(query: Side, gallery: Side, retrieval: Retrieval, first: FirstRanks, q: dict[str, float | None]) -> pa.Table:
    names, shown = gallery.labels.image_id.tolist(), first.places
    columns: dict[str, Any] = {
        "image_id": query.labels.image_id.tolist(),
        "pid": query.labels.pid.tolist(),
        "camid": _cameras(query.labels.camid),
        "q": [q[name] for name in query.labels.image_id],
        "visual_weight": query.weight,
        "n_relevant": [len(relevant) for relevant in first.relevant],
        "ap": [ap if valid else None for ap, valid in zip(retrieval.ap.tolist(), retrieval.valid, strict=True)],
        "first_rank": [rank or None for rank in retrieval.first_rank.tolist()],
        "gallery_id": [[names[g] for g in places] for places in shown],
        "gallery_pid": [gallery.labels.pid[places] for places in shown],
        "gallery_camid": [_cameras(gallery.labels.camid[places]) for places in shown],
        "right": [np.isin(places, relevant) for places, relevant in zip(shown, first.relevant, strict=True)],
        "distance": [np.sqrt(np.maximum(2 - 2 * scores, 0)) for scores in first.scores],  # |a - b| of unit vectors
        "gallery_q": [[q[names[g]] for g in places] for places in shown],
        "gallery_weight": [gallery.weight[places] for places in shown],
    }
    return pa.table({name: pa.array(values, RANKING_SCHEMA.field(name).type) for name, values in columns.items()}, schema=RANKING_SCHEMA)


def _cameras(camid: np.ndarray) -> list[int | None]:
    """Cameras, None where none is known."""
    return [None if camera < 0 else camera for camera in camid.tolist()]
