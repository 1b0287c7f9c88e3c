"""docs/extending.md: its changes apply as they stand, the project's own tests accept them, and runs with them go through."""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from qafm.figures.drawing.caption import read_caption
from qafm.runtime.files import read_json
from qafm.tables.parquet import read_parquet
from tests.workflow.conftest import TINY, Project, copy_project

CHANGED = (
    "tests/unit/config",
    "tests/unit/perturbations",
    "tests/unit/quality",
    "tests/unit/evaluation",
    "tests/test_config_reference.py",
    "tests/test_architecture.py",
)


class Extended(NamedTuple):
    """A copy of the project with every change of the page, and the page."""

    project: Project
    page: str

    def blocks(self, language: str) -> list[str]:
        """The page's code blocks of one language."""
        return re.findall(rf"^```{language}\n(.*?)^```", self.page, flags=re.DOTALL | re.MULTILINE)

    def presets(self) -> list[str]:
        """Its YAML blocks as files beside the Snakefile, in their order."""
        return [self.project.config(f"{number}.yaml", text) for number, text in enumerate(self.blocks("yaml"))]


@pytest.fixture(scope="module")
def extended(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Extended:
    copy = Extended(copy_project(project, tmp_path_factory.mktemp("extended") / "project"), (project / "docs" / "extending.md").read_text())
    for diff in copy.blocks("diff"):
        subprocess.run(["git", "apply"], cwd=copy.project.root, input=diff, text=True, check=True)
    assert copy.project.execute("make", "reference").returncode == 0
    return copy


def test_the_tests_accept_the_changes(extended: Extended) -> None:
    result = extended.project.execute(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CHANGED)
    assert result.returncode == 0, result.stdout[-5000:]


def test_a_perturbation(extended: Extended) -> None:
    _, jpeg, _ = extended.presets()
    extended.project.must_run("results/tiny/with-jpeg/quality.parquet", "results/figures/figure3_iqa_branch.png", *TINY, jpeg)
    found = read_parquet(extended.project.root / "results" / "tiny" / "with-jpeg" / "quality.parquet")
    assert found["q_compression"].null_count == 0
    assert read_json(extended.project.root / "results" / "tiny" / "with-jpeg" / "quality.json")["variants"] == 37
    assert "3 noise, 2 compression" in read_caption(extended.project.root / "results" / "figures" / "figure3_iqa_branch.rst")


def test_a_quality_a_backbone_and_a_row(extended: Extended) -> None:
    quality, _, backbone = extended.presets()
    root = extended.project.root
    extended.project.must_run("results/tiny/images.parquet", *TINY)
    (root / "my_quality.py").write_text(extended.blocks("python")[0])
    (root / "my_quality.csv").write_text(extended.project.execute(sys.executable, "my_quality.py", "results/tiny/raw").stdout)
    row = "results/tiny/sharpness/r26/seed-1/ablation/mean_similarity.json"
    extended.project.must_run(row, *TINY, backbone, quality)
    assert read_json(root / row)["note"] == "no fusion"
    assert read_json(root / "results" / "tiny" / "sharpness" / "quality.json")["published"] == "my_quality.csv"
