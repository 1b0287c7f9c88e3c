"""Speed and memory against sorting the whole gallery: `python benchmarks/retrieval.py [--queries 1000] [--gallery 5000] [--dim 512]`."""

import argparse
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from qafm.evaluation.ranking import Labels, dot_similarity, evaluate_retrieval


def sides(n_query: int, n_gallery: int, dim: int, per_identity: int) -> tuple[Labels, Labels, np.ndarray, np.ndarray]:
    """Two sides of a search over noisy identity centres, `per_identity` gallery images each, six cameras."""
    rng = np.random.default_rng(0)
    n_pid = max(1, n_gallery // per_identity)
    centres = rng.normal(size=(n_pid, dim))
    made = []
    for n, name in ((n_query, "q"), (n_gallery, "g")):
        pid = rng.integers(0, n_pid, n).astype(np.int32)
        vectors = (centres[pid] + 2.5 * rng.normal(size=(n, dim))).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        camid = rng.integers(1, 7, n).astype(np.int16)
        made.append((Labels(pid + 1, camid, np.array([f"{name}{i}" for i in range(n)])), vectors))
    return made[0][0], made[1][0], made[0][1], made[1][1]


def by_sorting(query: Labels, gallery: Labels, query_vectors: np.ndarray, gallery_vectors: np.ndarray) -> float:
    """MAP the plain way: the full distance matrix, argsort of every row, a walk down the list."""
    indices = np.argsort(1 - query_vectors @ gallery_vectors.T, axis=1)
    matches = gallery.pid[indices] == query.pid[:, None]
    precisions = []
    for i in range(len(query)):
        order = indices[i]
        kept = ~((gallery.pid[order] == query.pid[i]) & (gallery.camid[order] == query.camid[i]))
        hits = matches[i][kept]
        if hits.any():
            precisions.append(((np.cumsum(hits) / np.arange(1, len(hits) + 1)) * hits).sum() / hits.sum())
    return 100 * float(np.mean(precisions))


def timed(functions: list[Callable[[], float]], repeats: int) -> list[float]:
    """Best of `repeats` wall times in seconds of each function, taken in turn so that a busy machine slows all of them."""
    best = [float("inf")] * len(functions)
    for _ in range(repeats):
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            best[i] = min(best[i], time.perf_counter() - start)
    return best


def measured(function: Callable[[], float]) -> tuple[float, float]:
    """Result, and peak extra memory in MiB."""
    tracemalloc.start()
    result = function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, peak / 2**20


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--gallery", type=int, default=5000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--per-identity", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()
    query, gallery, query_vectors, gallery_vectors = sides(args.queries, args.gallery, args.dim, args.per_identity)

    def ours() -> float:
        return evaluate_retrieval(query, gallery, dot_similarity(query_vectors, gallery_vectors)).summary()["mAP"]

    def theirs() -> float:
        return by_sorting(query, gallery, query_vectors, gallery_vectors)

    def product() -> float:
        return float((query_vectors @ gallery_vectors.T)[0, 0])

    (mean_ap, peak), (other_ap, other_peak) = measured(ours), measured(theirs)
    seconds, other_seconds, bare = timed([ours, theirs, product], args.repeats)
    print(
        f"retrieval {args.queries} x {args.gallery} x {args.dim}: {other_seconds / seconds:.1f} times as fast as sorting "
        f"({seconds:.2f} s, {other_seconds:.2f} s; bare GEMM {bare:.2f} s), extra memory {peak:.0f} MiB instead of {other_peak:.0f} MiB, "
        f"mAP {mean_ap:.4f} = {other_ap:.4f}"
    )


if __name__ == "__main__":
    main()
