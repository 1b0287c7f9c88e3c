"""Companion c1: the siamese network's retrieval: by the common protocol, and by the report's own with its two filters."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qafm.companions.par.filters import Filter, Side, all_filters, filtered_search
from qafm.companions.par.predictions import Predictions, read_predictions
from qafm.companions.par.query_gallery import choose_queries
from qafm.config.choices import SameCamera
from qafm.config.par import FiltersConfig, SearchConfig
from qafm.errors import InputError
from qafm.evaluation.evaluate_descriptors import evaluate_descriptors
from qafm.evaluation.load_descriptors import Descriptors, DescriptorSide, load_descriptors
from qafm.evaluation.retrieval_artifact import rounded
from qafm.runtime.files import write_json

LOGGER = logging.getLogger("qafm")


@dataclass(frozen=True)
class SiameseInputs:
    """What is evaluated.

    Args:
        images: images.parquet.
        descriptors: of `embed_siamese`.
        predictions: of `predict_par`, the attributes of the same images.
    """

    images: Path
    descriptors: Path
    predictions: Path


def evaluate_siamese(
    arm: str,
    inputs: SiameseInputs,
    *,
    search: SearchConfig,
    filters: FiltersConfig,
    same_camera: SameCamera,
    ranks: tuple[int, ...],
    retrieval: Path,
    filtered: Path,
) -> None:
    """Measure one arm.

    Args:
        arm: "transfer" or "reference".
        inputs: the files.
        search: how the validation identities are split into queries and gallery.
        filters: both filters.
        same_camera: of the common protocol.
        ranks: ranks of the CMC.
        retrieval: retrieval.json to write: the common protocol, as every system's.
        filtered: filters.json to write: per gallery (`validation`, `standard`, `no_distractors`) and filter what is left of mAP, ranks and right images.

    Raises:
        InputError: a bad file, an image without predictions, or no query of the common protocol with a right image.
    """
    evaluate_descriptors(f"siamese_{arm}", inputs.images, [inputs.descriptors], same_camera=same_camera, ranks=ranks, note="", out=retrieval)
    loaded = load_descriptors(inputs.images, inputs.descriptors)
    predictions = read_predictions(inputs.predictions)
    query, gallery = (_side(side, predictions, inputs.predictions) for side in (loaded.query, loaded.gallery))
    searches: dict[str, tuple[Side, Side, SameCamera]] = {"validation": (*_validation(loaded, predictions, inputs, search), search.same_camera)}
    searches["standard"] = query, gallery, same_camera
    if loaded.gallery.distractor.any():
        searches["no_distractors"] = query, gallery.take(~loaded.gallery.distractor), same_camera
    chosen = all_filters(filters.max_different)
    galleries = {name: _measure(name, *sides, chosen, filters, ranks) for name, sides in searches.items()}
    write_json(filtered, {"arm": arm, "galleries": galleries})


def _side(side: DescriptorSide, predictions: Predictions, file: Path) -> Side:
    names = [str(name) for name in side.labels.image_id]
    missing = next((name for name in names if name not in predictions.row_of), None)
    if missing is not None:
        raise InputError(f"{file}: has no prediction for {missing}")
    return Side(side.labels, side.descriptor, predictions.codes[[predictions.row_of[name] for name in names]])


def _validation(loaded: Descriptors, predictions: Predictions, inputs: SiameseInputs, search: SearchConfig) -> tuple[Side, Side]:
    """Queries and gallery among the validation identities."""
    if loaded.holdout is None:
        raise InputError(f"{inputs.descriptors}: no validation image in it")
    side = _side(loaded.holdout, predictions, inputs.predictions)
    is_query = choose_queries(side.labels, search.queries_per_camera, search.seed)
    return side.take(is_query), side.take(~is_query)


def _measure(
    name: str, query: Side, gallery: Side, same_camera: SameCamera, chosen: list[Filter], filters: FiltersConfig, ranks: tuple[int, ...]
) -> dict[str, Any]:
    """One gallery's content; a search in which no query has a right image says so and has no result."""
    content: dict[str, Any] = {"n_queries": 0, "n_excluded": len(query), "n_gallery": len(gallery), "note": "", "filters": []}
    try:
        found, excluded = filtered_search(query, gallery, chosen, same_camera=same_camera, distance=filters.distance)
    except InputError as error:
        LOGGER.warning("gallery %s is not measured: %s", name, error)
        return content | {"note": str(error)}
    summaries = []
    for each, outcome in found.items():
        metrics = {metric: rounded(value) for metric, value in outcome.summary(ranks).items()}
        summaries.append({"filter": each, "metrics": metrics})
        LOGGER.info("gallery %s, filter %s: mAP %.2f, right images kept %.2f %%", name, each, metrics["mAP"], metrics["recall_kept"])
    return content | {"n_queries": len(query) - excluded, "n_excluded": excluded, "filters": summaries}
