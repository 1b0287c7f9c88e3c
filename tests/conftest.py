"""Fixtures of all tests."""

import sys
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

PROJECT = Path(__file__).resolve().parents[1]
MADE_ONCE = {  # what takes longest to make, and the files that share it: they go to one process, see `make test`
    "companions": ("test_companion_bpbreid", "test_companion_comparison", "test_companion_par", "test_companion_slicenet"),
    "finished": ("test_reruns", "test_report", "test_kill", "test_own_folders"),
}


class ByFile(LoadScopeScheduling):
    """Several processes: a file goes to one of them, and files that share what is slow to make to the same."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return next((shared for shared, files in MADE_ONCE.items() if Path(file).stem in files and "workflow" in file), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """What xdist schedules by; of its own ways, loadgroup does not work with this pytest."""
    return ByFile(config, log)


@pytest.fixture(autouse=True)
def denormals() -> None:
    """Every test starts with denormal numbers, whatever an earlier one set in this process: Hypothesis refuses to draw without them."""
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_flush_denormal(False)


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
