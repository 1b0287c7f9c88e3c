"""The bundle of a run as package data: what is copied, what its card says, what is refused; and the one that is there."""

import json
import runpy
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from qafm.bundles import ship_bundle as module
from qafm.bundles.bundle_files import SHIPPED
from qafm.bundles.load_bundle import load_bundle
from qafm.bundles.model_card import model_card
from qafm.bundles.ship_bundle import COMMAND, LIMIT, ship_bundle
from qafm.config.bundle import MeasuredAttribute
from qafm.errors import InputError
from qafm.tables.calibration import CalibrationFile, read_calibration_file
from tests.made_up_run import calibration, made_up_bundle, made_up_run

FILES = ["README.md", "bundle.json", "calibration.json", "extractor.safetensors", "model.safetensors"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    return made_up_bundle(folder / "bundle", made_up_run(folder))


def test_a_bundle_is_copied_with_its_card_and_nothing_else_stays(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "old.safetensors").write_text("old")
    size = ship_bundle(bundle, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES
    assert size == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert load_bundle(tmp_path).config == load_bundle(bundle).config
    card = (tmp_path / "README.md").read_text()
    for said in (
        "10 train images of 5 identities seen by 2 cameras",
        "| 61.5 % | 42.2 % |",
        "On 13 queries",
        "| gender | 81.5 % | 70.0 % |",
        "Never trained: hat, age",
    ):
        assert said in card
    for said in ("100 pairs of one person, 1000 of two; prior 0.5; equal error rate 10.0 %", "Synthetic people, drawn", "MIT", "`make shipped`"):
        assert said in card
    assert "Below that majority" not in card
    assert "{" not in card and load_bundle(bundle).config.digest in card


def test_a_run_without_a_calibration_says_why(bundle: Path) -> None:
    card = model_card(load_bundle(bundle).config, CalibrationFile.model_validate(calibration(model=False)), bundle, "make it")
    assert "No probability of a match is offered: too few people." in card and "`make it`" in card


def test_attributes_that_are_worse_than_a_constant_answer_are_named(bundle: Path) -> None:
    config = load_bundle(bundle).config
    measured = {"hat": MeasuredAttribute(accuracy=60, majority=99), "hair": MeasuredAttribute(accuracy=60, majority=None)}
    card = model_card(config.model_copy(update={"measured_attributes": measured}), CalibrationFile.model_validate(calibration()), bundle, "make it")
    assert "Below that majority: hat. Of these" in card and "| hair | 60.0 % |  |" in card


def test_what_may_not_be_shipped_is_refused_and_leaves_nothing(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 1000)
    with pytest.raises(InputError, match=r"takes \d+ bytes, more than 1000"):
        ship_bundle(bundle, tmp_path / "out")
    monkeypatch.undo()
    run = made_up_run(tmp_path)
    real = made_up_bundle(tmp_path / "real", replace(run, settings=replace(run.settings, kind="market1501")))
    with pytest.raises(InputError, match=r"trained on Market-1501 .*; only a model of synthetic people is shipped"):
        ship_bundle(real, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["old", "model.safetensors"])
def test_a_folder_in_the_target_is_named_before_anything_is_written(bundle: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=rf"{name}: a folder among the files of a bundle"):
        ship_bundle(bundle, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_full_disk_leaves_the_model_that_was_there(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ship_bundle(bundle, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def half(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:100])
        raise OSError("No space left on device")

    monkeypatch.setattr(shutil, "copyfile", half)
    with pytest.raises(OSError, match="No space left"):
        ship_bundle(bundle, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_preset_that_cannot_be_read_is_one_line(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(project / "config" / "config.yaml", tmp_path)
    (tmp_path / "empty.yaml").touch()
    for name, reason in (("empty.yaml", "holds no mapping"), ("none.yaml", "cannot be read as YAML")):
        monkeypatch.setattr(sys, "argv", ["ship_bundle.py", str(tmp_path / name)])
        with pytest.raises(SystemExit, match=rf"^error: .*{name}: {reason}"):
            runpy.run_path(str(project / "workflow" / "ship_bundle.py"), run_name="__main__")


def test_the_shipped_model_is_small_whole_and_of_drawn_people() -> None:
    assert sorted(path.name for path in SHIPPED.iterdir()) == FILES
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= LIMIT
    config = load_bundle(SHIPPED).config  # checks the digest
    assert config.trained_on.kind == "synthetic" and config.name == "synthetic/r10-24/shipped/seed-1"
    assert set(config.measured) == {"qafm", "apn_descriptor", "apan_descriptor"}


def test_its_card_is_the_one_its_numbers_give() -> None:
    config = json.loads((SHIPPED / "bundle.json").read_text())
    card = (SHIPPED / "README.md").read_text()
    assert card == model_card(load_bundle(SHIPPED).config, read_calibration_file(SHIPPED / "calibration.json"), SHIPPED, COMMAND)
    assert f"{config['measured']['qafm']['mAP']:.1f} %" in card
