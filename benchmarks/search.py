"""Galleries: writing, adding, indexing, exact and approximate search; time, memory and recall. Each step is a process, so its peak memory is its own.

usage: search.py [--rows 20000] [--dim 1000] [--queries 100] [--folder DIR] [--keep]
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from qafm.galleries.append_gallery import append_gallery
from qafm.galleries.build_index import build_index
from qafm.galleries.exclusions import Exclusions
from qafm.galleries.index_file import index_path
from qafm.galleries.search_gallery import search_gallery
from qafm.tables.gallery import GalleryRows

IMAGES_PER_IDENTITY, CAMERAS, LATENT, PORTION, TOP = 20, 6, 64, 4096, 10
STEPS = ("write", "exact", "index", "approximate", "approximate_one", "exact_one", "exact_cross_camera", "approximate_cross_camera", "add")


def described(first: int, end: int, rows: int, dim: int, seed: int) -> GalleryRows:
    """Images `first` to `end`: 64 latent numbers of the identity, shifted by camera and image, mapped to `dim` numbers with noise of their own."""
    fixed, rng = np.random.default_rng(0), np.random.default_rng((seed, first))
    identities = max(1, rows // IMAGES_PER_IDENTITY)
    identity, camera, basis = (fixed.normal(size=size).astype(np.float32) for size in ((identities, LATENT), (CAMERAS, LATENT), (LATENT, dim)))
    number = np.arange(first, end)
    pid, camid = number * 7919 % identities, number * 31 % CAMERAS  # images of one identity lie far from each other
    noise = rng.standard_normal((len(number), LATENT), np.float32)
    vectors = (identity[pid] + 0.4 * camera[camid] + 0.5 * noise) @ basis
    vectors += 2 * rng.standard_normal((len(number), dim), np.float32)
    names = [f"{seed}/{i:08d}.jpg" for i in number]
    return GalleryRows(names, [f"{seed:032x}{i:032x}" for i in number], vectors, pid=pid + 1, camid=camid + 1)


def portions(first: int, end: int, rows: int, dim: int, seed: int) -> Iterator[GalleryRows]:
    for start in range(first, end, PORTION):
        yield described(start, min(start + PORTION, end), rows, dim, seed)


def recall(folder: Path, name: str, exact: str) -> float:
    found, wanted = np.load(folder / f"{name}.npy"), np.load(folder / f"{exact}.npy")
    return round(float(np.mean([np.isin(rows, got).mean() for rows, got in zip(wanted, found, strict=True)])), 4)


def search(folder: Path, name: str, queries: np.ndarray, approximate: Any, exclude: Exclusions, *, one_by_one: bool = False) -> dict[str, Any]:
    start = time.perf_counter()
    parts = [[query] for query in queries] if one_by_one else [queries]
    hits = [
        search_gallery(folder / "gallery.parquet", np.asarray(part), model_id="benchmark", top=TOP, approximate=approximate, exclude=exclude) for part in parts
    ]
    seconds = time.perf_counter() - start
    np.save(folder / f"{name}.npy", np.concatenate([hit.row for hit in hits]))
    return {"queries": len(queries), "s": round(seconds, 2), "ms_per_query": round(1e3 * seconds / len(queries), 1)}


def run(step: str, folder: Path, rows: int, dim: int, n_queries: int) -> dict[str, Any]:
    path, model = folder / "gallery.parquet", {"model_id": "benchmark", "model": "benchmark", "dim": dim}
    made = described(0, n_queries, rows, dim, 1)  # other images of the same identities
    queries, cross_camera = made.descriptor, Exclusions(camid=made.camid)
    start = time.perf_counter()
    match step:
        case "write":
            done: dict[str, Any] = {"added": append_gallery(path, portions(0, rows, rows, dim, 0), **model).added}
            return done | {"s": round(time.perf_counter() - start, 1), "MB": path.stat().st_size // 10**6}
        case "add":
            return {"added": append_gallery(path, portions(0, 1000, rows, dim, 2), **model).added, "s": round(time.perf_counter() - start, 1)}
        case "index":
            record = build_index(path)
            told = {name: getattr(record, name) for name in ("lists", "probes", "recall_at_10", "recall_at_10_cross_camera", "trained_on")}
            return told | {"s": round(time.perf_counter() - start, 1), "MB": index_path(path).stat().st_size // 10**6}
        case "exact":
            return search(folder, step, queries, "never", Exclusions())
        case "exact_cross_camera":
            return search(folder, step, queries, "never", cross_camera)
        case "exact_one":
            return search(folder, step, queries[:1], "never", Exclusions())
        case "approximate":
            return search(folder, step, queries, "always", Exclusions()) | {"recall_at_10": recall(folder, step, "exact")}
        case "approximate_cross_camera":
            return search(folder, step, queries, "always", cross_camera) | {"recall_at_10": recall(folder, step, "exact_cross_camera")}
        case _:
            return search(folder, step, queries[:10], "always", Exclusions(), one_by_one=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--dim", type=int, default=1000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--keep", action="store_true", help="do not delete the gallery")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step is not None:
        cpu = time.process_time()
        done = run(args.step, args.folder, args.rows, args.dim, args.queries)
        cpu = round(time.process_time() - cpu, 1)
        print(json.dumps(done | {"cpu_s": cpu, "peak_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000}))
        return
    folder = Path(tempfile.mkdtemp(prefix="qafm-search-", dir=args.folder))
    try:
        for step in STEPS:
            size = ["--rows", str(args.rows), "--dim", str(args.dim), "--queries", str(args.queries)]
            command = [sys.executable, __file__, "--step", step, "--folder", str(folder), *size]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            print(step, done.stdout.strip(), flush=True)
    finally:
        if not args.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
