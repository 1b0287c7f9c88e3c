import numpy as np
import pytest

from qafm.companions.par.classes import head_classes, par_codes
from qafm.tables.attributes import ATTRIBUTE_NAMES

UPPER, LOWER = ATTRIBUTE_NAMES.index("up_color"), ATTRIBUTE_NAMES.index("down_color")
KNOWN = [0, 1, 1, 0, 1, 0, 0, 1, 0, 2]


def test_a_colour_has_one_class_more() -> None:
    plain, multi = head_classes(False), head_classes(True)
    assert tuple(plain) == tuple(multi) == ATTRIBUTE_NAMES
    assert [len(classes) for classes in plain.values()] == [2] * 9 + [4, 8, 9]
    assert [len(classes) for classes in multi.values()] == [2] * 9 + [4, 9, 10]
    assert multi["up_color"] == (*plain["up_color"], "multi")
    assert multi["down_color"][-1] == "multi"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([*KNOWN, 3, 8], [*KNOWN, 3, 8]),
        ([*KNOWN, -1, 8], [*KNOWN, 8, 8]),
        ([*KNOWN, 3, -1], [*KNOWN, 3, 9]),
        ([*KNOWN, -1, -1], [*KNOWN, 8, 9]),
        ([-1] * 12, [-1] * 12),  # an identity of which nothing is known is not of several colours
        ([*[-1] * 10, 3, -1], [*[-1] * 10, 3, -1]),  # nor is one of which a colour alone is known
        ([*KNOWN[:-1], -1, -1, 2], [*KNOWN[:-1], -1, 8, 2]),  # a data set may lack a whole attribute
    ],
)
def test_an_unknown_colour_is_multi_where_something_else_is_known(codes: list[int], expected: list[int]) -> None:
    given = np.array([codes, [*KNOWN, 0, 0]], np.int8)
    assert par_codes(given, multi_color=True).tolist() == [expected, [*KNOWN, 0, 0]]
    assert np.array_equal(par_codes(given, multi_color=False), given)
    assert par_codes(given, multi_color=True).dtype == np.int64
