"""The planted run, made once."""

from typing import Any

import pytest

from tests.unit.guides.planted_run import PlantedRun, planted_run


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> PlantedRun:
    return planted_run(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="session")
def content(planted: PlantedRun, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return planted.measure(tmp_path_factory.mktemp("out") / "guides.json")
