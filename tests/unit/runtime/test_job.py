"""A stage as a process of its own: its log, its errors, its end when its parent ends."""

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

JOB = """
import logging, sys, time
from qafm.errors import InputError
from qafm.runtime.job import stage_job
with stage_job("stage", {log!r}):
    logging.getLogger("qafm").info("working")
    {body}
"""


def run(log: Path, body: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", JOB.format(log=str(log), body=body)], capture_output=True, text=True, check=False)


def test_success_is_logged(tmp_path: Path) -> None:
    result = run(tmp_path / "logs" / "job.log", "pass")
    text = (tmp_path / "logs" / "job.log").read_text()
    assert result.returncode == 0
    assert "stage: working" in text
    assert "done in" in text


def test_bad_input_is_one_line_without_a_stack_trace(tmp_path: Path) -> None:
    result = run(tmp_path / "job.log", 'raise InputError("images.csv: row 3 has no pid")')
    assert result.returncode == 1
    for text in (result.stderr, (tmp_path / "job.log").read_text()):
        assert "error: images.csv: row 3 has no pid" in text
        assert "Traceback" not in text


def test_other_errors_leave_their_trace_in_the_log(tmp_path: Path) -> None:
    result = run(tmp_path / "job.log", "1 / 0")
    assert result.returncode == 1
    assert "ZeroDivisionError" in (tmp_path / "job.log").read_text()


def test_a_job_removes_what_a_killed_one_left_of_the_file_it_writes(tmp_path: Path) -> None:
    """As a stage that is killed leaves it: nothing that Snakemake knows of, which would lie there for good."""
    out = f"__import__('pathlib').Path({str(tmp_path / 'out' / 'a.csv')!r})"
    begin = f"from qafm.runtime.files import whole_file; file = whole_file({out}); file.__enter__().write_text('half')"
    assert run(tmp_path / "job.log", f"{begin}; __import__('os')._exit(137)").returncode == 137
    assert len(list((tmp_path / "out").glob(".a.csv.unfinished-*.csv"))) == 1
    assert run(tmp_path / "job.log", f"{begin}; file.__exit__(None, None, None)").returncode == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.csv"]


def test_an_interrupted_job_says_so_in_one_line(tmp_path: Path) -> None:
    result = run(tmp_path / "job.log", "raise KeyboardInterrupt")
    assert result.returncode == 130
    for text in (result.stderr, (tmp_path / "job.log").read_text()):
        assert "interrupted: the same command goes on from what is done" in text
        assert "Traceback" not in text


def test_every_script_does_all_it_does_inside_its_job(project: Path) -> None:
    """What fails before, for example a setting that is checked, is missing in the job's log."""
    for path in sorted((project / "workflow" / "scripts").glob("*.py")):
        outside = [node for node in ast.parse(path.read_text()).body if not isinstance(node, ast.With)]
        assert not [ast.unparse(node) for top in outside for node in ast.walk(top) if isinstance(node, ast.Call)], path.name


def test_stage_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    body = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid())); time.sleep(60)"
    code = JOB.format(log=str(tmp_path / "job.log"), body=body)
    parent = subprocess.Popen([sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"])
    pid = _wait_for(tmp_path / "pid")
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def _wait_for(path: Path) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if path.exists() and path.read_text():
            return int(path.read_text())
        time.sleep(0.1)
    raise TimeoutError(path)
