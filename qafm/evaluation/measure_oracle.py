"""Is there anything to adapt to? What a weight chosen for each single query could gain over one weight for all, from two descriptors.

Shapes: Q queries, W weights.
"""

import logging
from pathlib import Path

import numpy as np

from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.fixed_weights import best_scoring
from qafm.evaluation.load_branch import Source, load_branch
from qafm.evaluation.load_descriptors import DescriptorSide
from qafm.evaluation.retrieval_artifact import rounded
from qafm.evaluation.weight_sweep import WeightSweep, sweep_weights
from qafm.runtime.files import write_json

LOGGER = logging.getLogger("qafm")
METHODS = ("first", "second", "fixed_holdout", "fixed_test", "oracle", "split_fixed", "split_oracle")


def measure_oracle(pair: str, images: Path, first: Source, second: Source, *, same_camera: SameCamera, grid: int, seed: int, out: Path) -> None:
    """Measure, on the standard gallery, what the weight between two descriptors can do.

    - `first`, `second`: each alone.
    - `fixed_holdout`: one weight for all, the best one for held-out identities; absent where there are none.
    - `fixed_test`: one weight for all, the best one for these very queries.
    - `oracle`: each query at the weight where its own AP is highest. It looks at the labels it is scored on, so that it gains from chance alone, whatever
      the descriptors: between two networks that differ in their seed it gains, too.
    - `split_oracle`: the weight is chosen on a random half of a query's right images and scored on the other half, which chance cannot help; both ways
      round, averaged. `split_fixed`: the same with one weight for all.

    Args:
        pair: name of the pair.
        images: images.parquet.
        first: descriptors whose weight w is sought.
        second: descriptors of weight 1 - w.
        same_camera: "drop" or "keep".
        grid: number of weights from 0 to 1.
        seed: decides the halves.
        out: the JSON artifact: chosen weights, and per query the AP by each of `METHODS` (null where it does not apply).

    Raises:
        InputError: a bad file, different images in the two, or no query with a right image.
    """
    weights = np.linspace(0.0, 1.0, grid)
    sides = [load_branch(images, source) for source in (first, second)]
    query, gallery = (sides[0].query, sides[1].query), (sides[0].gallery, sides[1].gallery)
    found = sweep_weights(query, gallery, weights, same_camera=same_camera, seed=seed)
    valid = np.isfinite(found.ap[0])
    if not valid.any():
        raise InputError(f"{first.vectors}: no query has a right image in the gallery")
    found = WeightSweep(found.ap[:, valid], found.half[:, :, valid])
    holdout = _holdout_weight(sides[0].holdout, sides[1].holdout, weights, same_camera)
    test = best_scoring(weights, found.ap.mean(axis=1))
    ap = {"first": found.ap[-1], "second": found.ap[0], "fixed_test": found.ap[_index(weights, test)], "oracle": found.ap.max(axis=0)}
    ap |= split_halves(found.half, weights)
    if holdout is not None:
        ap["fixed_holdout"] = found.ap[_index(weights, holdout)]
    LOGGER.info("%s: %s", pair, ", ".join(f"{name} {100 * np.nanmean(ap[name]):.2f}" for name in METHODS if name in ap))
    labels = query[0].labels.take(valid)
    queries = {"image_id": [str(name) for name in labels.image_id], "pid": labels.pid.tolist()}
    per_query = {name: [None if np.isnan(value) else rounded(value) for value in ap[name]] if name in ap else None for name in METHODS}
    write_json(out, {"pair": pair, "weight_holdout": holdout, "weight_test": test, "queries": queries | per_query})


def _holdout_weight(first: DescriptorSide | None, second: DescriptorSide | None, weights: np.ndarray, same_camera: SameCamera) -> float | None:
    """The best weight for held-out identities, each image searched among the others; None where there are none, or none has a right image."""
    if first is None or second is None:
        return None
    ap = sweep_weights((first, second), (first, second), weights, same_camera=same_camera).ap
    valid = np.isfinite(ap[0])
    return best_scoring(weights, ap[:, valid].mean(axis=1)) if valid.any() else None


def _index(weights: np.ndarray, weight: float) -> int:
    """Where `weight` stands in `weights` [W]."""
    return int(np.argmin(np.abs(weights - weight)))


def split_halves(half: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """AP per query on the half that did not choose the weight, both ways round averaged.

    Args:
        half: AP on either half of a query's right images at each weight [2, W, Q]; NaN with fewer than two right images.
        weights: ascending [W].

    Returns:
        [Q] each, NaN where `half` is: `split_fixed`, by the weight that is best for the choosing halves of all queries; `split_oracle`, by the one that is
        best for the query's own choosing half, among equals the one nearest to that common weight. Nothing is taken from the half that is scored: with few
        right images many weights are equally good, and what decides among them decides the result.
    """
    two = np.isfinite(half[0, 0])
    fixed, own = np.full((2, 2, len(two)), np.nan)
    for chooser, scored in ((0, 1), (1, 0)):
        choice, score = half[chooser][:, two], half[scored][:, two]  # [W, Q]
        if choice.size:
            common = best_scoring(weights, choice.mean(axis=1))
            fixed[chooser, two] = score[_index(weights, common)]
            closeness = -np.abs(weights - common)[:, None]  # [W, 1]
            best = np.argmax(np.where(choice == choice.max(axis=0), closeness, -np.inf), axis=0)  # [Q]
            own[chooser, two] = score[best, np.arange(score.shape[1])]
    return {"split_fixed": fixed.mean(axis=0), "split_oracle": own.mean(axis=0)}
