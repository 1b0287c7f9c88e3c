"""Fixtures of all tests."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root folder."""
    return PROJECT


@pytest.fixture(scope="session")
def shared(project: Path) -> Path:
    """The folder with the reference data, which lies beside a developer's checkout only."""
    folder = project.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no ../shared beside the project: the reference data sets are not part of the repository")
    return folder
