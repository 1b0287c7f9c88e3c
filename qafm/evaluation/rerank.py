"""k-reciprocal re-ranking (Zhong et al., CVPR 2017) in bounded memory.

Two images that lie among each other's nearest neighbours are probably of one person; an image is encoded by these neighbours, and two images are as far
apart as their encodings overlap little (Jaccard distance).

Shapes: Q queries, G gallery images, N = Q + G images of the neighbour graph (queries first), D descriptor length.
"""

import numpy as np
from scipy.sparse import csc_array, csr_array
from tqdm import tqdm

from qafm.config.rerank import RerankConfig
from qafm.evaluation.ranking import Similarity, dot_similarity

CHUNK = 256  # images whose distances to all others are in memory at a time


def reciprocal_similarity(query_vectors: np.ndarray, gallery_vectors: np.ndarray, config: RerankConfig) -> Similarity:
    """Similarity after k-reciprocal re-ranking: minus the distance (1 - lambda) Jaccard + lambda original.

    The steps are those of Zhong et al., sections 3.2 to 3.5, with the two normalisations of the procedure they published:

    - The original distance d(i, j) is the squared Euclidean one divided by the largest from the same i to any image of the graph (row by row, so it is not
      symmetric); 0 where all of them are 0.
    - N(i, k): the image itself, then its k nearest, all of them where there are fewer. Equal distances are taken in the order of the graph, queries first; an
      image stands before its duplicates in its own list, so it is always in its own sets.
    - R(i, k): those of N(i, k) that have i in their own. R*(i, k1) adds, for every q in R(i, k1), R(q, k1 / 2 rounded down) where at least two thirds of
      it lie in R(i, k1).
    - The encoding of i is exp(-d(i, j)) for j in R*(i, k1), scaled to the sum 1, and is then averaged over the first k2 images of N(i, k2).
    - Jaccard: 1 - sum of minima / sum of maxima of two encodings.

    The graph is that of all queries and the whole gallery, as is usual: other queries help, and so do the gallery images that the protocol removes for one
    query (those of its identity and camera, identical ones); they are removed from the ranking only. A search with other queries gives other numbers.

    Memory beside the vectors: CHUNK x N distances a few times, and sparse matrices of at most (k1 + 1) (k1 / 2 + 1) entries per image, 12 bytes each, before
    and k2 times as many after the averaging: in the worst case 2772 entries, 33 KB per image, for k1 = 20 and k2 = 6; usually a tenth of that. Never N x N.

    Args:
        query_vectors: L2-normalised, float32 [Q, D].
        gallery_vectors: L2-normalised, float32 [G, D].
        config: k1, k2 and lambda.

    Returns:
        A function of a slice of queries that gives float32 [q, G].

    Raises:
        InputError: a vector is not finite, or the lengths differ.
    """
    product = dot_similarity(query_vectors, gallery_vectors)
    n_queries = len(query_vectors)
    graph = np.concatenate([query_vectors, gallery_vectors]).astype(np.float32, copy=False)  # [N, D]
    lengths = np.einsum("nd,nd->n", graph, graph)  # squared norms [N]
    neighbours, farthest = _neighbours(graph, lengths, max(config.k1 + 1, config.k2))
    encodings = _encodings(graph, lengths, farthest, _reciprocal_sets(neighbours, config.k1))
    encodings = _averaged(encodings, neighbours[:, : config.k2])
    of_queries, of_gallery = csr_array(encodings[:n_queries]), csc_array(encodings[n_queries:])
    query_lengths, gallery_lengths = lengths[:n_queries], lengths[n_queries:]

    def similarity(queries: slice) -> np.ndarray:
        squared = query_lengths[queries, None] + gallery_lengths - 2 * product(queries)  # [q, G]
        original = np.maximum(squared, 0) / farthest[:n_queries][queries, None]
        jaccard = _jaccard(csr_array(of_queries[queries]), of_gallery, len(gallery_vectors))
        return -((1 - config.lambda_) * jaccard + config.lambda_ * original)

    return similarity


def _neighbours(graph: np.ndarray, lengths: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `count` images of every N(i, k), int32 [N, at most count], and the largest squared distance of each image (1 where it is 0), float32 [N]."""
    n, count = len(graph), min(count, len(graph))
    nearest, farthest = np.empty((n, count), np.int32), np.empty(n, np.float32)
    for start in tqdm(range(0, n, CHUNK), desc="neighbours", unit="chunk", leave=False, disable=None):
        rows = np.arange(start, min(start + CHUNK, n))
        squared = graph[rows] @ graph.T  # [chunk, N]
        squared *= -2
        squared += lengths
        squared += lengths[rows, None]
        np.maximum(squared, 0, out=squared)
        farthest[rows] = squared.max(axis=1)
        squared[np.arange(len(rows)), rows] = -1  # before its duplicates
        limits = np.partition(squared, count - 1, axis=1)[:, count - 1]
        for i, own, limit in zip(rows, squared, limits, strict=True):
            near = np.flatnonzero(own <= limit)  # `count` images, more where the last ones are tied
            nearest[i] = near[np.argsort(own[near], kind="stable")[:count]]
    return nearest, np.where(farthest > 0, farthest, 1)


def _reciprocal_sets(neighbours: np.ndarray, k1: int) -> csr_array:
    """R*(i, k1) of every image: row i of [N, N] has an entry for each member."""
    own, half = _reciprocal(neighbours[:, : k1 + 1]), _reciprocal(neighbours[:, : k1 // 2 + 1])
    shared = csr_array(own * (own @ half.T))  # |R(i, k1) and R(q, k1 / 2)| for each q in R(i, k1): never 0, both hold q
    sizes = np.diff(half.indptr)[shared.indices]
    shared.data = (3 * shared.data >= 2 * sizes).astype(np.int32)
    shared.eliminate_zeros()
    return csr_array(own + shared @ half)


def _reciprocal(neighbours: np.ndarray) -> csr_array:
    """R(i, k) of every image from its N(i, k) [N, k + 1]: ones at the members, int32 [N, N]."""
    n, count = neighbours.shape
    mutual = np.empty((n, count), bool)
    for place in range(count):
        mutual[:, place] = (neighbours[neighbours[:, place]] == np.arange(n)[:, None]).any(axis=1)  # whether that neighbour has i, too
    members = neighbours[mutual]
    return csr_array((np.ones(len(members), np.int32), members, _starts(mutual.sum(axis=1))), shape=(n, n))


def _starts(counts: np.ndarray) -> np.ndarray:
    """Where each row begins and the last one ends, [N + 1], from the entries per row [N]."""
    return np.concatenate([[0], np.cumsum(counts)])


def _encodings(graph: np.ndarray, lengths: np.ndarray, farthest: np.ndarray, sets: csr_array) -> csr_array:
    """exp(-d) over the members of every set, rows scaled to the sum 1, float32 [N, N]."""
    weights = np.empty(sets.nnz, np.float32)
    for i in range(len(graph)):
        entries = slice(sets.indptr[i], sets.indptr[i + 1])
        members = sets.indices[entries]
        squared = np.maximum(lengths[i] + lengths[members] - 2 * (graph[members] @ graph[i]), 0)
        gaussian = np.exp(-squared / farthest[i])
        weights[entries] = gaussian / gaussian.sum()
    return csr_array((weights, sets.indices, sets.indptr), shape=sets.shape)


def _averaged(encodings: csr_array, neighbours: np.ndarray) -> csr_array:
    """Local query expansion: the mean of the encodings of each image's first `neighbours` [N, k2]."""
    n, count = neighbours.shape
    share = np.full(neighbours.size, 1 / count, np.float32)
    return csr_array(csr_array((share, neighbours.ravel(), _starts(np.full(n, count))), shape=(n, n)) @ encodings)


def _jaccard(of_queries: csr_array, of_gallery: csc_array, n_gallery: int) -> np.ndarray:
    """Jaccard distance of the encodings of q queries (CSR [q, N]) and of the gallery (CSC [G, N]), float32 [q, G]."""
    n_queries = len(of_queries.indptr) - 1
    distance = np.empty((n_queries, n_gallery), np.float32)
    for i in range(n_queries):
        entries = slice(of_queries.indptr[i], of_queries.indptr[i + 1])
        columns = csc_array(of_gallery[:, of_queries.indices[entries]])  # what the gallery has where the query has something
        least = np.minimum(columns.data, np.repeat(of_queries.data[entries], np.diff(columns.indptr)))
        minima = np.bincount(columns.indices, least, minlength=n_gallery)  # [G]
        distance[i] = 1 - minima / (2 - minima)  # the maxima sum to 1 + 1 - minima
    return distance
