"""Both presets of COL780: what its attributes ask for."""

from pathlib import Path

import pytest

from qafm.companions.par.classes import COLORS
from qafm.config.run import load_presets
from qafm.datasets.folder_attributes import read_folder_attributes
from qafm.tables.attributes import ATTRIBUTE_NAMES

NAMES = ("col780.yaml", "col780-authors.yaml")


@pytest.mark.parametrize("name", NAMES)
def test_clothes_of_several_colours_are_a_class(project: Path, name: str) -> None:
    """The file names one colour or none, and a folder data set takes an unnamed one as unknown unless the preset says what it means."""
    run = load_presets(project / "config")[name]
    assert run.dataset.kind == "folders" and run.dataset.folders is not None and run.dataset.folders.attributes == "data/col780/attributes.csv"
    par = run.companions.par
    assert par.multi(run.dataset.kind)
    assert {par.train_par(loss, run.dataset.kind).multi_color for loss in par.losses} == {True}


def test_people_without_a_colour_are_described_otherwise(shared: Path) -> None:
    described = read_folder_attributes(shared / "data" / "col780" / "attributes.csv").values()
    codes = [dict(zip(ATTRIBUTE_NAMES, person, strict=True)) for person in described]
    without = {color: [person for person in codes if person[color] is None] for color in COLORS}
    assert {color: len(people) for color, people in without.items()} == {"up_color": 7, "down_color": 2}  # of 74
    assert all(value is not None for people in without.values() for person in people for name, value in person.items() if name not in (*COLORS, "age"))
