import numpy as np
import pytest

from qafm.perturbations.background import COLORS, outside_ellipse, replace_background


def slow_outside(height: int, width: int, scale: float) -> list[list[bool]]:
    """Pixel centres beyond the ellipse, one by one."""
    return [
        [((y + 0.5 - height / 2) / (scale * height / 2)) ** 2 + ((x + 0.5 - width / 2) / (scale * width / 2)) ** 2 > 1 for x in range(width)]
        for y in range(height)
    ]


@pytest.mark.parametrize("shape", [(128, 64), (33, 17), (5, 1), (1, 6), (2, 2)])
@pytest.mark.parametrize("scale", [0.7, 1.0, 1.2])
def test_the_mask_is_the_ellipse(shape: tuple[int, int], scale: float) -> None:
    assert outside_ellipse(*shape, scale).tolist() == slow_outside(*shape, scale)


def test_a_mask_drawn_by_hand() -> None:
    drawn = ["#....#", "......", "......", "#....#"]  # (5/6)^2 + (3/4)^2 = 1.26 > 1, while (1/2)^2 + (3/4)^2 and (5/6)^2 + (1/4)^2 are below 1
    assert outside_ellipse(4, 6, 1.0).tolist() == [[mark == "#" for mark in row] for row in drawn]
    assert not outside_ellipse(4, 6, 1.2).any()  # 1.26 / 1.44 < 1


def test_shares_of_the_picture() -> None:
    assert outside_ellipse(400, 200, 1.0).mean() == pytest.approx(1 - np.pi / 4, abs=1e-3)
    assert not outside_ellipse(400, 200, 1.2)[:, 100].any()  # 1.2 cuts the corners only
    assert not outside_ellipse(400, 200, 1.2)[200].any()
    assert outside_ellipse(400, 200, 1.2)[0, 0]


@pytest.mark.parametrize(("color", "rgb"), [("R", [255, 0, 0]), ("B", [0, 0, 255]), ("Y", [255, 255, 0]), ("G", [0, 255, 0])])
def test_the_outside_takes_the_colour_and_the_inside_stays(color: str, rgb: list[int]) -> None:
    image = np.random.default_rng(0).integers(1, 255, (31, 15, 3), dtype=np.uint8)
    before = image.copy()
    replaced = replace_background(image, 1.0, color)
    outside = outside_ellipse(31, 15, 1.0)
    assert (replaced[outside] == rgb).all()
    assert (replaced[~outside] == image[~outside]).all()
    assert (image == before).all()


def test_the_four_colours() -> None:
    assert list(COLORS) == ["R", "B", "Y", "G"]
