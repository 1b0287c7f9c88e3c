"""Bad input ends before the DAG is built, in one line that names the key or the file."""

import pytest

from tests.workflow.conftest import Project

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: {fusion: {alhpa: 1}}", "bad.yaml: model.fusion.alhpa: no such key; did you mean alpha?"),
        ("quality: {normalize: l3}", "bad.yaml: quality.normalize: Input should be 'l2' or 'none'"),
        (
            "companions: {slicenet: {foreign: {file: data/none.pth}}}",
            "data/none.pth: no such file of weights (config: companions.slicenet.foreign.file)",
        ),
        ("dataset: {kind: folders, same_camera: keep, folders: {root: data/nobody}}", "data/nobody: no such folder of images"),
    ],
)
def test_bad_configuration(fresh: Project, text: str, message: str) -> None:
    result = fresh.run("results/table4.csv", "--configfile", fresh.config("bad.yaml", text))
    assert result.returncode != 0
    lines = [line for line in (result.stdout + result.stderr).splitlines() if message in line]
    assert len(lines) == 1
    assert "Traceback" not in result.stderr
    assert not (fresh.root / "results").exists() or not list((fresh.root / "results").rglob("*.parquet"))


def test_a_job_that_asks_for_more_than_all_may_take(fresh: Project) -> None:
    config = fresh.config("large.yaml", "runtime: {mem_mb: 24000}\n")
    result = fresh.run("results/table4.csv", "--dry-run", "--configfile", "config/tiny.yaml", config)
    assert result.returncode != 0
    assert "runtime.mem_mb: one job asks for 24000, but all together may take mem_mb=8000" in result.stdout + result.stderr
    fresh.must_run("results/table4.csv", "--dry-run", "--resources", "mem_mb=32000", "disk_mb=20000", "--configfile", "config/tiny.yaml", config)


@pytest.mark.parametrize(("total", "told"), [(1300, True), (2000, False)])
def test_cores_that_the_total_of_memory_leaves_idle_are_told(fresh: Project, total: int, told: bool) -> None:
    config = fresh.config("jobs.yaml", "runtime: {threads: 2, mem_mb: 600}\n")
    totals = ("--resources", f"mem_mb={total}", "disk_mb=20000")
    output = fresh.must_run("results/table4.csv", "--dry-run", *totals, "--configfile", "config/tiny.yaml", config, cores=6)
    line = "mem_mb=1300 for all jobs together and 600 for one (runtime.mem_mb): 2 at a time, where 6 cores have room for 3."
    assert (line in output) is told


def test_a_seed_that_the_configuration_does_not_name(fresh: Project) -> None:
    folder = "results/tiny/r10-tiny/tiny/seed-9/oracle"
    fresh.must_run(f"{folder}/branches.json", f"{folder}/baselines.json", "--dry-run", "--configfile", "config/tiny.yaml")
    result = fresh.run(f"{folder}/apn_seeds.json", "--dry-run", "--configfile", "config/tiny.yaml")
    assert result.returncode != 0
    assert "seed 9: none of this run's seeds (1), so none follows it (config: seeds)" in result.stdout + result.stderr
    assert "ValueError" not in result.stdout + result.stderr


def test_damaged_training_images_stop_the_run_and_are_named(fresh: Project) -> None:
    fresh.must_run("results/tiny/manifest.csv", "--configfile", "config/tiny.yaml")
    damaged = sorted((fresh.root / "results/tiny/raw/query").glob("*.jpg"))[:3]
    for path in damaged:
        path.write_text("not an image")
    result = fresh.run("results/table4.csv", "--configfile", "config/tiny.yaml")
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert "Traceback" not in output
    assert any("error:" in line and damaged[0].name in line for line in output.splitlines())
    assert not (fresh.root / "results/tiny/images.parquet").exists()
