import math

import cv2
import numpy as np
import pytest

from qafm.perturbations.blur import gaussian_blur


def slow_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Direct convolution in float with a sampled Gaussian, borders continued."""
    radius = math.ceil(3 * sigma)
    weights = np.array([math.exp(-(k**2) / (2 * sigma**2)) for k in range(-radius, radius + 1)])
    kernel = np.outer(weights, weights) / weights.sum() ** 2
    height, width = image.shape[:2]
    blurred = np.zeros(image.shape)
    for y in range(height):
        for x in range(width):
            for dy in range(-radius, radius + 1):
                for dx in range(-radius, radius + 1):
                    source = image[min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)]
                    blurred[y, x] += kernel[dy + radius, dx + radius] * source
    return blurred


@pytest.mark.parametrize("sigma", [0.4, 1.0, 1.5, 1.85])
@pytest.mark.parametrize("shape", [(9, 5), (6, 1), (1, 7), (1, 1)])
def test_equals_the_direct_convolution_to_rounding(sigma: float, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    error = gaussian_blur(image, sigma) - slow_blur(image, sigma)
    assert np.abs(error).max() <= 3
    assert np.abs(error).mean() < 0.7


def test_an_impulse_spreads_as_the_gaussian() -> None:
    image = np.zeros((15, 15, 3), dtype=np.uint8)
    image[7, 7, 1] = 255
    blurred = gaussian_blur(image, 1.0)
    # weights in 256ths: 1 14 62 102 62 14 1; 255 x 102^2 / 256^2 = 40.5, with 62 x 102: 24.6, with 1 x 102: 0.4
    assert blurred[7, 7].tolist() == [0, 40, 0]
    assert blurred[7, 8, 1] == blurred[7, 6, 1] == blurred[6, 7, 1] == 25
    assert blurred[7, 11].tolist() == [0, 0, 0]  # beyond 3 sigma


def test_a_plain_picture_stays() -> None:
    for level in (0, 128, 255):
        image = np.full((6, 4, 3), level, dtype=np.uint8)
        assert (gaussian_blur(image, 1.85) == image).all()


def test_writes_into_the_given_buffer_and_leaves_the_input_alone() -> None:
    image = np.random.default_rng(2).integers(0, 256, (12, 5, 3), dtype=np.uint8)
    before, buffer = image.copy(), np.zeros((3, 12, 5, 3), dtype=np.uint8)
    returned = gaussian_blur(image, 1.5, out=buffer[1])
    assert np.shares_memory(returned, buffer)
    assert (buffer[1] == gaussian_blur(image, 1.5)).all()
    assert not buffer[[0, 2]].any()
    assert (image == before).all()


def test_a_view_with_steps_is_blurred_as_its_copy() -> None:
    image = np.random.default_rng(3).integers(0, 256, (8, 9, 3), dtype=np.uint8)[:, ::-1][::2]
    assert (gaussian_blur(image, 1.0) == gaussian_blur(image.copy(), 1.0)).all()


def test_the_number_of_threads_changes_nothing() -> None:
    image = np.random.default_rng(4).integers(0, 256, (301, 203, 3), dtype=np.uint8)
    threads = cv2.getNumThreads()
    try:
        results = []
        for count in (1, 2):
            cv2.setNumThreads(count)
            results.append(gaussian_blur(image, 1.85))
    finally:
        cv2.setNumThreads(threads)
    assert (results[0] == results[1]).all()
