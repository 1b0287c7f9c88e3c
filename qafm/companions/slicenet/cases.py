"""cases.json: queries that two systems rank, right by both, by one of them, or by none."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from qafm.errors import reading
from qafm.runtime.files import read_json, write_json

Kind = Literal["first_helps", "second_helps", "neither", "both"]
KINDS: tuple[Kind, ...] = ("first_helps", "second_helps", "neither", "both")


@dataclass(frozen=True)
class Place:
    """One gallery image among the first ranks.

    Args:
        image_id: its name.
        pid: its identity; 0: a distractor.
        camid: its camera; None: unknown.
        right: whether it shows the query's identity.
        distance: Euclidean, of L2-normalised descriptors, in [0, 2].
    """

    image_id: str
    pid: int
    camid: int | None
    right: bool
    distance: float


@dataclass(frozen=True)
class SystemRanks:
    """What one system makes of the query.

    Args:
        system: its name.
        ap: average precision over the whole list, in [0, 1].
        first_rank: of the first right image, 1 = best.
        places: the first ranks, nearest first.
    """

    system: str
    ap: float
    first_rank: int
    places: list[Place]


@dataclass(frozen=True)
class Case:
    """A query ranked by two systems.

    Args:
        kind: which of both have a right image at rank 1.
        query: its image_id.
        pid: its identity.
        camid: its camera; None: unknown.
        n_relevant: right images in the gallery.
        rule: how it was chosen, a sentence.
        first, second: the systems.
    """

    kind: Kind
    query: str
    pid: int
    camid: int | None
    n_relevant: int
    rule: str
    first: SystemRanks
    second: SystemRanks


def write_cases(path: Path, systems: tuple[str, str], cases: list[Case]) -> None:
    """Write cases.json, whole or not at all; a kind that no query is of has no case."""
    write_json(path, {"systems": systems, "cases": [asdict(case) for case in cases]})


def read_cases(path: Path) -> tuple[tuple[str, str], dict[Kind, Case]]:
    """The names of both systems, and the cases by kind.

    Raises:
        InputError: the file is not what `write_cases` writes.
    """
    with reading(path, "holds no cases"):
        content: dict[str, Any] = read_json(path)
        first, second = content["systems"]
        cases = [_case(entry) for entry in content["cases"]]
    return (first, second), {case.kind: case for case in cases}


def _case(entry: dict[str, Any]) -> Case:
    first, second = (SystemRanks(**entry[name] | {"places": [Place(**place) for place in entry[name]["places"]]}) for name in ("first", "second"))
    return Case(**{name: value for name, value in entry.items() if name not in ("first", "second")}, first=first, second=second)
