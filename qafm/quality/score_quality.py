"""Stage 4: Q(I) of every image."""

# N images, V variants with the original, F families

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tqdm import tqdm

from qafm.config.quality import QualityConfig
from qafm.errors import InputError
from qafm.quality.feature_stream import read_features
from qafm.quality.identifiability import pair_distances, pair_weights
from qafm.quality.published import published_of
from qafm.quality.reference import QualityReference, quality_reference
from qafm.quality.summary import SETS, image_set, set_statistics
from qafm.runtime.files import write_json
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.tables.quality import FAMILIES, QUALITY_SCHEMA

COMPUTED = ("q", "q_normalized", "q_raw", "mean_norm", *(f"q_{family}" for family in FAMILIES))


def _indexed(images: Path) -> dict[str, dict[str, Any]]:
    """image_id -> split, fold, pid, distractor of each image that is not junk, sorted by image_id."""
    columns = ["image_id", "split", "fold", "pid", "junk", "distractor"]
    rows = read_parquet(images, IMAGES_SCHEMA, columns=columns).to_pylist()
    return {row["image_id"]: row for row in sorted(rows, key=lambda row: row["image_id"]) if not row["junk"]}


def _scores(features: NDArray[Any], normalize: str, weights: NDArray[np.float64], work: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values of `COMPUTED` of one image, from its features [V, D]."""
    distances = pair_distances(features, work)
    normalized, raw = weights @ distances.normalized, weights @ distances.raw  # [1 + F] each
    q, *by_family = normalized if normalize == "l2" else raw
    return np.array([q, normalized[0], raw[0], distances.mean_norm, *by_family])


def _computed(images: Path, indexed: dict[str, Any], features: list[Path], config: QualityConfig, families: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    """image_id -> the values of `COMPUTED`, of every image of `indexed`."""
    weights = pair_weights(families, config.mode)
    found: dict[str, NDArray[np.float64]] = {}
    work: NDArray[np.float64] | None = None
    for path in features:
        for image_id, vectors in tqdm(read_features(path, 1 + len(families)), desc=f"quality {path.name}", unit="image", disable=None):
            if image_id not in indexed:
                raise InputError(f"{path}: {image_id} is not an image of {images}, or is junk there")
            if image_id in found:
                raise InputError(f"{path}: {image_id} has features for the second time")
            work = np.empty(vectors.shape) if work is None else work
            if vectors.shape != work.shape:
                raise InputError(f"{path}: features of {image_id} have length {vectors.shape[-1]}, those before {work.shape[-1]}")
            found[image_id] = _scores(vectors, config.normalize, weights, work)
    missing = [image_id for image_id in indexed if image_id not in found]
    if missing:
        raise InputError(f"{images}: {len(missing)} of {len(indexed)} images have no features, the first is {missing[0]}")
    return found


def _published(images: Path, indexed: dict[str, Any], path: Path) -> dict[str, NDArray[np.float64]]:
    """image_id -> the values of `COMPUTED`, all but q NaN; distractors without a published value are left out."""
    published = published_of(path, indexed)
    missing = [image_id for image_id in indexed if image_id not in published and not indexed[image_id]["distractor"]]
    if missing:
        raise InputError(f"{path}: no value for {len(missing)} images of {images}, the first is {missing[0]}")
    blank = [np.nan] * (len(COMPUTED) - 1)
    return {image_id: np.array([q, *blank]) for image_id, q in published.items()}


def _reference(images: Path, q: NDArray[np.float64], sets: NDArray[np.str_]) -> tuple[str, QualityReference]:
    """The name of the reference set and its distribution: held-out images where there are any, else train images."""
    name, members = ("holdout", ("holdout",)) if "holdout" in sets else ("train", ("fit",))
    try:
        return name, quality_reference(q[np.isin(sets, members)])
    except ValueError as error:
        raise InputError(f"{images}: no reference for Q from the {name} images: {error}") from error


def _table(image_ids: list[str], columns: dict[str, NDArray[np.float64]]) -> pa.Table:
    arrays = [pa.array(image_ids), *(pa.array(columns[field.name], from_pandas=True) for field in list(QUALITY_SCHEMA)[1:])]  # NaN -> null
    return pa.Table.from_arrays(arrays, schema=QUALITY_SCHEMA)


def score_quality(images: Path, features: list[Path], config: QualityConfig, families: tuple[str, ...], out: Path, summary: Path) -> None:
    """Write Q(I) of every image that is not junk (Eq. 1), and its statistics per set.

    Mean, sd and quantiles, and with them q_z and q_rank, come from the held-out identities where there are any,
    else from the train images.

    Args:
        images: images.parquet.
        features: the shards of features (qafm.tables.features), read in bounded memory; not read where the
            source is "published".
        config: stage 4.
        families: the family of each variant 1, 2, ... (qafm.perturbations.catalog.variant_families).
        out: the table to write (qafm.tables.quality), sorted by image_id.
        summary: the JSON file to write: the reference and Q of fit, holdout, query, gallery and distractors.

    Raises:
        InputError: an input cannot be read, an image has no features, or twice, or no published value (a
            distractor without one is left out and counted), or the reference images give no scale.
    """
    indexed = _indexed(images)
    scores = _computed(images, indexed, features, config, families) if config.published is None else _published(images, indexed, Path(config.published))
    image_ids = sorted(scores)
    rows = [indexed[image_id] for image_id in image_ids]
    values = np.array([scores[image_id] for image_id in image_ids]).reshape(-1, len(COMPUTED))  # [N, 4 + F]
    columns = dict(zip(COMPUTED, values.T, strict=True))
    q, pids = columns["q"], np.array([row["pid"] for row in rows], dtype=np.int64)  # [N]
    sets = np.array([image_set(row["split"], row["fold"], row["distractor"]) for row in rows], dtype=str)
    name, reference = _reference(images, q, sets)
    table = _table(image_ids, {**columns, "q_z": reference.z(q), "q_rank": reference.rank(q)})
    content = {
        **config.model_dump(),
        "variants": 1 + len(families) if config.source == "compute" else None,
        "images": len(image_ids),
        "distractors_left_out": len(indexed) - len(image_ids),
        "reference": {"set": name, "images": len(reference.values), "mean": reference.mean, "sd": reference.sd, "quantiles": reference.quantiles().tolist()},
        "sets": {name: set_statistics(q[sets == name], pids[sets == name], identified=name != "distractor") for name in SETS},
    }
    write_parquet(out, table)
    write_json(summary, content)
