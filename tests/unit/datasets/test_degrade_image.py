"""Degraded images: reproducible, worse with the level, and what each kind is known to do."""

import cv2
import numpy as np
import pytest

from qafm.datasets.degrade_image import degrade_image
from qafm.datasets.synthetic.degrade import KINDS


@pytest.fixture
def image() -> np.ndarray:
    rng = np.random.default_rng(2)
    coarse = rng.integers(40, 216, (16, 8, 3), dtype=np.uint8)
    return cv2.resize(coarse, (48, 96), interpolation=cv2.INTER_NEAREST)


@pytest.mark.parametrize("kind", KINDS)
def test_reproducible_by_key_and_a_new_image(image: np.ndarray, kind: str) -> None:
    before = image.copy()
    first = degrade_image(image, kind, 0.6, "1/a.jpg")
    assert first.dtype == np.uint8 and first.shape == image.shape
    np.testing.assert_array_equal(first, degrade_image(image, kind, 0.6, "1/a.jpg"))
    np.testing.assert_array_equal(image, before)
    assert not np.array_equal(first, image)


@pytest.mark.parametrize("kind", KINDS)
def test_a_higher_level_is_farther_from_the_image(image: np.ndarray, kind: str) -> None:
    def distance(level: float) -> float:
        found = [degrade_image(image, kind, level, f"{k}") for k in range(12)]
        return float(np.mean([np.abs(made.astype(float) - image) for made in found]))

    assert distance(0.2) < distance(0.5) < distance(0.9)


def test_kinds_do_what_their_names_say(image: np.ndarray) -> None:
    def texture(of: np.ndarray) -> float:
        return float(cv2.Laplacian(cv2.cvtColor(of, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())

    assert degrade_image(image, "darkness", 0.8, "k").mean() < 0.5 * image.mean()
    assert texture(degrade_image(image, "blur", 0.8, "k")) < 0.3 * texture(image)
    assert texture(degrade_image(image, "low_resolution", 0.8, "k")) < 0.5 * texture(image)
    assert texture(degrade_image(image, "noise", 0.8, "k")) > texture(image)
    share = np.mean([(degrade_image(image, "occlusion", 0.8, f"{k}") != image).any(axis=2).mean() for k in range(10)])
    assert 0.05 < share < 0.8


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (300, 200)])
@pytest.mark.parametrize("kind", KINDS)
def test_any_size(size: tuple[int, int], kind: str) -> None:
    made = degrade_image(np.full((*size, 3), 128, np.uint8), kind, 1.0, "k")
    assert made.shape == (*size, 3)
