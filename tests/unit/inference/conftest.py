"""A made-up run and its model."""

import pytest

import qafm
from qafm.inference.model import ReidModel
from tests.made_up_run import MadeUpRun, made_up_bundle, made_up_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MadeUpRun:
    return made_up_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def model(run: MadeUpRun, tmp_path_factory: pytest.TempPathFactory) -> ReidModel:
    return qafm.load(made_up_bundle(tmp_path_factory.mktemp("bundle"), run), device="cpu")
