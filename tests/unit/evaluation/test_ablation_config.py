"""Settings of stage 7."""

import pytest
from pydantic import ValidationError

from qafm.config.ablation import AblationConfig
from qafm.tables.table4 import PUBLISHED


def test_default_rows_are_the_papers():
    assert AblationConfig().paper_experiments() == tuple(PUBLISHED)


def test_alphas_name_the_rows():
    assert AblationConfig(alphas=(0.25, 0.5)).paper_experiments()[3:] == ("fixed_alpha_0.25", "fixed_alpha_0.5")


@pytest.mark.parametrize("alphas", [(0.0, 0.5), (0.5, 1.0), (0.5, 0.4), (0.5, 0.5), (-0.1,)])
def test_bad_alphas(alphas: tuple[float, ...]):
    with pytest.raises(ValidationError, match="strictly between 0 and 1"):
        AblationConfig(alphas=alphas)


@pytest.mark.parametrize("ranks", [(), (0, 1), (5, 1), (1, 1)])
def test_bad_ranks(ranks: tuple[int, ...]):
    with pytest.raises(ValidationError, match="ascending"):
        AblationConfig(ranks=ranks)


@pytest.mark.parametrize("setting", [{"grid": 1}, {"permutations": 0}, {"bootstrap_samples": 0}, {"seed": -1}, {"alpha": (0.5,)}])
def test_bad_settings(setting: dict):
    with pytest.raises(ValidationError):
        AblationConfig(**setting)
