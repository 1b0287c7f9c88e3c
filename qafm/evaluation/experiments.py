"""What each row of Table 4, and each row beside it, does with the embeddings of one trained model.

Everything inside is visual_weight w, V = [w v_a, (1-w) v_s] (Eq. 3). The rows' names carry paper_alpha = 1 - w, the weight of APAN.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from qafm.config.ablation import AblationConfig
from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.fixed_weights import best_per_query, best_weight, sweep
from qafm.evaluation.fuse import ExportedHead, Parts, concat
from qafm.evaluation.load_embeddings import Side
from qafm.evaluation.ranking import Retrieval, Similarity, dot_similarity, evaluate_retrieval
from qafm.evaluation.weight_scope import pair_scope, pair_weight, query_scope


@dataclass(frozen=True)
class Trial:
    """One model before one gallery.

    Args:
        head: the model's fusion head.
        query: the queries [Q].
        gallery: the gallery [G].
        holdout: images of held-out train identities; None if there are none.
        same_camera: "drop" or "keep", as in `evaluate_retrieval`.
        config: the ablation's settings.
    """

    head: ExportedHead
    query: Side
    gallery: Side
    holdout: Side | None
    same_camera: SameCamera
    config: AblationConfig

    @cached_property
    def parts(self) -> tuple[Parts, Parts]:
        """What the head makes of each branch, of the queries and of the gallery."""
        return self.head.parts(self.query.v_a, self.query.v_s), self.head.parts(self.gallery.v_a, self.gallery.v_s)

    @property
    def grid(self) -> np.ndarray:
        """The visual weights tried, from 0 to 1."""
        return np.linspace(0.0, 1.0, self.config.grid)

    def retrieve(self, similarity: Similarity) -> Retrieval:
        """The retrieval by `similarity`."""
        return evaluate_retrieval(self.query.labels, self.gallery.labels, similarity, same_camera=self.same_camera)

    def at(self, query_weight: np.ndarray | float, gallery_weight: np.ndarray | float) -> Retrieval:
        """The retrieval with the fused descriptors at these visual weights."""
        query, gallery = self.parts
        return self.retrieve(dot_similarity(query.at(query_weight), gallery.at(gallery_weight)))

    def sweep(self) -> list[Retrieval]:
        """The retrieval at every weight of the grid."""
        return sweep(*self.parts, self.query.labels, self.gallery.labels, self.grid, self.same_camera)


@dataclass(frozen=True)
class Measurement:
    """What one row found.

    Args:
        retrievals: one; several where the row is their average; none where the row does not apply.
        weight: visual weight of the queries [Q]; None where no weight is used.
        note: what the reader of the table must know of it.
    """

    retrievals: list[Retrieval]
    weight: np.ndarray | None = None
    note: str = ""


def measure(experiment: str, trial: Trial) -> Measurement:
    """Measure one row.

    Args:
        experiment: a name of `AblationConfig.paper_experiments`, `AblationConfig.extra_experiments`, or "mspa_0.5".
        trial: the model and the gallery.

    Raises:
        InputError: there is no such row.
    """
    if experiment.startswith("fixed_alpha_"):
        return _fixed(trial, 1 - _alpha(experiment))
    if experiment not in _ROWS:
        raise InputError(f"experiment: {experiment!r} is none of {', '.join(_ROWS)}, fixed_alpha_<alpha>")
    return _ROWS[experiment](trial)


def _alpha(experiment: str) -> float:
    try:
        alpha = float(experiment.removeprefix("fixed_alpha_"))
    except ValueError:
        alpha = -1.0
    if not 0 <= alpha <= 1:
        raise InputError(f"experiment: {experiment!r} must end in a paper_alpha from 0 to 1")
    return alpha


def _fixed(trial: Trial, w: float, note: str = "") -> Measurement:
    return Measurement([trial.at(w, w)], np.full(len(trial.query), w), note)


def _qafm(trial: Trial) -> Measurement:
    """Every image at its own weight, the gallery's images too, as the original code does."""
    return Measurement([trial.at(trial.query.weight, trial.gallery.weight)], trial.query.weight)


def _mspa(trial: Trial) -> Measurement:
    """A model trained at a fixed 0.5, evaluated there."""
    for side in (trial.query, trial.gallery):
        if not (side.weight == 0.5).all():
            raise InputError("mspa_0.5: these embeddings are not from a model trained at a fixed weight of 0.5")
    return _fixed(trial, 0.5, "a model of its own, trained at 0.5")


def _apn_descriptor(trial: Trial) -> Measurement:
    return Measurement([trial.retrieve(dot_similarity(trial.head.apn_descriptor(trial.query.v_a), trial.head.apn_descriptor(trial.gallery.v_a)))])


def _apan_descriptor(trial: Trial) -> Measurement:
    return Measurement([trial.retrieve(dot_similarity(trial.head.apan_descriptor(trial.query.v_s), trial.head.apan_descriptor(trial.gallery.v_s)))])


def _concat_half(trial: Trial) -> Measurement:
    query, gallery = trial.query, trial.gallery
    similarity = dot_similarity(concat(query.v_a, query.v_s, 0.5), concat(gallery.v_a, gallery.v_s, 0.5))
    return Measurement([trial.retrieve(similarity)], np.full(len(query), 0.5), "no fusion FC")


def _concat_qafm(trial: Trial) -> Measurement:
    query, gallery = trial.query, trial.gallery
    similarity = dot_similarity(concat(query.v_a, query.v_s, query.weight), concat(gallery.v_a, gallery.v_s, gallery.weight))
    return Measurement([trial.retrieve(similarity)], query.weight, "no fusion FC")


def _best_fixed(trial: Trial) -> Measurement:
    """The best fixed weight of the held-out train identities, ranked against each other."""
    held = trial.holdout
    if held is None:
        return Measurement([], note="not measured: no held-out identities to choose the weight on")
    parts = trial.head.parts(held.v_a, held.v_s)
    try:
        found = sweep(parts, parts, held.labels, held.labels, trial.grid, trial.same_camera)
    except InputError as error:
        return Measurement([], note=f"not measured on held-out identities: {error}")
    return _fixed(trial, best_weight(trial.grid, found), f"chosen on {len(np.unique(held.labels.pid))} held-out identities")


def _best_fixed_test(trial: Trial) -> Measurement:
    """The best fixed weight of the test set itself."""
    found = trial.sweep()
    w = best_weight(trial.grid, found)
    return Measurement([found[int(np.argmin(np.abs(trial.grid - w)))]], np.full(len(trial.query), w), "oracle: chosen on the test set itself")


def _shuffled(trial: Trial) -> Measurement:
    """The learned weights at the wrong images: permuted among the queries and among the gallery, so that only the pairing is lost."""
    retrievals = []
    for permutation in range(trial.config.permutations):
        rng = np.random.default_rng([trial.config.seed, permutation])
        retrievals.append(trial.at(rng.permutation(trial.query.weight), rng.permutation(trial.gallery.weight)))
    return Measurement(retrievals, trial.query.weight, f"mean of {len(retrievals)} permutations of the weights")


def _scope_query(trial: Trial) -> Measurement:
    return Measurement([trial.retrieve(query_scope(*trial.parts, trial.query.weight))], trial.query.weight, "both sides at the query's weight")


def _scope_pair(trial: Trial) -> Measurement:
    own, other = trial.query.weight, trial.gallery.weight
    weight = np.concatenate([pair_weight(own[i : i + 128], other).mean(axis=1, dtype=np.float64) for i in range(0, len(own), 128)])  # [Q]
    return Measurement([trial.retrieve(pair_scope(*trial.parts, own, other))], weight, "both sides at the mean of both logits")


def _oracle_query(trial: Trial) -> Measurement:
    best, weight = best_per_query(trial.grid, trial.sweep(), trial.query.weight)
    return Measurement([best], weight, "oracle: best weight of each query, by its own labels")


_ROWS: dict[str, Callable[[Trial], Measurement]] = {
    "qafm": _qafm,
    "apn_only_alpha_0": lambda trial: _fixed(trial, 1.0),
    "apan_only_alpha_1": lambda trial: _fixed(trial, 0.0),
    "mspa_0.5": _mspa,
    "apn_descriptor": _apn_descriptor,
    "apan_descriptor": _apan_descriptor,
    "concat_0.5": _concat_half,
    "concat_qafm": _concat_qafm,
    "best_fixed": _best_fixed,
    "best_fixed_test": _best_fixed_test,
    "shuffled": _shuffled,
    "scope_query": _scope_query,
    "scope_pair": _scope_pair,
    "oracle_query": _oracle_query,
}
