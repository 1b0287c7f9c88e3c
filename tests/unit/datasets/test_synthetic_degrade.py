"""Degradations: what each one kills and what it keeps."""

import cv2
import numpy as np
import pytest

from qafm.datasets.synthetic.degrade import PHOTOMETRIC, degrade, occluder
from qafm.datasets.synthetic.seeding import generator
from qafm.runtime.code_digest import import_closure


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """A red and white hooped person-like block on a green ground."""
    picture = np.full((128, 64, 3), (90, 150, 80), np.uint8)
    picture[20:110, 18:46] = (200, 40, 40)
    for row in range(20, 110, 8):
        picture[row : row + 4, 18:46] = (230, 230, 230)
    return picture


def texture(image: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def saturation(image: np.ndarray) -> float:
    return float(np.ptp(image.astype(float), axis=2).mean())


def edges(image: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return np.hypot(cv2.Sobel(grey, cv2.CV_64F, 1, 0), cv2.Sobel(grey, cv2.CV_64F, 0, 1)).ravel()


@pytest.mark.parametrize("kind", PHOTOMETRIC)
def test_new_image_of_the_same_kind_and_reproducible(image: np.ndarray, kind: str) -> None:
    before = image.copy()
    first, again = degrade(image, kind, 0.6, generator(kind)), degrade(image, kind, 0.6, generator(kind))
    assert (first.shape, first.dtype) == (image.shape, np.uint8)
    assert np.array_equal(first, again)
    assert np.array_equal(image, before)


@pytest.mark.parametrize("kind", PHOTOMETRIC)
def test_a_higher_level_is_worse(image: np.ndarray, kind: str) -> None:
    error = [np.abs(degrade(image, kind, level, generator(kind)).astype(float) - image).mean() for level in (0.15, 0.55, 1.0)]
    assert 0 < error[0] < error[1] < error[2]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["blur", "low_resolution"])
def test_texture_goes_colour_stays(image: np.ndarray, kind: str, seed: int) -> None:
    worse = degrade(image, kind, 0.9, generator(seed))
    assert texture(worse) < 0.15 * texture(image)
    assert worse.mean((0, 1)) == pytest.approx(image.mean((0, 1)), abs=4)


def test_colour_goes_shape_stays_in_the_dark(image: np.ndarray) -> None:
    worse = degrade(image, "darkness", 0.9, generator(1))
    assert worse.mean() < 0.3 * image.mean()
    assert saturation(worse) < 0.25 * saturation(image)
    assert np.corrcoef(edges(worse), edges(image))[0, 1] > 0.8


@pytest.mark.parametrize("seed", range(4))
def test_colour_goes_shape_stays_under_coloured_lamps(image: np.ndarray, seed: int) -> None:
    worse = degrade(image, "colour_cast", 1.0, generator(seed)).astype(float)
    own = np.ptp((worse / worse.mean((0, 1))) * worse.mean(), axis=2).mean()  # what is left once the lamp's colour is divided out
    assert own < 0.35 * saturation(image)
    assert np.corrcoef(edges(worse.astype(np.uint8)), edges(image))[0, 1] > 0.8


def test_noise_adds_noise_and_keeps_the_mean(image: np.ndarray) -> None:
    worse = degrade(image, "noise", 0.5, generator(1)).astype(float)
    assert np.std(worse[:15] - image[:15]) == pytest.approx(0.7 * np.sqrt(2) * 21, rel=0.15)
    assert worse.mean() == pytest.approx(image.mean(), abs=4)


def test_an_occluder_covers_more_at_a_higher_level() -> None:
    shares = []
    for level in (0.1, 0.5, 1.0):
        covered = [occluder(128, 64, level, generator(seed)) for seed in range(12)]
        for colour, where in covered:
            assert colour.shape == (128, 64, 3)
            assert where.shape == (128, 64)
            assert 0 <= where.min() <= where.max() <= 1
        shares.append(np.mean([where.mean() for _, where in covered]))
    assert 0.03 < shares[0] < shares[1] < shares[2] < 0.6


def test_degrading_does_not_depend_on_how_scenes_are_painted() -> None:
    assert not {name for name in import_closure("qafm.datasets.synthetic.degrade") if ".scene" in name}
