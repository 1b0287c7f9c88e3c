"""Retrieval metrics of two files of descriptors, whoever made them.

Shapes: Q queries, G gallery images, D length of a descriptor.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.load_descriptors import DescriptorSide
from qafm.evaluation.ranking import Labels, Retrieval, Similarity, dot_similarity, evaluate_retrieval
from qafm.evaluation.retrieval_artifact import galleries_of
from qafm.galleries.choices import Metric
from qafm.galleries.read_side import read_side
from qafm.galleries.side import Columns, SideName
from qafm.galleries.unit_vectors import lengths, unit_vectors
from qafm.tables.gallery import q_told, same_weights

JUNK, DISTRACTOR = -1, 0
RANKS = (1, 5, 10)


@dataclass(frozen=True)
class EvaluationResult:
    """How well the queries find their identities.

    Args:
        query, gallery: the files.
        metric: the distance.
        same_camera: "drop" or "keep".
        dim: D.
        n_gallery: gallery images that were ranked.
        n_junk: gallery images of pid -1, which count nowhere.
        n_distractors: gallery images of pid 0, always wrong; 0 where a query has pid 0, which then is an identity as any other.
        metrics: in percent: rank{r}, mAP, mAP_trapezoid, mINP; and the counts n_queries and n_excluded (queries without a valid match).
        without_distractors: the same metrics when the distractors are left out; None where there are none.
        retrieval: AP and first right rank of each query.
    """

    query: Path
    gallery: Path
    metric: Metric
    same_camera: SameCamera
    dim: int
    n_gallery: int
    n_junk: int
    n_distractors: int
    metrics: dict[str, float]
    without_distractors: dict[str, float] | None
    retrieval: Retrieval

    def as_dict(self) -> dict[str, Any]:
        """All but the single queries, for JSON."""
        fields = ("metric", "same_camera", "dim", "n_gallery", "n_junk", "n_distractors", "metrics", "without_distractors")
        return {"query": str(self.query), "gallery": str(self.gallery), **{name: getattr(self, name) for name in fields}, "excluded": self.retrieval.excluded}


def evaluate_files(
    query: str | Path,
    gallery: str | Path,
    *,
    query_labels: str | Path | None = None,
    gallery_labels: str | Path | None = None,
    metric: Metric = "cosine",
    same_camera: SameCamera = "drop",
    ranks: Sequence[int] | None = None,
) -> EvaluationResult:
    """Evaluate descriptors by Market-1501's single-query protocol.

    Gallery images of pid -1 (junk) are left out; so are, for each query, those of the same identity and camera, and the query image itself.

    Args:
        query: file of the query side: .parquet, .npy, .npz, .mat, .pt, see `read_side`.
        gallery: file of the gallery side; may be the same, if it holds both.
        query_labels, gallery_labels: files of labels, see `with_labels`.
        metric: "cosine", or "euclidean" between the vectors as they are stored; both rank unit vectors alike.
        same_camera: "drop", or "keep" for data without cameras.
        ranks: ranks of the CMC, at most G; None: 1, 5 and 10, as far as they are.

    Raises:
        InputError: a bad file, descriptors of different lengths or models, a zero or not finite descriptor, an image that occurs twice, a rank above G, or no
            query with a valid match.
    """
    if metric not in get_args(Metric):
        raise InputError(f"metric: {metric!r} is neither cosine nor euclidean")
    query, gallery = Path(query), Path(gallery)
    q = _side(read_side(query, "query", query_labels), "query", metric)
    g = _side(read_side(gallery, "gallery", gallery_labels), "gallery", metric)
    _check_comparable(q, g)
    if DISTRACTOR in q.images.labels.pid:  # identities are counted from 0
        g.images.distractor[:] = False
    n_gallery = len(g.images)
    if ranks is None:
        ranks = [rank for rank in RANKS if rank <= n_gallery]
    bad = next((rank for rank in ranks if not 1 <= rank <= n_gallery), None)
    if bad is not None:
        raise InputError(f"{gallery}: rank {bad} of a gallery of {n_gallery} images")
    found = {name: _retrieval(q, replace(g, images=images), metric, same_camera) for name, images in galleries_of(g.images).items()}
    summaries = {name: retrieval.summary(ranks) for name, retrieval in found.items()}
    counts = n_gallery, g.junk, int(g.images.distractor.sum())
    dim = q.images.descriptor.shape[1]
    return EvaluationResult(query, gallery, metric, same_camera, dim, *counts, summaries["standard"], summaries.get("no_distractors"), found["standard"])


@dataclass(frozen=True)
class _Side:
    """One side, checked and ready to be compared."""

    source: Path
    images: DescriptorSide
    junk: int
    model_id: str | None


def _side(columns: Columns, side: SideName, metric: Metric) -> _Side:
    """Leave out junk of the gallery; normalise for cosine."""
    assert columns.pid is not None  # read_side gives identities
    junk = (columns.pid == JUNK) if side == "gallery" else np.zeros(len(columns), bool)
    if junk.all():
        raise InputError(f"{columns.source}: all {len(junk)} images are junk (pid -1)")
    if junk.any():
        columns = columns.take(~junk)
    assert columns.pid is not None
    if columns.name is None:
        name = np.array([f"{side}:{row}" for row in range(len(columns))])  # none is an image of the other side
    else:
        name = columns.name
        distinct, counts = np.unique(name, return_counts=True)
        if len(distinct) < len(name):
            first = int(np.argmax(counts > 1))
            raise InputError(f"{columns.source}: {distinct[first]} is the name of {counts[first]} images of the {side}")
    prepare = unit_vectors if metric == "cosine" else _checked
    vectors = prepare(columns.vectors, str(columns.source), name)
    camid = np.full(len(columns), -1) if columns.camid is None else columns.camid
    labels = Labels(columns.pid.astype(np.int32), camid.astype(np.int32), name, columns.sha256)
    return _Side(columns.source, DescriptorSide(labels, columns.pid == DISTRACTOR, vectors), int(junk.sum()), columns.model_id)


def _checked(vectors: np.ndarray, source: str, names: np.ndarray) -> np.ndarray:
    lengths(vectors, source, names)
    return vectors.astype(np.float32, copy=False)


def _check_comparable(query: _Side, gallery: _Side) -> None:
    dims = query.images.descriptor.shape[1], gallery.images.descriptor.shape[1]
    if dims[0] != dims[1]:
        raise InputError(f"{gallery.source}: has descriptors of length {dims[1]}, {query.source} of {dims[0]}")
    if query.model_id is None or gallery.model_id is None or query.model_id == gallery.model_id:
        return
    if same_weights(query.model_id, gallery.model_id):
        raise InputError(f"{gallery.source}: was made {q_told(gallery.model_id)}, {query.source} {q_told(query.model_id)}; make both alike")
    raise InputError(f"{gallery.source}: was made by another model than {query.source}")


def _retrieval(query: _Side, gallery: _Side, metric: Metric, same_camera: SameCamera) -> Retrieval:
    similarity = dot_similarity if metric == "cosine" else euclidean_similarity
    q, g = query.images, gallery.images
    try:
        return evaluate_retrieval(q.labels, g.labels, similarity(q.descriptor, g.descriptor), same_camera=same_camera)
    except InputError as error:
        raise InputError(f"{query.source}, {gallery.source}: {error}") from error


def euclidean_similarity(query_vectors: np.ndarray, gallery_vectors: np.ndarray) -> Similarity:
    """Minus half the squared Euclidean distance, up to a constant of each query: 2 q.g - |g|^2 ranks as -|q - g|^2 does.

    Args:
        query_vectors: float32 [Q, D].
        gallery_vectors: float32 [G, D].

    Returns:
        A function of a slice of queries that gives float32 [q, G].
    """
    half = np.einsum("nd,nd->n", gallery_vectors, gallery_vectors) / 2  # [G]
    return lambda queries: query_vectors[queries] @ gallery_vectors.T - half
