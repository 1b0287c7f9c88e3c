"""Synthetic people, an untrained model, and the command line run in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from qafm.cli.main import app
from qafm.config.synthetic import SyntheticConfig
from qafm.datasets.generate_synthetic import generate_synthetic
from tests.made_up_bundle import make_bundle

SMALL = SyntheticConfig(train_ids=2, test_ids=6, cameras=3, max_cameras_per_id=3, distractors=2, junk=1, height=64, width=32)
Run: TypeAlias = Callable[..., Any]


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set in Market-1501's layout."""
    root = tmp_path_factory.mktemp("generated")
    generate_synthetic(SMALL, root / "raw", root / "manifest.csv")
    return root / "raw"


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Models: `one`; `other` weights; `without` attributes and extractor."""
    root = tmp_path_factory.mktemp("bundles")
    return {
        "one": make_bundle(root / "one"),
        "other": make_bundle(root / "other", seed=1, name="other/f/m/seed-1"),
        "without": make_bundle(root / "without", seed=2, attributes=False, extractor=False),
    }


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generated: Path) -> Path:
    """The working folder, with `gallery/` and `query/` of the generated people."""
    monkeypatch.chdir(tmp_path)
    for folder, source in (("gallery", "bounding_box_test"), ("query", "query")):
        (tmp_path / folder).mkdir()
        for image in sorted((generated / source).glob("*.jpg")):
            (tmp_path / folder / image.name).write_bytes(image.read_bytes())
    return tmp_path


@pytest.fixture
def run(bundles: dict[str, Path]) -> Run:
    """`run("score", "a.jpg")` is `qafm score a.jpg --model <one>`; a command that knows no model, or names one, stays as it is."""

    def invoke(*arguments: object, code: int = 0) -> Any:
        words = [str(argument) for argument in arguments]
        model = [] if words[0] in ("evaluate", "index", "remove", "doctor") or "--model" in words else ["--model", str(bundles["one"])]
        result = CliRunner().invoke(app, [*words, *model], prog_name="qafm")
        assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr, result.exception)
        return result

    return invoke


def one_line(text: str) -> str:
    """The only line of `text`."""
    assert text.endswith("\n") and text.count("\n") == 1, text
    return text.rstrip("\n")


def rows(path: str = "gallery.parquet") -> dict[str, dict[str, Any]]:
    """The rows of a gallery by image_id."""
    return {row["image_id"]: row for row in pq.read_table(path).to_pylist()}
