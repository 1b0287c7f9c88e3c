"""Copies of the project on which Snakemake runs for real."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

LEFT_BEHIND = shutil.ignore_patterns(".git", ".venv", ".make", ".snakemake", "results", "data", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis")
TINY = ("--configfile", "config/tiny.yaml")
PAGE = {"write_companions_page", "companions"}  # the page prints the configuration: made again whatever changes


@dataclass(frozen=True)
class Project:
    """A copy of the project in a folder of its own."""

    root: Path

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy; it and its children import the copy's package, whatever else PYTHONPATH names."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | {"PYTHONPATH": str(self.root)}
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True, check=False)

    def run(self, *arguments: str, cores: int = 2) -> subprocess.CompletedProcess[str]:
        """`snakemake ARGUMENTS --cores N` with this interpreter's Snakemake."""
        return self.execute(sys.executable, "-m", "snakemake", *arguments, "--cores", str(cores))

    def must_run(self, *arguments: str, cores: int = 2) -> str:
        """As `run`; the run has to succeed. Returns what it printed."""
        result = self.run(*arguments, cores=cores)
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-6000:]
        return result.stdout + result.stderr

    def planned(self, target: str = "all", *configs: str) -> set[str]:
        """Names of the rules that a run would execute now."""
        output = self.must_run(target, "--dry-run", *TINY, *configs)
        return set(re.findall(r"^(?:local)?rule (\w+):", output, flags=re.MULTILINE)) - {"all"}

    def planned_jobs(self, target: str = "all", *configs: str) -> dict[str, int]:
        """Rule -> number of its jobs that a run would execute now."""
        output = self.must_run(target, "--dry-run", *TINY, *configs)
        return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", output, flags=re.MULTILINE)}

    def config(self, name: str, text: str) -> str:
        """Write a further configuration file and return its path."""
        (self.root / name).write_text(text)
        return name

    @contextmanager
    def appended(self, path: str, text: str) -> Iterator[None]:
        """A source file with `text` at its end, put back afterwards."""
        file = self.root / path
        before = file.read_text()
        try:
            file.write_text(before + text)
            yield
        finally:
            file.write_text(before)


def copy_project(source: Path, target: Path) -> Project:
    """Copy the sources, and give the copy the environment of this interpreter so that its Makefile works."""
    shutil.copytree(source, target, ignore=LEFT_BEHIND)
    (target / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
    (target / ".make").mkdir()
    (target / ".make" / "installed").touch()
    return Project(target)


@pytest.fixture(scope="session")
def finished(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which everything was made once, on one core, undisturbed. Tests must leave it as they find it."""
    copy = copy_project(project, tmp_path_factory.mktemp("finished") / "project")
    copy.must_run("all", *TINY, cores=1)
    return copy


@pytest.fixture(scope="session")
def companions(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which the companion systems alone were made. Tests must leave it as they find it."""
    copy = copy_project(project, tmp_path_factory.mktemp("companions") / "project")
    copy.must_run("companions", *TINY)
    return copy


@pytest.fixture
def fresh(project: Path, tmp_path: Path) -> Project:
    """A project in which nothing was made yet."""
    return copy_project(project, tmp_path / "project")
