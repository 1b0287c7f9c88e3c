"""Stage 7: the probability that two images show one person, from their distance, learned on identities that no network saw."""

import logging
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from qafm.calibration.fit import fit_polyline
from qafm.calibration.pairs import EDGES, PairCounts, People, count_pairs, deal_folds, group_people
from qafm.calibration.reliability import (
    CENTRES,
    cross_fitted,
    draw_identities,
    make_columns,
    measure,
    operating_points,
    pick_thresholds,
    reliability,
    sum_pairs,
)
from qafm.config.calibration import CalibrationConfig
from qafm.evaluation.fuse import ExportedHead
from qafm.evaluation.load_embeddings import load_embeddings
from qafm.runtime.files import write_json
from qafm.tables.calibration import FORMAT, CalibrationFile, FalseMatches
from qafm.tables.parquet import read_parquet

LOGGER = logging.getLogger("qafm")


def calibrate_match(images: Path, embeddings: Path, head: Path, *, dataset: str, config: CalibrationConfig, out: Path) -> None:
    """Fit the log likelihood ratio over the distance, measure by cross-fitting over identities how well it holds, and write calibration.json.

    The pairs are all pairs of test images (query and gallery, every image at its own weight) of two cameras. Without cameras, or with too few people, the
    file says so and holds no model.

    Args:
        images: images.parquet.
        embeddings: embeddings.parquet of the model.
        head: the model's exported fusion head.
        dataset: what the data set is called.
        config: prior, folds, bins, least number of identities, draws, seed.
        out: calibration.json.

    Raises:
        InputError: a bad file.
    """
    people = load_people(images, embeddings, head)
    n = len(people)
    content = {
        "format": FORMAT,
        "set": f"pairs of images from two cameras, of {n} test identities of {dataset} (query and gallery without distractors) that no network was trained on",
        "prior": config.prior,
        "identities": n,
        "images": len(people.camid),
        "cameras": len(np.unique(people.camid)),
    }
    fold = deal_folds(people, config.folds, config.seed)
    counts = count_pairs(people, fold, config.folds)
    genuine, impostor = counts.all()
    content |= {"genuine_pairs": int(genuine.sum()), "impostor_pairs": int(impostor.sum()), "identity_pairs": counts.identity_pairs}
    content["reason"] = reason = _why_not(people, counts, config)
    if reason is None:
        content |= _fitted(people, fold, counts, config)
    LOGGER.info("%s", reason or f"fitted on {content['set']}: {content['measures']}")
    write_json(out, CalibrationFile.model_validate(content).model_dump(mode="json"))


def load_people(images: Path, embeddings: Path, head: Path) -> People:
    """The test images that count: of a known camera, of an identity that is no distractor and no train identity.

    Raises:
        InputError: a bad file.
    """
    loaded, fusion = load_embeddings(images, embeddings), ExportedHead.load(head)
    sides = (loaded.query, loaded.gallery)
    vectors = np.concatenate([fusion.fused(side.v_a, side.v_s, side.weight) for side in sides])  # [N, D]
    pid, camid = (np.concatenate([getattr(side.labels, name) for side in sides]) for name in ("pid", "camid"))
    sha256 = np.concatenate([side.labels.sha256 if side.labels.sha256 is not None else side.labels.image_id for side in sides])
    table = read_parquet(images, columns=["pid", "split"])
    trained = table.filter(pc.field("split") == "train")["pid"].to_numpy()  # folders may name a person in both
    kept = ~np.concatenate([side.distractor for side in sides]) & (camid >= 0) & ~np.isin(pid, trained)
    return group_people(vectors[kept], pid[kept], camid[kept], sha256[kept])


def _why_not(people: People, counts: PairCounts, config: CalibrationConfig) -> str | None:
    """Why no probability can be offered; None if it can."""
    if not len(people):
        return "no test image of a known camera shows a person whom no network was trained on"
    if len(np.unique(people.camid)) < 2:
        return "the test images are of one camera: there is no cross-camera pair"
    found = int(np.count_nonzero(people.cameras_of > 1))
    if found < config.identities:
        return f"{found} test identities were seen by two cameras, fewer than {config.identities} (calibration.identities)"
    parts = [counts.without(fold) for fold in range(config.folds)]
    within = counts.impostor[np.arange(config.folds), np.arange(config.folds)].sum()
    if not (within and all(part.sum() for pair in parts for part in pair)):
        return "the cross-camera pairs of some fold are of one kind only"
    return None


def _fitted(people: People, fold: np.ndarray, counts: PairCounts, config: CalibrationConfig) -> dict[str, object]:
    genuine, impostor = counts.all()
    limits = -float(np.log(len(people))), float(np.log(max(counts.identity_pairs, 2)))  # one person, or pair of people, that would say the opposite
    lines = [fit_polyline(CENTRES, *counts.without(part), limits) for part in range(config.folds)]
    thresholds = pick_thresholds(genuine, impostor, counts.identity_pairs)
    columns = make_columns(cross_fitted(lines), config.prior, config.bins, thresholds)
    sums = sum_pairs(people, fold, columns, draw_identities(len(people), config.samples, config.seed))
    found = reliability(sums, config.prior)
    return {
        "model": fit_polyline(CENTRES, genuine, impostor, limits),
        "false_matches": false_match_table(impostor),
        "measures": measure(sums, found, counts, thresholds),
        "reliability": found.bins,
        "det": operating_points(sums, thresholds),
    }


def false_match_table(impostor: np.ndarray) -> FalseMatches:
    """Cumulative impostor pairs [B] by distance; lines between which nothing changes are left out."""
    pairs = np.cumsum(impostor)
    changes = np.diff(pairs) > 0
    kept = np.append(changes, False) | np.append(False, changes)
    kept[0] |= pairs[0] > 0
    return FalseMatches(distance=tuple(np.round(EDGES[kept], 3).tolist()), pairs=tuple(pairs[kept].tolist()))
