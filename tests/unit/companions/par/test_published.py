import numpy as np
import pytest

from qafm.companions.par.published import ACCURACY, GLOBAL, LOSSES, MACRO_F1, REPORT_ORDER, SIAMESE_MAP
from qafm.config.par import ARMS, ParConfig
from qafm.tables.attributes import ATTRIBUTE_NAMES


@pytest.mark.parametrize("table", [ACCURACY, MACRO_F1])
def test_the_reports_global_is_the_mean_of_its_rows(table: dict[str, dict[str, float]]) -> None:
    assert tuple(table) == (*REPORT_ORDER, GLOBAL)
    assert set(REPORT_ORDER) == set(ATTRIBUTE_NAMES)
    for loss in LOSSES:
        assert np.mean([table[name][loss] for name in REPORT_ORDER]) == pytest.approx(table[GLOBAL][loss], abs=0.0051)


def test_the_reports_losses_and_arms_are_those_of_the_configuration() -> None:
    assert ParConfig().losses == LOSSES
    assert tuple(SIAMESE_MAP) == ARMS
