"""The study of the faults: every preset changes what it says and writes to a place of its own."""

import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from qafm.config.run import RunConfig, check_names
from qafm.evaluation.tabulate_variants import EXPERIMENTS


@pytest.fixture(scope="module")
def study(project: Path) -> dict[str, tuple[str, RunConfig]]:
    script: dict[str, Any] = runpy.run_path(str(project / "workflow" / "tabulate_faults.py"))
    return script["load_study"](project / "config" / "market1501-replica.yaml", project / "config" / "faults")


def changes(one: Any, other: Any, path: str = "") -> set[str]:
    """Paths of the values in which two dumped configurations differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {name for key in one.keys() | other.keys() for name in changes(one.get(key), other.get(key), f"{path}.{key}".lstrip("."))}
    return set() if one == other else {path}


def test_presets_do_not_overwrite_each_other(study: dict[str, tuple[str, RunConfig]]) -> None:
    check_names({name: config for name, (_, config) in study.items()})
    places = [(config.dataset.name, config.features.name, config.model.name) for _, config in study.values()]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("01_attributes", {"dataset.name", "dataset.attributes.key"}),
        ("02_quality", {"features.name", "quality.source", "quality.published"}),
        ("03_convlstm", {f"model.apan.architecture.{key}" for key in ("steps", "step_channels", "gates", "heads")} | {"model.name"}),
        ("04_decoder", {f"model.apn.architecture.decoder_{key}" for key in ("channels", "kernel", "last_linear")} | {"model.name"}),
        ("05_gradients", {"model.name", "model.fusion.gradients"}),
        ("06_head", {"model.name", "model.fusion.head.activation", "model.fusion.head.normalize"}),
        ("07_identity_head", {"model.name", "model.apan.architecture.identity_head"}),
        ("08_stage_1", {"model.name", "model.apn.pretrain", "model.apan.pretrain", "model.fusion.freeze_epochs"}),
    ],
)
def test_each_repairs_one_fault_alone(study: dict[str, tuple[str, RunConfig]], name: str, expected: set[str]) -> None:
    base, (says, config) = study["00_replica"][1], study[name]
    assert changes(base.model_dump(mode="json"), config.model_dump(mode="json")) == expected
    assert "repaired" in says and says.endswith(".")


def test_the_last_one_repairs_what_all_others_repair(study: dict[str, tuple[str, RunConfig]]) -> None:
    base, last = study["00_replica"][1].model_dump(mode="json"), study["10_all"][1].model_dump(mode="json")
    for name, (_, config) in study.items():
        dumped = config.model_dump(mode="json")
        for path in changes(base, dumped) - {"dataset.name", "features.name", "model.name"}:
            value, repaired = dumped, last
            for key in path.split("."):
                value, repaired = value[key], repaired[key]
            assert value == repaired, f"{name}: {path}"


def test_the_table_finds_what_a_run_leaves(study: dict[str, tuple[str, RunConfig]], project: Path) -> None:
    script: dict[str, Any] = runpy.run_path(str(project / "workflow" / "tabulate_faults.py"))
    found, missing = script["variant"]("03", *study["03_convlstm"])
    assert (found.embeddings, found.rows, missing) == ([], [], [1])
    assert found.quality == Path("results/market1501-study-relabelled/published/quality.json")


def test_a_study_that_cannot_be_read_is_one_line(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("config.yaml", "market1501-replica.yaml"):
        shutil.copy(project / "config" / name, tmp_path)
    monkeypatch.setattr(sys, "argv", ["tabulate_faults.py", str(tmp_path / "market1501-replica.yaml"), str(tmp_path / "faults"), str(tmp_path / "out.csv")])

    def refused(message: str) -> None:
        with pytest.raises(SystemExit, match=rf"^error: .*{message}"):
            runpy.run_path(str(project / "workflow" / "tabulate_faults.py"), run_name="__main__")

    (tmp_path / "faults").mkdir()
    refused("faults: holds no preset")
    (tmp_path / "faults" / "00_base.yaml").touch()
    refused(r"00_base\.yaml: holds no mapping")
    (tmp_path / "faults" / "00_base.yaml").write_text("# The base.\nmodel: {name: base}")
    (tmp_path / "faults" / "01_wrong.yaml").write_text("# Wrong.\nmodel: {nam: one}")
    refused(r"01_wrong\.yaml: model\.nam: no such key")
    assert not (tmp_path / "out.csv").exists()


def test_a_seed_is_finished_when_all_its_files_are_there(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script: dict[str, Any] = runpy.run_path(str(project / "workflow" / "tabulate_faults.py"))
    (tmp_path / "seeds.yaml").write_text("seeds: [1, 2]")
    study = script["load_study"](project / "config" / "market1501-replica.yaml", project / "config" / "faults", [tmp_path / "seeds.yaml"])
    monkeypatch.chdir(tmp_path)
    features = Path("results/market1501-study-relabelled/published")
    seed = features / "convlstm/seed-2"
    files = [features / "quality.json", seed / "embeddings/fusion.parquet", *(seed / "ablation" / f"{row}.json" for row in EXPERIMENTS.values())]
    for file in files:
        assert script["variant"]("03", *study["03_convlstm"])[1] == [1, 2]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    found, missing = script["variant"]("03", *study["03_convlstm"])
    assert missing == [1]
    assert (found.quality, list(found.embeddings)) == (files[0], [files[1]])
    assert list(found.rows) == [(2, row, path) for row, path in zip(EXPERIMENTS.values(), files[2:], strict=True)]


def test_a_study_without_its_base_is_refused(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = project / "config"
    monkeypatch.setattr(sys, "argv", ["tabulate_faults.py", str(config / "market1501-replica.yaml"), str(config / "faults"), "out.csv"])
    with pytest.raises(SystemExit, match="error: 00_replica: not run yet, and all others are compared with it"):
        runpy.run_path(str(project / "workflow" / "tabulate_faults.py"), run_name="__main__")
    assert not Path("out.csv").exists()
