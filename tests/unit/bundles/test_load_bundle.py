"""Where a bundle is found, and what is refused in one line."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from qafm.bundles.bundle_files import SHIPPED, find_bundle
from qafm.bundles.load_bundle import load_bundle
from qafm.bundles.stored_weights import weights_digest
from qafm.errors import InputError
from qafm.models.weights import load_weights, save_weights
from tests.made_up_run import made_up_bundle, made_up_run


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    return made_up_bundle(folder / "seed-1" / "bundle", made_up_run(folder))


@pytest.fixture
def bundle(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "b"))


def changed(folder: Path, **values: Any) -> None:
    path = folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def refused(folder: Path, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_bundle(folder)
    assert "\n" not in str(caught.value)


def test_a_bundle_is_found_by_itself_by_its_run_and_by_default(original: Path) -> None:
    assert find_bundle(original) == find_bundle(original.parent) == original
    assert find_bundle(None) == SHIPPED


def test_what_is_no_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: no such folder$"):
        find_bundle(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"holds no bundle \(bundle\.json\)"):
        find_bundle(tmp_path)
    with pytest.raises(InputError, match=r"nnn: cannot be read \(.*name too long.*\)$"):
        find_bundle(tmp_path / ("n" * 300))


def test_a_newer_format_is_told_from_a_damaged_file(bundle: Path) -> None:
    changed(bundle, format=2, qafm="9.9", something="new")
    refused(bundle, r"bundle\.json: is of format 2, made by a newer qafm \(9\.9\); this one reads up to 1$")
    changed(bundle, format=1)
    refused(bundle, r"bundle\.json: something: ")
    (bundle / "bundle.json").write_text("[1]")
    refused(bundle, r"bundle\.json: Input should be a valid dictionary")
    (bundle / "bundle.json").write_text("{")
    refused(bundle, r"bundle\.json: cannot be read as JSON")


@pytest.mark.parametrize("name", ["model.safetensors", "extractor.safetensors"])
def test_weights_that_were_changed_replaced_or_lost_are_refused(bundle: Path, name: str) -> None:
    data = bytearray((bundle / name).read_bytes())
    data[-1] ^= 1
    (bundle / name).write_bytes(data)
    refused(bundle, r"b: the weights are not those that bundle\.json was written with")
    (bundle / name).unlink()
    refused(bundle, rf"{name}: cannot be read \(No such file")


def test_settings_that_do_not_fit_the_weights_are_refused(bundle: Path) -> None:
    content = json.loads((bundle / "bundle.json").read_text())
    content["head"]["dim"] = 9
    changed(bundle, head=content["head"])
    refused(bundle, r"bundle\.json: head: differs from what model\.safetensors was stored with")


@pytest.mark.parametrize("name", ["model.safetensors", "extractor.safetensors"])
def test_weights_that_do_not_say_their_settings_are_refused(bundle: Path, name: str) -> None:
    save_weights(bundle / name, load_weights(bundle / name)[0], {"seed": 1})
    changed(bundle, digest=weights_digest([bundle / "model.safetensors", bundle / "extractor.safetensors"]))
    refused(bundle, rf"b/{name}: its header holds no settings of this network \(")


@pytest.mark.parametrize(
    ("section", "key", "value", "weights"),
    [
        ("head", "normalize", False, "model"),
        ("perturb", "gaussian_sigma", 80.0, "extractor"),
        ("quality", "mode", "reference", "extractor"),
    ],
)
def test_settings_of_which_no_tensor_has_the_shape_are_bound_to_the_weights(bundle: Path, section: str, key: str, value: object, weights: str) -> None:
    before = json.loads((bundle / "bundle.json").read_text())[section]
    assert key in before and before[key] != value
    changed(bundle, **{section: before | {key: value}})
    refused(bundle, rf"bundle\.json: {section}: differs from what {weights}\.safetensors was stored with; descriptors of the same model would differ$")


def test_a_calibration_that_was_edited_or_lost_is_refused(bundle: Path) -> None:
    (bundle / "calibration.json").write_text((bundle / "calibration.json").read_text() + " ")
    refused(bundle, r"calibration\.json: is not the one that bundle\.json was written with$")
    (bundle / "calibration.json").unlink()
    refused(bundle, r"calibration\.json: is not the calibration of this bundle \(FileNotFoundError")


def test_a_bundle_written_before_calibrations_were_recorded_loads_without_one(bundle: Path) -> None:
    content = json.loads((bundle / "bundle.json").read_text())
    del content["calibration"]
    (bundle / "bundle.json").write_text(json.dumps(content))
    (bundle / "calibration.json").unlink()
    assert load_bundle(bundle).config.calibration is None


def test_the_model_that_comes_with_the_package_records_its_calibration() -> None:
    assert load_bundle(SHIPPED).config.calibration is not None
