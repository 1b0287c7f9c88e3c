"""Which queries show what two systems differ in (the report's Figures 1 to 4): by a stated rule, never by hand."""

from pathlib import Path

import numpy as np

from qafm.companions.slicenet.cases import KINDS, Case, Kind, Place, SystemRanks, write_cases
from qafm.companions.slicenet.protocols import DEPTH
from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.first_ranks import FirstRanks
from qafm.evaluation.load_descriptors import Descriptors, load_descriptors
from qafm.evaluation.ranking import Labels, Matches, Retrieval, dot_similarity, evaluate_retrieval

Named = tuple[str, Path]  # a system, its descriptors.parquet
# Whether the first system and the second one have a right image at rank 1.
_RIGHT: dict[Kind, tuple[bool, bool]] = {"first_helps": (True, False), "second_helps": (False, True), "neither": (False, False), "both": (True, True)}


def choose_slicenet_cases(images: Path, first: Named, second: Named, *, same_camera: SameCamera, out: Path) -> None:
    """Choose one query of each kind: right at rank 1 by the first system alone, by the second alone, by neither, by both.

    Of a kind's queries it is the median one: by the difference in AP where one system is right alone, else by the mean AP of both; the lower of an even
    number, and in the order of the image names where that is equal. The protocol is the one all systems of the project share.

    Args:
        images: images.parquet.
        first, second: the systems.
        same_camera: "drop" or "keep", as in `evaluate_retrieval`.
        out: cases.json; a kind that no query is of is left out.

    Raises:
        InputError: a bad file, files of different images, or no query with a valid match.
    """
    loaded = [load_descriptors(images, path) for _, path in (first, second)]
    for side in ("query", "gallery"):
        if not np.array_equal(*(getattr(descriptors, side).labels.image_id for descriptors in loaded)):
            raise InputError(f"{second[1]}: holds other {side} images than {first[1]}")
    names = (first[0], second[0])
    ranked = [_rank(descriptors, same_camera) for descriptors in loaded]
    cases = []
    for kind in KINDS:
        found = choose_query(kind, names, ranked[0][0], ranked[1][0])
        if found is not None:
            cases.append(_case(kind, *found, names, ranked, loaded[0].gallery.labels))
    write_cases(out, names, cases)


def _rank(descriptors: Descriptors, same_camera: SameCamera) -> tuple[Retrieval, FirstRanks]:
    query, gallery = descriptors.query, descriptors.gallery
    matches = Matches(query.labels, gallery.labels, same_camera)
    first = FirstRanks(dot_similarity(query.descriptor, gallery.descriptor), matches, DEPTH)
    return evaluate_retrieval(query.labels, gallery.labels, first, same_camera=same_camera), first


def choose_query(kind: Kind, names: tuple[str, str], first: Retrieval, second: Retrieval) -> tuple[int, str] | None:
    """Choose the query that stands for a kind.

    Args:
        kind: which kind.
        names: the systems.
        first, second: what they achieve on the same queries.

    Returns:
        The query's index and the rule in words; None where no query is of the kind.
    """
    wanted = _RIGHT[kind]
    alone = wanted[0] != wanted[1]
    of_kind = np.flatnonzero(first.valid & ((first.first_rank == 1) == wanted[0]) & ((second.first_rank == 1) == wanted[1]))
    if not len(of_kind):
        return None
    value = np.abs(first.ap - second.ap) if alone else (first.ap + second.ap) / 2
    order = sorted(of_kind, key=lambda i: (value[i], str(first.query.image_id[i])))
    both = f"both {names[0]} and {names[1]}" if wanted[0] else f"neither {names[0]} nor {names[1]}"
    by = f"{names[0] if wanted[0] else names[1]} alone" if alone else both
    median = f"of median {'difference in AP' if alone else 'mean AP'}{'' if len(order) % 2 else ' (the lower one of an even number)'}"
    share = f"{len(order)} of {first.valid.sum()} queries are right at rank 1 by {by}"
    return int(order[(len(order) - 1) // 2]), f"{share}; this is the one {median}."


def _case(kind: Kind, i: int, rule: str, names: tuple[str, str], ranked: list[tuple[Retrieval, FirstRanks]], gallery: Labels) -> Case:
    first, second = (_system(name, i, *found, gallery) for name, found in zip(names, ranked, strict=True))
    query = ranked[0][0].query
    count = len(ranked[0][1].relevant[i])
    return Case(kind, str(query.image_id[i]), int(query.pid[i]), _camera(int(query.camid[i])), count, rule, first, second)


def _system(name: str, i: int, retrieval: Retrieval, first: FirstRanks, gallery: Labels) -> SystemRanks:
    right = np.isin(first.places[i], first.relevant[i])
    distances = np.sqrt(np.maximum(2 - 2 * first.scores[i], 0))
    places = [
        Place(str(gallery.image_id[g]), int(gallery.pid[g]), _camera(int(gallery.camid[g])), bool(hit), round(float(distance), 6))
        for g, hit, distance in zip(first.places[i], right, distances, strict=True)
    ]
    return SystemRanks(name, round(float(retrieval.ap[i]), 6), int(retrieval.first_rank[i]), places)


def _camera(camid: int) -> int | None:
    return None if camid < 0 else camid
