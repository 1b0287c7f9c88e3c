"""`qafm doctor`: what is broken is said, and told by the exit code."""

import importlib.metadata
import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from qafm.bundles import bundle_files
from qafm.cli import doctor
from tests.made_up_bundle import make_bundle
from tests.unit.cli.conftest import Run


@pytest.fixture(autouse=True)
def shipped(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model in the place of the shipped one."""
    folder = make_bundle(tmp_path_factory.mktemp("shipped"))
    monkeypatch.setattr(bundle_files, "SHIPPED", folder)
    return folder


def findings(run: Run, code: int = 0) -> dict[str, dict[str, str]]:
    return {finding["what"]: finding for finding in json.loads(run("doctor", "--json", code=code).stdout)["findings"]}


def test_away_from_the_project(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = findings(run)
    assert {what: finding["status"] for what, finding in found.items() if what != "disk"} == {
        **dict.fromkeys(("Python", "packages", "device", "shipped model"), "ok"),
        "project": "absent",
    }
    assert "made-up/f/m/seed-0" in found["shipped model"]["found"]


def test_in_the_project(run: Run, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(project / "config", tmp_path / "config")
    (tmp_path / "data" / "col780").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    found = findings(run)
    assert found["project"]["status"] == "ok"
    assert found["data: data/col780"]["status"] == "ok"
    assert found["data: data/mine"] == {"what": "data: data/mine", "status": "absent", "found": "not found; wanted by folders.yaml", "advice": ""}
    text = run("doctor").stdout
    assert "make table4" in text.split("Next")[1]


def test_a_broken_shipped_model(run: Run, shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (shipped / "model.safetensors").write_bytes(b"broken")
    found = findings(run, code=1)
    assert found["shipped model"]["status"] == "problem"
    assert "the weights are not those" in found["shipped model"]["found"]
    assert "--model" in run("doctor", code=1).stdout.split("Next")[1]


def test_a_missing_package(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    real = importlib.metadata.requires("qafm-reid") or []
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda _name: [*real, "no-such-package>=1; python_version>'3'"])
    found = findings(run, code=1)["packages"]
    assert (found["status"], found["found"].split("missing: ")[1]) == ("problem", "no-such-package")


def test_a_device_that_is_missing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "no GPU" in run("doctor", "--device", "cuda", code=1).stdout


def test_a_full_disk_is_no_fault(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _path: namedtuple("usage", "free")(1e9))
    found = findings(run)["disk"]
    assert (found["status"], found["found"]) == ("absent", "1 GB free here")
