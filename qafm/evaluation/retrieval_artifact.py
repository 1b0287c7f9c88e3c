"""The JSON artifact of one measured row: per gallery the metrics in percent, and the AP and first right rank of every valid query."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from qafm.config.choices import SameCamera
from qafm.evaluation.ranking import Retrieval
from qafm.runtime.files import write_json

LOGGER = logging.getLogger("qafm")
DIGITS = 6
COUNTS = ("n_queries", "n_excluded")


class GallerySide(Protocol):
    """Gallery images with whatever describes them."""

    @property
    def distractor(self) -> np.ndarray:
        """Always-wrong images, bool [N]."""
        ...

    def take(self, rows: np.ndarray, /) -> Self:
        """The images at `rows`: indices or a bool mask [N]."""
        ...


SideT = TypeVar("SideT", bound=GallerySide)


def galleries_of(gallery: SideT) -> dict[str, SideT]:
    """The standard gallery, and the one without its distractors where there are any."""
    return {"standard": gallery} | ({"no_distractors": gallery.take(~gallery.distractor)} if gallery.distractor.any() else {})


def gallery_content(retrievals: Sequence[Retrieval], ranks: tuple[int, ...], weight: np.ndarray | None = None) -> dict[str, Any]:
    """What is stored of one gallery; several retrievals are averaged, the metrics and the AP of each query.

    Args:
        retrievals: at least one, all of the same queries.
        ranks: ranks of the CMC.
        weight: visual weight of the queries, float [Q] in [0, 1]; None where no weight is used.
    """
    summaries = [retrieval.summary(ranks) for retrieval in retrievals]
    first = retrievals[0]
    ap = np.mean([retrieval.ap[first.valid] for retrieval in retrievals], axis=0)
    return {
        "visual_weight": None if weight is None else rounded(weight.mean()),
        "visual_weight_sd": None if weight is None else rounded(weight.std()),
        "metrics": {name: rounded(np.mean([summary[name] for summary in summaries])) for name in summaries[0] if name not in COUNTS},
        **{name: summaries[0][name] for name in COUNTS},
        "excluded": first.excluded,
        "queries": {
            "image_id": [str(name) for name in first.query.image_id[first.valid]],
            "pid": first.query.pid[first.valid].tolist(),
            "ap": [rounded(value) for value in ap],
            "first_rank": first.first_rank[first.valid].tolist() if len(retrievals) == 1 else None,  # an average has no rank
        },
    }


def rounded(value: float | np.floating[Any]) -> float:
    """A number as artifacts hold it: six digits after the point."""
    return round(float(value), DIGITS)


def write_artifact(out: Path, experiment: str, same_camera: SameCamera, note: str, galleries: dict[str, dict[str, Any]]) -> None:
    """Write the artifact of a row and log its result in one line per gallery.

    Args:
        out: the JSON file.
        experiment: the row's name.
        same_camera: the protocol it was measured under.
        note: what the reader of the table must know of it.
        galleries: gallery -> `gallery_content`; empty if the row does not apply.
    """
    for name, content in galleries.items():
        first, metrics = content["excluded"][:3], content["metrics"]
        more = " ..." if content["n_excluded"] > 3 else ""
        excluded = f", {content['n_excluded']} queries without a valid match ({', '.join(first)}{more})" if first else ""
        found = f"mAP {metrics['mAP']:.2f}, rank1 {metrics.get('rank1', float('nan')):.2f} of {content['n_queries']} queries"
        LOGGER.info("%s, gallery %s: %s%s", experiment, name, found, excluded)
    write_json(out, {"experiment": experiment, "same_camera": same_camera, "note": note, "galleries": galleries})
