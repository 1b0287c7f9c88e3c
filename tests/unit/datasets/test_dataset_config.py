"""The dataset section: one slice per stage, only the section in use."""

from typing import Any

import pytest
from pydantic import ValidationError

from qafm.config.dataset import DatasetConfig
from qafm.config.parse import ParseConfig

SECTIONS = {"market1501": {"root": "data/m", "attributes": "data/a.mat"}, "folders": {"root": "data/f"}}


def config(**values: Any) -> DatasetConfig:
    return DatasetConfig.model_validate({"name": "x"} | SECTIONS | values)


@pytest.mark.parametrize("values", [{"shards": 9}, {"same_camera": "keep"}, {"name": "y"}])
def test_settings_of_later_stages_do_not_parse_again(values: dict[str, Any]) -> None:
    assert config(**values).parse_slice() == config().parse_slice()


@pytest.mark.parametrize("values", [{"holdout_ids": 3}, {"holdout_seed": 3}, {"max_set_aside": 0.2}, {"attributes": {"missing": "mask"}}, {"kind": "folders"}])
def test_settings_of_parsing_do(values: dict[str, Any]) -> None:
    assert config(**values).parse_slice() != config().parse_slice()


def test_only_the_section_in_use_is_in_the_slice() -> None:
    slices = {kind: config(kind=kind).parse_slice() for kind in ("synthetic", "market1501", "folders")}
    present = {kind: (part.market1501 is not None, part.folders is not None) for kind, part in slices.items()}
    assert present == {"synthetic": (False, False), "market1501": (True, False), "folders": (False, True)}
    assert {kind: part.attribute_file() for kind, part in slices.items()} == {"synthetic": None, "market1501": "data/a.mat", "folders": None}
    assert {kind: config(kind=kind).has_attributes for kind in slices} == {"synthetic": True, "market1501": True, "folders": False}
    assert {kind: config(kind=kind).image_root("made") for kind in slices} == {"synthetic": "made", "market1501": "data/m", "folders": "data/f"}


@pytest.mark.parametrize("kind", ["synthetic", "market1501", "folders"])
def test_a_slice_survives_json(kind: str) -> None:
    part = config(kind=kind).parse_slice()
    assert ParseConfig.model_validate(part.model_dump(mode="json")) == part


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"name": "a/b"}, "String should match pattern"),
        ({"kind": "folder"}, "Input should be 'synthetic', 'market1501' or 'folders'"),
        ({"kind": "folders", "folders": None}, "section folders is absent"),
        ({"kind": "market1501", "market1501": None}, "section market1501 is absent"),
        ({"shards": 0}, "greater than or equal to 1"),
        ({"holdout_ids": -1}, "greater than or equal to 0"),
        ({"same_camera": "no"}, "Input should be 'drop' or 'keep'"),
        ({"max_set_aside": 1.5}, "less than or equal to 1"),
        ({"shard": 3}, "no such key"),
    ],
)
def test_wrong_settings_are_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        config(**values)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"test": {"kind": "folders"}}, "section folders is absent"),
        ({"test": {"kind": "market1501", "folders": {"root": "t"}}}, "section market1501 is absent"),
        ({"test": {"kind": "synthetic"}}, "Input should be 'market1501' or 'folders'"),
        ({"kind": "folders", "test": {"kind": "folders", "folders": {"root": "t", "attributes": "a.csv"}}}, "nothing uses them"),
        ({"test": {"kind": "folders", "folders": {"root": "t", "train_ids": "some"}}}, "Input should be 'all'"),
    ],
)
def test_wrong_test_sets_are_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        config(**values)


def test_the_slice_of_a_test_set() -> None:
    whole = config(
        kind="market1501", max_set_aside=0.3, attributes={"missing": "mask", "key": "relabelled"}, test={"kind": "folders", "folders": {"root": "t"}}
    )
    part = whole.parse_slice()
    assert ParseConfig.model_validate(part.model_dump(mode="json")) == part
    tested = part.test_slice()
    assert tested is not None
    assert (tested.kind, str(tested.root()), tested.max_set_aside, tested.attributes.missing, tested.attributes.key) == ("folders", "t", 0.3, "mask", "raw")
    assert (tested.market1501, tested.test, config().parse_slice().test_slice()) == (None, None, None)
    assert whole.without_cameras() == ["test.folders"]


def test_a_pattern_without_a_camera_gives_none() -> None:
    patterns = {None: ["folders"], r"(?P<frame>\d+)": ["folders"], r"_c(?P<camera>\d)": []}
    assert {pattern: config(kind="folders", folders={"root": "f", "camera_pattern": pattern}).without_cameras() for pattern in patterns} == patterns
