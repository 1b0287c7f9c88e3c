import numpy as np
import pytest

from qafm.companions.par.published import ACCURACY, GLOBAL, LOSSES, MACRO_F1, REPORT_ORDER, SIAMESE_MAP
from qafm.config.par import ARMS, ParConfig
from qafm.tables.attributes import ATTRIBUTE_NAMES

# Tables 2 and 3 once more, typed from the report: cross-entropy, weighted cross-entropy, focal and alpha-focal loss.
TABLE_2 = """
age         79.84  75.72  80.31  55.54
gender      86.45  87.32  85.32  86.54
hair        81.66  84.88  81.77  82.91
up          93.28  92.47  91.64  86.89
down        87.19  90.13  88.40  89.29
clothes     92.78  92.82  90.60  91.90
hat         94.84  95.13  96.34  88.96
backpack    82.83  81.79  80.26  81.94
bag         72.40  70.02  70.10  70.11
handbag     85.68  81.79  83.10  78.90
up_color    68.96  70.22  71.87  69.49
down_color  65.65  63.28  58.97  13.13
Global      82.63  82.13  81.56  74.63
"""
TABLE_3 = """
age         36.86  36.66  43.20  42.35
gender      86.16  87.06  85.29  86.40
hair        79.12  83.09  80.60  81.02
up          63.72  59.75  59.33  60.99
down        86.74  89.58  87.39  88.70
clothes     81.70  83.93  79.37  82.34
hat         63.84  67.77  62.56  58.83
backpack    78.34  77.51  74.31  77.81
bag         60.63  61.14  60.08  62.36
handbag     52.83  57.29  54.78  54.86
up_color    64.77  63.29  65.97  62.10
down_color  50.24  56.62  40.85  11.29
Global      67.08  68.64  66.14  64.09
"""


@pytest.mark.parametrize(("table", "printed"), [(ACCURACY, TABLE_2), (MACRO_F1, TABLE_3)])
def test_every_row_is_the_reports(table: dict[str, dict[str, float]], printed: str) -> None:
    lines = [line.split() for line in printed.strip().splitlines()]
    expected = [(row, dict(zip(("ce", "weighted_ce", "focal", "alpha_focal"), map(float, values), strict=True))) for row, *values in lines]
    assert list(table.items()) == expected


@pytest.mark.parametrize("table", [ACCURACY, MACRO_F1])
def test_the_reports_global_is_the_mean_of_its_rows(table: dict[str, dict[str, float]]) -> None:
    assert tuple(table) == (*REPORT_ORDER, GLOBAL)
    assert set(REPORT_ORDER) == set(ATTRIBUTE_NAMES)
    for loss in LOSSES:
        assert np.mean([table[name][loss] for name in REPORT_ORDER]) == pytest.approx(table[GLOBAL][loss], abs=0.0051)


def test_the_reports_losses_and_arms_are_those_of_the_configuration() -> None:
    assert ParConfig().losses == LOSSES
    assert tuple(SIAMESE_MAP) == ARMS
    assert SIAMESE_MAP == {"transfer": 44.78, "reference": 21.85}
