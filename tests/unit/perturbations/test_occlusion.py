import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qafm.perturbations.occlusion import SIDES, occlude

WHITE = np.full((128, 64, 3), 255, dtype=np.uint8)


def rows_and_columns(image: np.ndarray) -> tuple[list[int], list[int]]:
    """First and last black row and column; the black pixels must fill that rectangle."""
    black = (image == 0).all(axis=2)
    rows, columns = np.flatnonzero(black.any(axis=1)), np.flatnonzero(black.any(axis=0))
    assert black.sum() == len(rows) * len(columns)
    assert ((image == 255).all(axis=2) | black).all()
    return [int(rows[0]), int(rows[-1])], [int(columns[0]), int(columns[-1])]


@pytest.mark.parametrize(
    ("side", "size", "rows", "columns"),
    [
        ("top", 0.05, [0, 5], [0, 63]),  # 6.4 rows
        ("top", 0.20, [0, 25], [0, 63]),  # 25.6 rows
        ("bottom", 0.10, [115, 127], [0, 63]),  # 12.8 rows
        ("left", 0.15, [0, 127], [0, 9]),  # 9.6 columns
        ("right", 0.05, [0, 127], [61, 63]),  # 3.2 columns
    ],
)
def test_bars_touch_the_border(side: str, size: float, rows: list[int], columns: list[int]) -> None:
    assert rows_and_columns(occlude(WHITE, side, size)) == (rows, columns)


@pytest.mark.parametrize(
    ("side", "rows", "columns"),
    [("top", [6, 18], [3, 60]), ("bottom", [109, 121], [3, 60]), ("left", [6, 121], [3, 8]), ("right", [6, 121], [55, 60])],
)
def test_an_inset_of_5_percent_frees_a_margin_all_around(side: str, rows: list[int], columns: list[int]) -> None:
    assert rows_and_columns(occlude(WHITE, side, 0.10, inset=0.05)) == (rows, columns)


def test_a_bar_has_one_pixel_at_least() -> None:
    image = np.full((3, 1, 3), 255, dtype=np.uint8)
    assert occlude(image, "top", 0.05)[:, 0, 0].tolist() == [0, 255, 255]
    assert occlude(image, "bottom", 0.05)[:, 0, 0].tolist() == [255, 255, 0]
    assert not occlude(image, "right", 0.05).any()


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(SIDES), st.floats(0.01, 0.99), st.floats(0, 0.249))
def test_a_bar_lies_within_the_margin_at_any_size(height: int, width: int, side: str, size: float, inset: float) -> None:
    image = np.full((height, width, 3), 255, dtype=np.uint8)
    (top, bottom), (left, right) = rows_and_columns(occlude(image, side, size, inset))
    margin = {"top": top, "bottom": height - 1 - bottom, "left": left, "right": width - 1 - right}
    assert margin[side] == int(inset * (height if side in ("top", "bottom") else width) + 0.5)
    thickness = bottom - top + 1 if side in ("top", "bottom") else right - left + 1
    across = height if side in ("top", "bottom") else width
    assert thickness == min(max(1, int(size * across + 0.5)), across - margin[side])


def test_the_input_is_left_alone() -> None:
    before = WHITE.copy()
    occlude(WHITE, "left", 0.2)
    assert (before == WHITE).all()
