"""Would something else guide the weight better than Q? Each guide's best rule on held-out identities, tried on the queries.

Shapes: Q queries, H held-out images, W weights of the grid, K guides.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.fixed_weights import best_scoring
from qafm.evaluation.fuse import ExportedHead
from qafm.evaluation.load_branch import branch_side
from qafm.evaluation.load_descriptors import DescriptorSide
from qafm.evaluation.load_embeddings import Side, load_embeddings
from qafm.evaluation.retrieval_artifact import rounded
from qafm.evaluation.weight_sweep import sweep_weights
from qafm.guides.guided_weight import Rule, ap_at, fit_rule, nearest_on, places
from qafm.guides.known_of_query import GUIDES, file_guides, network_guides, picture_guides, quality_guides, search_guides
from qafm.runtime.files import write_json

LOGGER = logging.getLogger("qafm")
FOLDS = 5
COMBINED, RANDOM, OWN_LEAD = "combined", "random", "own_lead"
READS = GUIDES | {COMBINED: "all of these", RANDOM: "nothing", OWN_LEAD: "the query's labels"}


@dataclass(frozen=True)
class Guided:
    """The queries of one set that have a right image.

    Args:
        image_id, pid: who they are [Q].
        ap: AP at each weight of APN, by APN's and APAN's own descriptors concatenated, float64 [W, Q].
        guides: name -> value, float64 [Q]; of GUIDES, RANDOM and OWN_LEAD.
    """

    image_id: np.ndarray
    pid: np.ndarray
    ap: np.ndarray
    guides: dict[str, np.ndarray]

    @property
    def lead(self) -> np.ndarray:
        """AP of APN alone minus that of APAN alone [Q]."""
        return self.ap[-1] - self.ap[0]


def measure_guides(
    images: Path, embeddings: Path, head: Path, quality: Path, compare: Path | None, *, same_camera: SameCamera, grid: int, seed: int, out: Path
) -> None:
    """Let each guide set the weight of the queries, on the standard gallery.

    The descriptors are APN's and APAN's own, concatenated as [w a, (1-w) b] at the query's weight, as in `measure_oracle`. A guide's value is replaced by its
    place among all queries of its set, and the weight follows it by a straight line (`guided_weight.Rule`), the best one for the held-out identities, each of
    their images searched among the others. `fixed` is the same without a guide: slope 0. `combined` predicts APN's lead by least squares from the places of
    all other guides (cross-fitted over identities where its rule is chosen). Two controls: `random` knows nothing, `own_lead` is that lead itself, read from
    the query's labels. Without held-out identities no rule can be chosen, and the values alone are written.

    Args:
        images: images.parquet; the pictures of queries and held-out images are read.
        embeddings: embeddings.parquet of the model.
        head: the model's exported fusion head, which knows the branches' BNNecks.
        quality: quality.parquet.
        compare: CSV of anybody's measure, by the images' names or their image_id (qafm.quality.published).
        same_camera: "drop" or "keep".
        grid: number of weights from 0 to 1.
        seed: of the random guide, and of the identities' folds.
        out: the JSON artifact: `queries` (image_id, pid, lead, fixed) and per guide `place`, `ap` [Q] each, `base`, `slope`, `weight_sd`.

    Raises:
        InputError: a bad file, or no query with a right image.
    """
    loaded, fusion_head = load_embeddings(images, embeddings), ExportedHead.load(head)
    weights, rng = np.linspace(0.0, 1.0, grid), np.random.default_rng(seed)

    def guided(side: Side, others: Side) -> Guided:
        query, gallery = _by_branch(side, fusion_head), _by_branch(others, fusion_head)
        ap = sweep_weights(query, gallery, weights, same_camera=same_camera).ap
        names = [str(name) for name in side.labels.image_id]
        values = quality_guides(quality, names) | file_guides(compare, names) | picture_guides(images, names) | network_guides(side)
        values |= search_guides(query, gallery, same_camera) | {RANDOM: rng.standard_normal(len(names)), OWN_LEAD: ap[-1] - ap[0]}
        valid = np.isfinite(ap[0])
        return Guided(side.labels.image_id[valid], side.labels.pid[valid], ap[:, valid], {name: value[valid] for name, value in values.items()})

    test = guided(loaded.query, loaded.gallery)
    if not len(test.pid):
        raise InputError(f"{embeddings}: no query has a right image in the gallery")
    held = None if loaded.holdout is None else guided(loaded.holdout, loaded.holdout)
    write_json(out, _content(test, held if held is not None and len(held.pid) else None, weights, seed))


def _by_branch(side: Side, head: ExportedHead) -> tuple[DescriptorSide, DescriptorSide]:
    return branch_side(side, head, "apn"), branch_side(side, head, "apan")


def _content(test: Guided, held: Guided | None, grid: np.ndarray, seed: int) -> dict[str, object]:
    """The artifact; a guide that is unknown or the same for all queries of a set is left out."""
    known = [name for name in test.guides if all(_varies(one.guides[name]) for one in (test, held) if one)]
    of_test = {name: places(test.guides[name]) for name in known}
    of_held = {name: places(held.guides[name]) for name in known} if held else {}
    used = [name for name in known if name in GUIDES]
    if held and used:
        together = [np.stack([place[name] for name in used], axis=1) for place in (of_held, of_test)]  # [H, K], [Q, K]
        of_held[COMBINED] = places(cross_fitted(together[0], held.lead, held.pid, seed))
        of_test[COMBINED] = places(predicted(together[0], held.lead, together[1]))
    fixed = Rule(best_scoring(grid, held.ap.mean(axis=1)), slope=0.0) if held else None
    queries = {"image_id": [str(name) for name in test.image_id], "pid": test.pid.tolist(), "lead": _rounded(test.lead)}
    guides = {name: _guide(test, of_test[name], fit_rule(of_held[name], held.ap, grid) if held else None, grid) for name in READS if name in of_test}
    for name, guide in guides.items():
        LOGGER.info("%s: base %s, slope %s", name, guide["base"], guide["slope"])
    return {"queries": queries | {"fixed": _guide(test, np.zeros(len(test.pid)), fixed, grid)["ap"]}, "guides": guides}


def _guide(test: Guided, place: np.ndarray, rule: Rule | None, grid: np.ndarray) -> dict[str, object]:
    if rule is None:
        return {"place": _rounded(place), "ap": None, "base": None, "slope": None, "weight_sd": None}
    chosen = nearest_on(grid, rule.weights(place))
    own = {"base": rounded(rule.base), "slope": rounded(rule.slope), "weight_sd": rounded(grid[chosen].std())}
    return {"place": _rounded(place), "ap": _rounded(ap_at(test.ap, chosen)), **own}


def _varies(values: np.ndarray) -> bool:
    known = values[np.isfinite(values)]
    return len(known) > 0 and bool(known.max() > known.min())


def predicted(known: np.ndarray, lead: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Least squares with a constant: the lead of `asked` [Q, K] from `known` [H, K] and its lead [H]."""
    solution = np.linalg.lstsq(np.column_stack([known, np.ones(len(known))]), lead, rcond=None)[0]
    return np.column_stack([asked, np.ones(len(asked))]) @ solution


def cross_fitted(known: np.ndarray, lead: np.ndarray, pid: np.ndarray, seed: int) -> np.ndarray:
    """The lead of each image [H] as predicted from the identities of all other folds; NaN with a single identity."""
    identities, owner = np.unique(pid, return_inverse=True)
    fold = (np.random.default_rng(seed).permutation(len(identities)) % min(FOLDS, len(identities)))[owner]
    found = np.full(len(pid), np.nan)
    for part in range(min(FOLDS, len(identities))):
        mine = fold == part
        if not mine.all():
            found[mine] = predicted(known[~mine], lead[~mine], known[mine])
    return found


def _rounded(values: np.ndarray) -> list[float]:
    return [rounded(value) for value in values]
