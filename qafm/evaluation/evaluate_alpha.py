"""Stage 7, first half: one artifact per row of Table 4, from the embeddings alone."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from qafm.config.ablation import AblationConfig
from qafm.evaluation.experiments import Measurement, Trial, measure
from qafm.evaluation.fuse import FusionHead
from qafm.evaluation.load_embeddings import load_embeddings
from qafm.evaluation.ranking import SameCamera
from qafm.runtime.errors import InputError
from qafm.runtime.files import write_json

LOGGER = logging.getLogger("qafm")
DIGITS = 6


def evaluate_alpha(experiment: str, images: Path, embeddings: Path, head: Path, *, same_camera: SameCamera, config: AblationConfig, out: Path) -> None:
    """Evaluate one row of Table 4 (or of the table beside it) on the standard gallery, and without its distractors where there are any.

    Args:
        experiment: the row's name, see `experiments.measure`.
        images: images.parquet of the data set.
        embeddings: embeddings.parquet of the model.
        head: the model's exported fusion head, safetensors.
        same_camera: "drop", or "keep" for data without cameras.
        config: the ablation's settings.
        out: the JSON artifact: per gallery the metrics in percent, the visual weight, and the AP and first right rank of every valid query;
            no gallery if the row does not apply.

    Raises:
        InputError: unknown row, bad file, or no query with a valid match.
    """
    loaded = load_embeddings(images, embeddings)
    galleries = {"standard": loaded.gallery}
    if loaded.gallery.distractor.any():
        galleries["no_distractors"] = loaded.gallery.take(~loaded.gallery.distractor)
    fusion_head = FusionHead.load(head)
    content: dict[str, Any] = {"experiment": experiment, "same_camera": same_camera, "note": "", "galleries": {}}
    for name, gallery in galleries.items():
        try:
            found = measure(experiment, Trial(fusion_head, loaded.query, gallery, loaded.holdout, same_camera, config))
        except InputError as error:
            raise InputError(f"{embeddings}: {error}") from error
        content["note"] = found.note
        if found.retrievals:
            content["galleries"][name] = _gallery_content(found, config.ranks)
        else:
            LOGGER.warning("%s, gallery %s: %s", experiment, name, found.note)
    _log(experiment, content["galleries"])
    write_json(out, content)


def _gallery_content(found: Measurement, ranks: tuple[int, ...]) -> dict[str, Any]:
    """What is stored of one gallery; several retrievals are averaged, the metrics and the AP of each query."""
    summaries = [retrieval.summary(ranks) for retrieval in found.retrievals]
    first = found.retrievals[0]
    ap = np.mean([retrieval.ap[first.valid] for retrieval in found.retrievals], axis=0)
    counts = ("n_queries", "n_excluded")
    return {
        "visual_weight": None if found.weight is None else _rounded(found.weight.mean()),
        "visual_weight_sd": None if found.weight is None else _rounded(found.weight.std()),
        "metrics": {name: _rounded(np.mean([summary[name] for summary in summaries])) for name in summaries[0] if name not in counts},
        **{name: summaries[0][name] for name in counts},
        "excluded": first.excluded,
        "queries": {
            "image_id": [str(name) for name in first.query.image_id[first.valid]],
            "pid": first.query.pid[first.valid].tolist(),
            "ap": [_rounded(value) for value in ap],
            "first_rank": first.first_rank[first.valid].tolist() if len(found.retrievals) == 1 else None,  # an average has no rank
        },
    }


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), DIGITS)


def _log(experiment: str, galleries: dict[str, Any]) -> None:
    for name, content in galleries.items():
        first = content["excluded"][:3]
        excluded = f", {content['n_excluded']} queries without a valid match ({', '.join(first)}{' ...' if content['n_excluded'] > 3 else ''})" if first else ""
        metrics = content["metrics"]
        LOGGER.info(
            "%s, gallery %s: mAP %.2f, rank1 %.2f of %d queries%s",
            experiment,
            name,
            metrics["mAP"],
            metrics.get("rank1", float("nan")),
            content["n_queries"],
            excluded,
        )
