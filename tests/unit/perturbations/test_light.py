import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qafm.perturbations.light import shift_light

channel = st.integers(0, 255)


def one(pixel: tuple[int, int, int], offset: int) -> list[int]:
    return shift_light(np.array([[pixel]], dtype=np.uint8), offset)[0, 0].tolist()


@pytest.mark.parametrize(
    ("pixel", "offset", "expected"),
    [
        ((200, 100, 50), 45, [245, 123, 61]),  # x 245/200: 122.5 rounds up, 61.25 down
        ((200, 100, 50), -90, [110, 55, 28]),  # 27.5 rounds up
        ((200, 100, 50), 90, [255, 128, 64]),  # V stops at 255
        ((60, 30, 60), -90, [0, 0, 0]),  # V stops at 0
        ((0, 0, 0), 45, [45, 45, 45]),  # black is a grey without light
        ((0, 0, 0), -45, [0, 0, 0]),
        ((255, 255, 255), -45, [210, 210, 210]),
        ((255, 255, 255), 90, [255, 255, 255]),
        ((77, 77, 77), 1, [78, 78, 78]),  # grey stays grey
        ((0, 0, 1), 90, [0, 0, 91]),  # full-range V: a saturated pixel keeps its hue
    ],
)
def test_pixels_counted_by_hand(pixel: tuple[int, int, int], offset: int, expected: list[int]) -> None:
    assert one(pixel, offset) == expected


@given(st.tuples(channel, channel, channel), st.integers(-255, 255))
def test_it_is_the_shift_of_v_in_hsv(pixel: tuple[int, int, int], offset: int) -> None:
    hue, saturation, value = colorsys.rgb_to_hsv(*(c / 255 for c in pixel))
    shifted = min(max(value + offset / 255, 0), 1)
    exact = 255 * np.array(colorsys.hsv_to_rgb(hue, saturation, shifted))
    assert np.abs(one(pixel, offset) - exact).max() <= 0.5 + 1e-9


def test_the_input_is_left_alone_and_odd_shapes_pass() -> None:
    image = np.random.default_rng(0).integers(0, 256, (7, 1, 3), dtype=np.uint8)
    before = image.copy()
    shifted = shift_light(image, 45)
    assert shifted.shape == image.shape
    assert shifted.dtype == np.uint8
    assert (image == before).all()
