"""The attribute sampler: marginals, dependences and twins, without drawing a picture."""

from collections import Counter

import numpy as np
import pytest

from qafm.datasets.synthetic import attributes as a
from qafm.datasets.synthetic.attributes import draw_attributes, draw_population, group_sizes
from qafm.datasets.synthetic.seeding import generator
from qafm.tables.attributes import ATTRIBUTE_NAMES, ATTRIBUTE_SIZES


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    rng = generator("marginals")
    return np.stack([draw_attributes(rng) for _ in range(12000)])


def test_codes_are_valid(drawn: np.ndarray) -> None:
    assert drawn.shape == (12000, 12)
    assert (drawn < np.array(ATTRIBUTE_SIZES)).all()
    assert (drawn[:, :10] >= 0).all()
    assert (drawn >= -1).all()


@pytest.mark.parametrize(
    ("name", "share"),  # share of class 1 among the 1,501 identities, in percent: mean of the train and test columns of its statistics
    [("gender", 43.7), ("hair", 34.7), ("up", 94.4), ("down", 63.0), ("clothes", 87.0), ("hat", 2.9), ("backpack", 25.7), ("bag", 24.7), ("handbag", 10.8)],
)
def test_binary_marginals_are_markets(drawn: np.ndarray, name: str, share: float) -> None:
    assert 100 * drawn[:, ATTRIBUTE_NAMES.index(name)].mean() == pytest.approx(share, abs=2.5)


def test_age_marginals_are_markets(drawn: np.ndarray) -> None:
    shares = 100 * np.bincount(drawn[:, a.AGE], minlength=4) / len(drawn)
    assert shares == pytest.approx([1.1, 80.5, 17.5, 0.9], abs=1.0)


def test_colour_marginals_are_markets(drawn: np.ndarray) -> None:
    # train images and gallery images of its statistics, averaged; "several" comes first
    upper = [9.2, 13.3, 28.4, 11.2, 3.3, 7.0, 12.2, 7.2, 8.0]
    lower = [5.1, 38.4, 6.9, 3.4, 0.1, 0.9, 16.7, 17.3, 2.2, 8.8]
    assert 100 * np.bincount(drawn[:, a.UP_COLOR] + 1, minlength=9) / len(drawn) == pytest.approx(upper, abs=2.5)
    assert 100 * np.bincount(drawn[:, a.DOWN_COLOR] + 1, minlength=10) / len(drawn) == pytest.approx(lower, abs=2.5)


def test_hair_gender_and_clothes_go_together(drawn: np.ndarray) -> None:
    male, female = drawn[drawn[:, a.GENDER] == 0], drawn[drawn[:, a.GENDER] == 1]
    assert male[:, a.HAIR].mean() < 0.02 < 0.7 < female[:, a.HAIR].mean()
    assert (male[:, a.CLOTHES] == 1).all()  # no man wears a dress in Market-1501
    assert 0.2 < (female[:, a.CLOTHES] == 0).mean() < 0.4
    adults = drawn[:, a.AGE] >= 2
    assert drawn[adults, a.BACKPACK].mean() < 0.1 < 0.25 < drawn[~adults, a.BACKPACK].mean()
    assert (drawn[:, [a.BACKPACK, a.BAG, a.HANDBAG]].sum(1) <= 1).all()


def test_group_sizes_counts_equal_rows() -> None:
    assert group_sizes(np.array([[1, 2], [3, 4], [1, 2], [1, 2], [4, 3]])).tolist() == [3, 1, 3, 3, 1]


@pytest.mark.parametrize("seed", range(3))
def test_about_half_of_500_identities_share_their_vector(seed: int) -> None:
    sizes = group_sizes(draw_population(500, 0.5, generator("population", seed)))
    assert 0.47 <= (sizes > 1).mean() <= 0.56
    assert 4 <= sizes.max() <= 40  # Market-1501: 9 in train, 13 in test
    assert Counter(sizes.tolist())[2] >= 40


@pytest.mark.parametrize("count", [4, 20, 60])
def test_small_sets_share_as_much(count: int) -> None:
    sizes = group_sizes(draw_population(count, 0.5, generator("small", count)))
    assert 0.5 <= (sizes > 1).mean() <= 0.5 + 2 / count


def test_the_share_is_a_setting() -> None:
    low, high = (float((group_sizes(draw_population(100, share, generator("share"))) > 1).mean()) for share in (0.2, 0.8))
    assert low < 0.35
    assert 0.8 <= high < 0.85


def test_twins_keep_the_marginals() -> None:
    rng = generator("twins")
    women = np.mean([draw_population(60, 0.6, rng)[:, a.GENDER].mean() for _ in range(120)])
    assert women == pytest.approx(0.437, abs=0.03)
