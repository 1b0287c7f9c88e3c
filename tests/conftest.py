"""Fixtures of all tests."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
MADE_ONCE = ("finished", "companions")  # what takes longest to make: the tests that share one go to one process, see `make test`


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that run in the same process when there are several: those that share what is slow to make, else those of a file."""
    for item in items:
        shared = [name for name in MADE_ONCE if name in getattr(item, "fixturenames", ())]
        item.add_marker(pytest.mark.xdist_group(shared[0] if shared else item.path.as_posix()))


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
