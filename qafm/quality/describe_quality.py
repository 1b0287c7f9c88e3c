"""Stage 4: quality.csv, what Q measures: its spread, what it goes along with, and how well it repeats.

Shapes: N images.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qafm.errors import InputError
from qafm.evaluation.ablation_rows import Cells, write_table
from qafm.evaluation.bootstrap import spearman
from qafm.quality.image_statistics import STATISTICS, measure_images
from qafm.quality.published import published_of
from qafm.quality.repeatability import intraclass_correlation, intraclass_interval
from qafm.quality.summary import identity_spread, image_set
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet
from qafm.tables.quality import QUALITY_SCHEMA

SOURCES = ("q", "q_raw", "published")
SETS = {"train": "fit", "holdout": "holdout", "query": "query", "gallery": "gallery"}  # as the table says -> as qafm.quality.summary does
QUANTILES = {"p5": 0.05, "p50": 0.5, "p95": 0.95}
REPEATED = ("icc_tracklet", "icc_identity")
COLUMNS = (
    *("source", "split", "dataset", "features", "n", "n_identities", "mean", "sd", *QUANTILES, "sd_within_identity", "sd_between_identities"),
    *(f"rho_{name}" for name in (*STATISTICS, "norm", *SOURCES)),
    *(f"{name}{end}" for name in REPEATED for end in ("", "_low", "_high")),
    "n_tracklets",
)
UNKNOWN = -1  # tracklet of an image whose camera or sequence is not known


@dataclass(frozen=True)
class Described:
    """What is known of the images that have a Q, distractors left out; NaN = unknown.

    Args:
        sets: the set of each, one of the values of SETS, str [N].
        pid: identities, int64 [N].
        tracklet: number of identity, camera and sequence together; UNKNOWN where there is no camera or no sequence, int64 [N].
        sources: source -> its values, float64 [N].
        beside: what Q is correlated with: sharpness, brightness, contrast, norm, float64 [N] each.
    """

    sets: NDArray[np.str_]
    pid: NDArray[np.int64]
    tracklet: NDArray[np.int64]
    sources: dict[str, NDArray[np.float64]]
    beside: dict[str, NDArray[np.float64]]

    def take(self, rows: NDArray[np.bool_]) -> "Described":
        """The images at `rows`, a bool mask [N]."""
        sources, beside = ({name: column[rows] for name, column in columns.items()} for columns in (self.sources, self.beside))
        return Described(self.sets[rows], self.pid[rows], self.tracklet[rows], sources, beside)


def describe_quality(images: Path, quality: Path, compare: Path | None, *, dataset: str, features: str, samples: int, seed: int, out: Path) -> None:
    """Write quality.csv: one row per source of Q and split of the data set.

    Sources are `q`, `q_raw` (where Q was computed here) and `published` (where `compare` is given; the images that it names). Splits are those of
    images.parquet, held-out identities apart; distractors, which are many persons under one number, and junk are left out. A split without images has no row.

    Args:
        images: images.parquet; every image is read once.
        quality: quality.parquet.
        compare: CSV of Q values computed elsewhere (qafm.quality.published), by the images' names or their image_id.
        dataset, features: names of the two levels of results.
        samples: draws of identities for the 95 percent intervals.
        seed: seed of the draws.
        out: the table.

    Raises:
        InputError: a file cannot be read, an image of `quality` is not in `images`, or `compare` names none of the images.
    """
    found = _read(images, quality, compare)
    rows: list[Cells] = []
    for source in found.sources:
        for split, name in SETS.items():
            own = found.take((found.sets == name) & np.isfinite(found.sources[source]))
            if len(own.pid):
                rows.append({"source": source, "split": split, "dataset": dataset, "features": features, **_cells(source, own, samples, seed)})
    write_table(out, COLUMNS, rows)


def _read(images: Path, quality: Path, compare: Path | None) -> Described:
    columns = ["image_id", "path", "split", "fold", "pid", "camid", "sequence", "distractor"]
    indexed = {row["image_id"]: row for row in read_parquet(images, IMAGES_SCHEMA, columns).to_pylist()}
    scored = read_parquet(quality, QUALITY_SCHEMA, ["image_id", "q", "q_raw", "mean_norm"]).to_pylist()
    unknown = next((row["image_id"] for row in scored if row["image_id"] not in indexed), None)
    if unknown is not None:
        raise InputError(f"{quality}: {unknown} is not an image of {images}")
    scored = [row for row in scored if not indexed[row["image_id"]]["distractor"]]
    rows = [indexed[row["image_id"]] for row in scored]
    sources = {name: np.array([row[name] for row in scored], np.float64) for name in ("q", "q_raw")}  # None -> NaN
    if compare is not None:
        published = published_of(compare, (row["image_id"] for row in rows))
        sources["published"] = np.array([published.get(row["image_id"], np.nan) for row in rows])
        if np.isnan(sources["published"]).all():
            raise InputError(f"{compare}: no value for any of the {len(rows)} images of {quality}")
    statistics = measure_images([Path(row["path"]) for row in rows])
    norm = np.array([row["mean_norm"] for row in scored], np.float64)
    sets = np.array([image_set(row["split"], row["fold"], row["distractor"]) for row in rows], dtype=str)
    pid = np.array([row["pid"] for row in rows], np.int64)
    return Described(sets, pid, _tracklets(rows), sources, {**statistics, "norm": norm})


def _tracklets(rows: Sequence[dict[str, int | None]]) -> NDArray[np.int64]:
    """Number of the tracklet of each image [N]: one per identity, camera and sequence."""
    numbers: dict[tuple[int | None, ...], int] = {}
    keys = [(row["pid"], row["camid"], row["sequence"]) for row in rows]
    return np.array([UNKNOWN if None in key else numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def _cells(source: str, own: Described, samples: int, seed: int) -> Cells:
    """The cells of one row, from the images [N >= 1] that have a value of this source."""
    values = own.sources[source]
    within, between = identity_spread(values, own.pid)
    spread = {"mean": values.mean(), "sd": values.std(), **{name: np.quantile(values, share) for name, share in QUANTILES.items()}}
    spread |= {"sd_within_identity": within, "sd_between_identities": between}
    cells = {"n": str(len(values)), "n_identities": str(len(np.unique(own.pid))), **{name: f"{value:.5g}" for name, value in spread.items()}}
    others = own.beside | {name: column for name, column in own.sources.items() if name != source}
    cells |= {f"rho_{name}": _correlation(values, column) for name, column in others.items()}
    known = own.tracklet != UNKNOWN
    cells["n_tracklets"] = str(int((np.bincount(own.tracklet[known]) > 1).sum()))
    cells |= _repeated("icc_tracklet", values[known], own.tracklet[known], own.pid[known], samples, seed)
    return cells | _repeated("icc_identity", values, own.pid, own.pid, samples, seed)


def _correlation(values: NDArray[np.float64], other: NDArray[np.float64]) -> str:
    """Spearman's rho over the images where `other` is known; empty where there are none, or one side is constant."""
    known = np.isfinite(other)
    rho = spearman(values[known], other[known]) if known.any() else None
    return "" if rho is None else f"{rho:.3f}"


def _repeated(name: str, values: NDArray[np.float64], groups: NDArray[np.int64], pid: NDArray[np.int64], samples: int, seed: int) -> Cells:
    """ICC(1) and its interval; nothing where no group has two images."""
    found = intraclass_correlation(values, groups)
    ends = None if found is None else intraclass_interval(values, groups, pid, samples=samples, seed=seed)
    if found is None or ends is None:
        return {}
    return {name: f"{found:.3f}", f"{name}_low": f"{ends[0]:.3f}", f"{name}_high": f"{ends[1]:.3f}"}
