"""kill -9 in the middle of stages 3, 5 and 6, the same command again: the table is byte-identical to an undisturbed run's."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.workflow.conftest import Project

pytestmark = pytest.mark.workflow

COMMAND = ("make", "table4", "CONFIG=config/tiny.yaml", "CORES=4")
MODEL = Path("results/tiny/r10-tiny/tiny/seed-1")


def start(project: Project, log: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(COMMAND, cwd=project.root, stdout=log.open("wb"), stderr=subprocess.STDOUT, start_new_session=True)


def wait_for_state(project: Project, folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the first epoch of a training stage is saved: whole, under its own name (pathlib's `*` matches hidden names too)."""
    deadline = time.monotonic() + 600
    while not list((project.root / folder / ".resume").glob("[!.]*.pt")):
        assert process.poll() is None, "the run ended before its state was seen"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def descendants(process: subprocess.Popen[bytes], word: str) -> list[psutil.Process]:
    return [child for child in psutil.Process(process.pid).children(recursive=True) if any(word in argument for argument in command_of(child))]


def command_of(process: psutil.Process) -> list[str]:
    """The command line of a process; empty where it has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def kill_stage(process: subprocess.Popen[bytes], script: str) -> None:
    """Kill the stage's own process; Snakemake then fails by itself."""
    stages = [child for child in descendants(process, script) if "python" in " ".join(command_of(child)[:1])]
    assert stages
    for stage in stages:
        stage.kill()
    assert process.wait(timeout=120) != 0


def kill_all(process: subprocess.Popen[bytes], _script: str) -> None:
    """Kill make, Snakemake and everything under them at once."""
    children = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    process.wait(timeout=60)
    psutil.wait_procs(children, timeout=60)


def kill_snakemake_alone(process: subprocess.Popen[bytes], script: str) -> None:
    """Kill Snakemake, not the stage: the stage has to notice and end by itself."""
    stages = descendants(process, script)
    assert stages
    for snakemake in [child for child in descendants(process, "snakemake") if child not in stages]:
        snakemake.kill()
    process.wait(timeout=60)
    assert not psutil.wait_procs(stages, timeout=30)[1]


KILLS: list[tuple[Path, str, Callable[[subprocess.Popen[bytes], str], None]]] = [
    (Path("results/tiny/r10-tiny/extractor"), "3_train_extractor", kill_stage),
    (MODEL / "apan", "5_pretrain_apan", kill_all),
    (MODEL / "fusion", "6_train_fusion", kill_snakemake_alone),
]


def test_killed_three_times_ends_with_the_same_table(fresh: Project, finished: Project, tmp_path: Path) -> None:
    for number, (folder, script, kill) in enumerate(KILLS):
        process = start(fresh, tmp_path / f"run-{number}.log")
        wait_for_state(fresh, folder, process)
        kill(process, script)
        assert not (fresh.root / "results/table4.csv").exists()
    result = subprocess.run(COMMAND, cwd=fresh.root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-5000:]
    log = (fresh.root / MODEL / "logs/train_fusion.log").read_text()
    assert "resuming after epoch" in log
    for name in ("table4.csv",):
        assert (fresh.root / "results" / name).read_bytes() == (finished.root / "results" / name).read_bytes()
    assert not list(fresh.root.rglob(".resume")), "a finished run leaves no state behind"


def test_two_runs_in_one_folder_are_refused(fresh: Project, tmp_path: Path) -> None:
    process = start(fresh, tmp_path / "run.log")
    try:
        deadline = time.monotonic() + 60
        while not descendants(process, "snakemake") and time.monotonic() < deadline:
            time.sleep(0.05)
        second = subprocess.run(COMMAND, cwd=fresh.root, capture_output=True, text=True, check=False)
        assert second.returncode != 0
        assert "another run works in this folder" in second.stderr
    finally:
        kill_all(process, "")
