"""The rows of the comparison: each system once per recipe, with what it was measured at, and the counts of what it costs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qafm.config.compared import ComparedSystem
from qafm.errors import InputError, reading
from qafm.evaluation.ablation_rows import Artifacts, Cells, Row, read_artifacts
from qafm.runtime.files import read_json

RECIPES = ("own", "common")


@dataclass(frozen=True)
class ComparedFiles:
    """A system and what it left.

    Args:
        system: what it is.
        rows: (seed, experiment, retrieval artifact).
    """

    system: ComparedSystem
    rows: Sequence[Row]


@dataclass(frozen=True)
class Counts:
    """What a system costs by counting.

    Args:
        flops: floating-point operations of one image.
        parameters: behind the descriptor.
        descriptor_length: of the descriptor.
        epochs: of each of its trainings, in words.
        images_seen: in all of its trainings, mean over seeds.
    """

    flops: int
    parameters: int
    descriptor_length: int
    epochs: str
    images_seen: float


def by_recipe(systems: Sequence[ComparedSystem]) -> Iterator[tuple[str, ComparedSystem, str]]:
    """(recipe, system, what the reader must know) of every row: the own recipes first."""
    for recipe in RECIPES:
        for system in systems:
            if recipe in system.recipes:
                yield recipe, system, system.recipes[recipe]


def read_compared(files: Sequence[ComparedFiles]) -> dict[str, Artifacts]:
    """Key of a system -> its retrieval artifacts.

    Raises:
        InputError: no system, or an artifact that is missing, broken or of another experiment.
    """
    if not files:
        raise InputError("comparison: no system to compare")
    return {each.system.key: read_artifacts(each.rows)[0] for each in files}


def read_counts(path: Path, systems: Sequence[ComparedSystem]) -> dict[str, Counts]:
    """Key of a system -> its counts, as `describe_compared` wrote them.

    Raises:
        InputError: the file is something else, or lacks a system.
    """
    with reading(path, "does not hold the counts of the compared systems"):
        content = read_json(path)
        return {system.key: _counts(content[system.key]) for system in systems}


def _counts(content: dict[str, Any]) -> Counts:
    trainings = content["trainings"]
    epochs = " + ".join("/".join(str(number) for number in sorted(set(training["epochs"]))) for training in trainings)
    seen = np.sum([np.mean(training["images_seen"]) for training in trainings])
    return Counts(int(content["flops"]), int(content["parameters"]), int(content["descriptor_length"]), epochs, float(seen))


def about(system: ComparedSystem, recipe: str) -> Cells:
    """The cells that say which row it is."""
    return {"system": system.system, "recipe": recipe, "seeds": " ".join(map(str, system.seeds))}
