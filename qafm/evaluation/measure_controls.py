"""Control experiments: what chance, the background, colour histograms and the true attributes achieve on the synthetic data set.

Q queries, G gallery images, D descriptor length, A = 12 attributes.
"""

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
from tqdm import tqdm

from qafm.config.choices import SameCamera
from qafm.config.controls import ControlsConfig
from qafm.datasets.read_image import read_image
from qafm.errors import InputError, reading
from qafm.evaluation.chance import chance_level
from qafm.evaluation.colour_histogram import background, colour_histogram, stripe_histograms
from qafm.evaluation.ranking import Labels, Similarity, dot_similarity, evaluate_retrieval
from qafm.runtime.files import whole_file
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet

COLUMNS: tuple[str, ...] = ("control", "mAP", "rank1", "n_queries", "chance_mAP", "chance_rank1")


def measure_controls(images: Path, raw: Path, manifest: Path, out: Path, config: ControlsConfig, same_camera: SameCamera) -> None:
    """Measure the controls and write them as a table of percentages.

    Rows:
    - `chance`: random rankings.
    - `background_only`: HSV histogram of the pixels away from the person.
    - `hsv_histogram`: of the whole image.
    - `hsv_histogram_stripes`: of horizontal stripes of it.
    - `hsv_histogram_person`: stripes within the true person mask, more than a histogram could know.
    - `true_attribute_hamming`: number of differing true attributes, ties in random order. Distractors have attributes too; several colours count as one more.

    `chance_mAP` and `chance_rank1` are the exact expectations of a random ranking. Protocol: single query, junk never ranked, distractors wrong.

    Args:
        images: images.parquet of the generated set.
        raw: its folder, with masks/person.
        manifest: its CSV of true factors.
        out: the CSV to write.
        config: histograms, seed and repeats.
        same_camera: "drop" or "keep" gallery images of the query's identity and camera.

    Raises:
        InputError: a mask or a row of the manifest is missing, or no query has a match.
    """
    table = read_parquet(images, IMAGES_SCHEMA)
    query, gallery = _side(table, "query"), _side(table, "gallery")
    if not len(query) or not len(gallery):
        raise InputError(f"{images}: has {len(query)} query and {len(gallery)} gallery images")
    vectors = _histograms(table, raw, config)
    codes = _true_attributes(manifest)

    def dot(name: str) -> Similarity:
        side = [np.stack([vectors[name][image] for image in labels.image_id]) for labels in (query, gallery)]
        return dot_similarity(*side)

    row = partial(_row, query, gallery, same_camera)
    rows = [row("chance", config.repeats, lambda repeat: _random(len(gallery), config.seed, repeat))]
    rows += [row(name, 1, lambda _, name=name: dot(name)) for name in vectors]
    distance = _hamming(_codes_of(query, codes, manifest), _codes_of(gallery, codes, manifest))
    rows.append(row("true_attribute_hamming", config.repeats, lambda repeat: _random_ties(distance, config.seed, repeat)))
    with whole_file(out) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(COLUMNS), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _row(query: Labels, gallery: Labels, same_camera: SameCamera, name: str, repeats: int, similarity: Callable[[int], Similarity]) -> dict[str, str | int]:
    """Mean over `repeats` rankings, in percent."""
    results = [evaluate_retrieval(query, gallery, similarity(repeat), same_camera=same_camera).summary((1,)) for repeat in range(repeats)]
    mean = {metric: float(np.mean([result[metric] for result in results])) for metric in ("mAP", "rank1")}
    chance_map, chance_rank1 = chance_level(query, gallery, same_camera)
    values = {**mean, "chance_mAP": 100 * chance_map, "chance_rank1": 100 * chance_rank1}
    row: dict[str, str | int] = {"control": name, "n_queries": int(results[0]["n_queries"])}
    return row | {metric: f"{value:.3f}" for metric, value in values.items()}


def _side(table: pa.Table, split: str) -> Labels:
    """Labels of the ranked images of one split: no junk."""
    frame = table.select(["image_id", "split", "pid", "camid", "junk", "sha256"]).to_pandas()
    frame = frame[(frame["split"] == split) & ~frame["junk"]]
    return Labels(
        frame["pid"].to_numpy(np.int32),
        frame["camid"].fillna(-1).to_numpy(np.int16),
        frame["image_id"].to_numpy(str),
        frame["sha256"].to_numpy(str),
    )


def _histograms(table: pa.Table, raw: Path, config: ControlsConfig) -> dict[str, dict[str, np.ndarray]]:
    """For every histogram control the descriptor [D] of every ranked image."""
    bins = config.hue_bins, config.saturation_bins, config.value_bins
    vectors: dict[str, dict[str, np.ndarray]] = {"background_only": {}, "hsv_histogram": {}, "hsv_histogram_stripes": {}, "hsv_histogram_person": {}}
    for row in tqdm(table.select(["image_id", "path", "split", "junk"]).to_pylist(), desc="control histograms", unit="image", disable=None):
        if row["junk"] or row["split"] == "train":
            continue
        name, image = row["image_id"], read_image(Path(row["path"]))
        mask = _person_mask(raw, name, image.shape[:2])
        vectors["background_only"][name] = colour_histogram(image, bins, background(mask, config.background_margin))
        vectors["hsv_histogram"][name] = colour_histogram(image, bins)
        vectors["hsv_histogram_stripes"][name] = stripe_histograms(image, bins, config.stripes)
        vectors["hsv_histogram_person"][name] = stripe_histograms(image, bins, config.stripes, mask > 127)
    return vectors


def _person_mask(raw: Path, image_id: str, shape: tuple[int, ...]) -> np.ndarray:
    path = raw / "masks" / "person" / Path(image_id).with_suffix(".png")
    data = np.fromfile(path, np.uint8) if path.is_file() else np.empty(0, np.uint8)
    mask = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None  # which raises on nothing, and gives None for what it cannot read
    if mask is None or mask.shape != shape:
        raise InputError(f"{path}: no readable person mask of {shape[0]} x {shape[1]} pixels")
    return mask


def _true_attributes(manifest: Path) -> dict[str, np.ndarray]:
    """Codes [A] of every image, -1 for several colours."""
    with reading(manifest, "is no manifest"), manifest.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        if not {"path", *ATTRIBUTE_NAMES} <= set(reader.fieldnames or ()):
            raise InputError(f"{manifest}: is no manifest, it needs the columns path and {', '.join(ATTRIBUTE_NAMES)}")
        return {row["path"]: np.array([int(row[name] or -1) for name in ATTRIBUTE_NAMES], np.int8) for row in reader}


def _codes_of(labels: Labels, codes: dict[str, np.ndarray], manifest: Path) -> np.ndarray:
    missing = [name for name in labels.image_id if name not in codes]
    if missing:
        raise InputError(f"{manifest}: has no row for {missing[0]}")
    return np.stack([codes[name] for name in labels.image_id])  # [N, A]


def _hamming(query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """Number of differing attributes, float64 [Q, G], of codes [Q, A] and [G, A]."""
    return (query[:, None] != gallery[None]).sum(2).astype(np.float64)


def _random(gallery: int, seed: int, repeat: int) -> Similarity:
    rng = np.random.default_rng((seed, repeat))
    return lambda queries: rng.random((queries.stop - queries.start, gallery))


def _random_ties(distance: np.ndarray, seed: int, repeat: int) -> Similarity:
    rng = np.random.default_rng((seed, repeat))
    order = rng.random(distance.shape)  # below 1, the smallest difference of two distances
    return lambda queries: -(distance[queries] + order[queries])
