"""Single-query retrieval: CMC, AP and INP, in bounded memory and without sorting the whole gallery.

Shapes: Q queries, G gallery images, K relevant gallery images of one query, D descriptor length.

Ties: a gallery image's rank is its place in a stable descending sort, so equal scores keep the order of the gallery (image_id). Counting only what is strictly
better would rank every tied relevant image first: a constant descriptor would then score 100 %, here it scores what the order of the gallery gives.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from qafm.config.choices import SameCamera
from qafm.errors import InputError

Similarity: TypeAlias = Callable[[slice], np.ndarray]


@dataclass(frozen=True)
class Labels:
    """Who and what the images of one side of a search are.

    Args:
        pid: identities, int32 [N].
        camid: cameras, int16 [N]; -1 = no camera known.
        image_id: names of the images, str [N].
        sha256: content hashes, str [N]; None: two images are identical where their image_id is.
    """

    pid: np.ndarray
    camid: np.ndarray
    image_id: np.ndarray
    sha256: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Check that all columns have one length."""
        columns = [self.pid, self.camid, self.image_id, *([] if self.sha256 is None else [self.sha256])]
        if len({len(column) for column in columns}) != 1:
            raise InputError(f"labels: columns have different lengths {[len(column) for column in columns]}")

    def __len__(self) -> int:
        return len(self.pid)

    def take(self, rows: np.ndarray) -> "Labels":
        """The labels of `rows`: indices or a bool mask [N]."""
        return Labels(self.pid[rows], self.camid[rows], self.image_id[rows], None if self.sha256 is None else self.sha256[rows])


@dataclass(frozen=True)
class Retrieval:
    """What every query achieved, in the order of the queries; NaN (rank 0) where a query has no valid match.

    Args:
        query: labels of the queries [Q].
        valid: whether the query has at least one valid match, bool [Q].
        first_rank: 1-based rank of the first right match, int64 [Q]; 0 if not valid.
        ap: rectangular average precision, mean of the precision at every right match, float64 [Q] in [0, 1].
        ap_trapezoid: AP of Market-1501's own MATLAB code: trapezoids, the curve starting at precision 1, float64 [Q].
        inp: inverse negative penalty, K / rank of the last right match, float64 [Q].
    """

    query: Labels
    valid: np.ndarray
    first_rank: np.ndarray
    ap: np.ndarray
    ap_trapezoid: np.ndarray
    inp: np.ndarray

    @property
    def excluded(self) -> list[str]:
        """image_id of the queries without a valid match: they count in no metric."""
        return [str(name) for name in self.query.image_id[~self.valid]]

    def summary(self, ranks: Sequence[int] = (1, 5, 10)) -> dict[str, float]:
        """Means over the valid queries in percent: `rank{r}` of `ranks`, mAP, mAP_trapezoid, mINP; and the counts n_queries, n_excluded."""
        first = self.first_rank[self.valid]
        metrics = {f"rank{rank}": 100.0 * float(np.mean(first <= rank)) for rank in ranks}
        for name, values in (("mAP", self.ap), ("mAP_trapezoid", self.ap_trapezoid), ("mINP", self.inp)):
            metrics[name] = 100.0 * float(np.mean(values[self.valid]))
        return {**metrics, "n_queries": int(self.valid.sum()), "n_excluded": int((~self.valid).sum())}


def dot_similarity(query_vectors: np.ndarray, gallery_vectors: np.ndarray) -> Similarity:
    """Cosine similarity of L2-normalised descriptors; it ranks as the Euclidean distance does, |a - b|^2 = 2 - 2 a.b.

    Args:
        query_vectors: L2-normalised, float32 [Q, D].
        gallery_vectors: L2-normalised, float32 [G, D].

    Returns:
        A function of a slice of queries that gives float32 [q, G].

    Raises:
        InputError: a vector is not finite, or the lengths differ.
    """
    for side, vectors in (("query", query_vectors), ("gallery", gallery_vectors)):
        bad = np.flatnonzero(~np.isfinite(np.einsum("nd,nd->n", vectors, vectors)))
        if len(bad):
            raise InputError(f"{side} descriptors: row {bad[0]} is not finite")
    if query_vectors.shape[1:] != gallery_vectors.shape[1:]:
        raise InputError(f"descriptors: query has length {query_vectors.shape[1:]}, gallery {gallery_vectors.shape[1:]}")
    return lambda queries: query_vectors[queries] @ gallery_vectors.T


def evaluate_retrieval(
    query: Labels,
    gallery: Labels,
    similarity: Similarity,
    *,
    same_camera: SameCamera = "drop",
    chunk: int = 256,
) -> Retrieval:
    """Rank the gallery for every query, all gallery shots kept (Market-1501's single-query protocol).

    Per query, gallery images of the same identity and camera are removed (`drop`), and an image identical to the query always is. What remains of the same
    identity is right, everything else (distractors too) is wrong. A query for which nothing right remains is excluded, counted and named.

    Args:
        query: labels of the queries [Q].
        gallery: labels of the gallery [G], without junk.
        similarity: gives the scores of a slice of queries, float32 [q, G], higher = closer; asked for each slice once, in order.
        same_camera: "drop", or "keep" for data without cameras.
        chunk: queries per call of `similarity`; memory is about 5 * chunk * G bytes beside the descriptors.

    Raises:
        InputError: no query has a valid match, a score is not finite or of the wrong shape, or `drop` meets images without a camera.
    """
    matches = Matches(query, gallery, same_camera)
    first_rank = np.zeros(len(query), np.int64)
    ap, ap_trapezoid, inp = np.full((3, len(query)), np.nan)
    for start in range(0, len(query), chunk):
        queries = slice(start, min(start + chunk, len(query)))
        scores = similarity(queries)  # [q, G]
        if scores.shape != (queries.stop - start, len(gallery)) or not np.isfinite(scores).all():
            raise InputError(f"similarity of queries {start}..{queries.stop - 1}: {scores.shape} scores, some not finite or not {len(gallery)} per query")
        for row, i in enumerate(range(start, queries.stop)):
            relevant, removed = matches.of(i)
            if len(relevant):
                places = np.sort(places_of(scores[row], relevant, removed))
                first_rank[i] = places[0] + 1
                ap[i], ap_trapezoid[i], inp[i] = precision_at(places)
        del scores  # else two chunks are in memory while the next one is made
    if not first_rank.any():
        raise InputError(f"retrieval: none of the {len(query)} queries has a valid match in the gallery of {len(gallery)} (same_camera: {same_camera})")
    return Retrieval(query, first_rank > 0, first_rank, ap, ap_trapezoid, inp)


class Matches:
    """Which gallery images are right, and which are removed, for each query."""

    def __init__(self, query: Labels, gallery: Labels, same_camera: SameCamera) -> None:
        if same_camera not in ("drop", "keep"):
            raise InputError(f"same_camera: {same_camera!r} is neither drop nor keep")
        self.query, self.gallery, self.drop = query, gallery, same_camera == "drop"
        for side, labels, wanted in (("query", query, gallery), ("gallery", gallery, query)):
            blind = (labels.camid < 0) & np.isin(labels.pid, wanted.pid)
            if self.drop and blind.any():
                raise InputError(f"{labels.image_id[blind][0]}: {side} image without a camera ({blind.sum()} of them); set same_camera to keep to do without")
        self.of_pid = _groups(gallery.pid)
        query_content, self.gallery_content = content_codes(query, gallery)
        self.query_content, self.of_content = query_content, _groups(self.gallery_content)

    def of(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Gallery indices, ascending, of the right and of the removed images of query `i`."""
        same = self.of_pid.get(int(self.query.pid[i]), _NONE)
        identical = self.of_content.get(int(self.query_content[i]), _NONE)
        gone = self.gallery_content[same] == self.query_content[i]
        if self.drop:
            gone |= self.gallery.camid[same] == self.query.camid[i]
        removed = np.union1d(same[gone], identical) if len(identical) else same[gone]
        return same[~gone], removed


_NONE = np.empty(0, np.int64)


def _groups(values: np.ndarray) -> dict[int, np.ndarray]:
    """Indices, ascending, of every distinct value."""
    order = np.argsort(values, kind="stable")
    distinct, starts = np.unique(values[order], return_index=True)
    return {int(value): rows for value, rows in zip(distinct, np.split(order, starts[1:]), strict=True)}


def content_codes(query: Labels, gallery: Labels) -> tuple[np.ndarray, np.ndarray]:
    """Integer codes [Q] and [G] that are equal where two images are identical: by content, else by name and identity (anybody's folder can hold an a.jpg)."""
    if query.sha256 is None or gallery.sha256 is None:
        names = np.unique(np.concatenate([query.image_id, gallery.image_id]).astype(str), return_inverse=True)[1]
        codes = np.unique(np.stack([names, np.concatenate([query.pid, gallery.pid])]), axis=1, return_inverse=True)[1]
    else:
        codes = np.unique(np.concatenate([query.sha256, gallery.sha256]).astype(str), return_inverse=True)[1]
    return codes[: len(query)], codes[len(query) :]


def places_of(scores: np.ndarray, relevant: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """0-based places that a stable descending sort of the gallery without `removed` gives to `relevant`.

    Args:
        scores: of one query with every gallery image, [G], higher = closer.
        relevant: gallery indices of the right images, ascending, int [K], K > 0.
        removed: gallery indices of the images that do not count, int [R].

    Returns:
        int64 [K], in the order of `relevant`.
    """
    own = scores[relevant]  # [K]
    ahead = np.sort(scores[scores >= own.min()])  # the few images down to the last right match, not the gallery
    above = np.searchsorted(ahead, own, side="right")
    places = len(ahead) - above  # strictly better ones
    for k in np.flatnonzero(above - np.searchsorted(ahead, own) > 1):
        places[k] += np.count_nonzero(scores[: relevant[k]] == own[k])  # equal ones earlier in the gallery
    if len(removed):
        other = scores[removed]  # [R]
        before = (other > own[:, None]) | ((other == own[:, None]) & (removed < relevant[:, None]))  # [K, R]
        places -= before.sum(axis=1)
    return places


def precision_at(places: np.ndarray) -> tuple[float, float, float]:
    """AP (rectangular), AP (trapezoidal) and INP of right matches at the ascending 0-based `places` [K]."""
    hits = np.arange(1, len(places) + 1)
    precision = hits / (places + 1)
    # Precision one place above each hit; above the first place the official curve starts at 1.
    above = np.where(places > 0, (hits - 1) / np.maximum(places, 1), 1.0)
    total, n = float(precision.sum()), len(places)
    return total / n, (total + float(above.sum())) / (2 * n), n / (int(places[-1]) + 1)
