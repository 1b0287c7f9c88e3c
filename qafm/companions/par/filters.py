"""The report's two retrieval filters, which shorten the list that a query gets, and what they cost.

(1) Distance: only gallery images closer to the query than the mean over all of its gallery are kept.
(2) Attributes: only gallery images whose predicted attributes differ from the query's in at most k are kept.

Q queries, G gallery images, D descriptor length, A attributes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.ranking import Labels, Matches, precision_at

Distance = Literal["euclidean", "squared"]
ROUNDING = 1e-6  # equal distances and their mean can differ by this


@dataclass(frozen=True)
class Filter:
    """Which gallery images a query keeps: those that every part of it lets pass.

    Args:
        distance: keep what is closer than the query's mean distance.
        max_different: keep what differs in at most so many predicted attributes; None: whatever the attributes.
    """

    distance: bool = False
    max_different: int | None = None

    @property
    def name(self) -> str:
        """What the table calls it."""
        parts = (["distance"] if self.distance else []) + ([] if self.max_different is None else [f"attributes<={self.max_different}"])
        return " and ".join(parts) or "none"


def all_filters(max_different: Sequence[int]) -> list[Filter]:
    """No filter, each alone, both together."""
    return [Filter(), Filter(distance=True), *(Filter(on, k) for on in (False, True) for k in max_different)]


@dataclass(frozen=True)
class Side:
    """One side of a search, N images.

    Args:
        labels: who they are.
        descriptors: L2-normalised, float32 [N, D].
        attributes: predicted codes, int [N, A].
    """

    labels: Labels
    descriptors: np.ndarray
    attributes: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> "Side":
        """The images at `rows`: indices or a bool mask [N]."""
        return Side(self.labels.take(rows), self.descriptors[rows], self.attributes[rows])


@dataclass(frozen=True)
class Filtered:
    """What a filter did to the lists of the queries that have a right image; means over them.

    Args:
        ap: mean precision at the right images that were kept, the report's measure; 0 where none was, [0, 1].
        ap_of_all: the same sum of precisions divided by all right images, those that the filter lost included.
        first: 1-based place of the first right image in the shortened list; 0: none was kept.
        recall: share of the right images that was kept.
        kept: share of the gallery that was kept.
    """

    ap: np.ndarray
    ap_of_all: np.ndarray
    first: np.ndarray
    recall: np.ndarray
    kept: np.ndarray

    def summary(self, ranks: Sequence[int]) -> dict[str, float]:
        """Percents; a rank beyond the list means: anywhere in it; `nothing_right` is the share of queries that keep no right image."""
        found = {f"rank{rank}": 100 * float(np.mean((self.first > 0) & (self.first <= rank))) for rank in ranks}
        means = {"mAP": self.ap, "mAP_of_all": self.ap_of_all, "recall_kept": self.recall, "gallery_kept": self.kept, "nothing_right": self.first == 0}
        return found | {name: 100 * float(values.mean()) for name, values in means.items()}


def squared_distances(descriptor: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances of a unit vector [D] to unit vectors [G, D], float64 [G] in [0, 4]."""
    return np.maximum(2 - 2 * (gallery @ descriptor).astype(np.float64), 0)


def filtered_search(
    query: Side, gallery: Side, filters: Sequence[Filter], *, same_camera: SameCamera, distance: Distance = "euclidean"
) -> tuple[dict[str, Filtered], int]:
    """Rank the gallery for each query and shorten the list by each filter.

    The protocol's rules come first (`same_camera`; the query image itself never counts): the mean distance is over what they leave. Equal distances keep
    the order of the gallery.

    Args:
        query: the queries [Q].
        gallery: the gallery [G].
        filters: what to apply.
        same_camera: "drop" or "keep" gallery images of the query's identity and camera.
        distance: whose mean is the threshold of the distance filter.

    Returns:
        The outcome by the filter's name, and the number of queries without a right image, which count nowhere.

    Raises:
        InputError: no query has a right image.
    """
    matches = Matches(query.labels, gallery.labels, same_camera)
    found: dict[str, list[tuple[float, float, int, float, float]]] = {each.name: [] for each in filters}
    excluded = 0
    for i in range(len(query)):
        relevant, removed = matches.of(i)
        if not len(relevant):
            excluded += 1
            continue
        squared = squared_distances(query.descriptors[i], gallery.descriptors)  # [G]
        ranked = np.setdiff1d(np.arange(len(gallery)), removed)
        ranked = ranked[np.argsort(squared[ranked], kind="stable")]
        right = np.isin(ranked, relevant)
        lengths = squared[ranked] if distance == "squared" else np.sqrt(squared[ranked])
        near = lengths < lengths.mean() - ROUNDING
        different = (gallery.attributes[ranked] != query.attributes[i]).sum(axis=1)
        for each in filters:
            kept = near if each.distance else np.ones(len(ranked), bool)
            found[each.name].append(_outcome(right, kept if each.max_different is None else kept & (different <= each.max_different)))
    if excluded == len(query):
        raise InputError(f"retrieval: none of the {len(query)} queries has a right image in the gallery of {len(gallery)} (same_camera: {same_camera})")
    return {name: Filtered(*map(np.array, zip(*rows, strict=True))) for name, rows in found.items()}, excluded


def _outcome(right: np.ndarray, kept: np.ndarray) -> tuple[float, float, int, float, float]:
    """The fields of Filtered for one ranked list: which of it are right, and which are kept, bool [G']."""
    places = np.flatnonzero(right[kept])  # 0-based, in the shortened list
    if not len(places):
        return 0.0, 0.0, 0, 0.0, float(kept.mean())
    ap, recall = precision_at(places)[0], len(places) / int(right.sum())
    return ap, ap * recall, int(places[0]) + 1, recall, float(kept.mean())
