import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import kstest

from qafm.perturbations.noise import add_gaussian_noise, add_salt_pepper, add_speckle, uniform_levels

GREY = np.full((200, 100, 3), 128, dtype=np.uint8)
FUNCTIONS = [(add_gaussian_noise, 25.0), (add_salt_pepper, 0.02), (add_speckle, 0.1)]


def test_uniform_levels_are_the_16_bit_parts_of_the_generators_words() -> None:
    seed = int.from_bytes(hashlib.sha256(b"key").digest()[:16], "little")
    words = [int(word) for word in np.random.PCG64(seed).random_raw(2)]
    expected = [(word >> shift) & 0xFFFF for word in words for shift in (0, 16, 32, 48)]
    assert uniform_levels("key", 7).tolist() == expected[:7]
    assert uniform_levels("key", 0).tolist() == []


def test_uniform_levels_are_uniform() -> None:
    levels = uniform_levels("uniform", 50_000)
    assert kstest((levels + 0.5) / 65536, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(levels[1:], levels[:-1])[0, 1]) < 0.02


def test_the_bytes_never_change() -> None:
    """The same key gives the same noise on every machine and in every version: results depend on it."""
    image = np.arange(4 * 3 * 3, dtype=np.uint8).reshape(4, 3, 3) * 7
    noisy = [add_gaussian_noise(image, 25.0, "0/x/a.jpg"), add_salt_pepper(image, 0.5, "0/x/a.jpg"), add_speckle(image, 0.1, "0/x/a.jpg")]
    assert [hashlib.sha256(pixels.tobytes()).hexdigest()[:12] for pixels in noisy] == ["fffadb27faed", "622bb366b1e6", "9eadddc4dd52"]


def test_gaussian_noise_has_its_sd_and_mean() -> None:
    noise = add_gaussian_noise(GREY, 25.0, "g").astype(float) - 128
    assert noise.std() == pytest.approx(25, rel=0.01)
    assert abs(noise.mean()) < 0.5
    assert kstest(noise.ravel() + np.random.default_rng(0).uniform(-0.5, 0.5, noise.size), "norm", args=(0, 25)).pvalue > 0.001
    channels = noise.reshape(-1, 3).T
    assert np.abs(np.corrcoef(channels) - np.eye(3)).max() < 0.03  # channels are independent
    assert add_gaussian_noise(GREY, 10.0, "g").astype(float).std() == pytest.approx(10, rel=0.01)


def test_gaussian_noise_clips_at_black_and_white() -> None:
    black, white = np.zeros_like(GREY), np.full_like(GREY, 255)
    assert (add_gaussian_noise(black, 25.0, "c") == 0).mean() == pytest.approx(0.508, abs=0.01)  # no wrap-around
    assert add_gaussian_noise(black, 25.0, "c").max() < 130
    assert add_gaussian_noise(white, 25.0, "c").min() > 125


def test_salt_and_pepper_hit_whole_pixels_in_equal_shares() -> None:
    noisy = add_salt_pepper(GREY, 0.2, "s")
    white, black, same = ((noisy == level).all(axis=2).mean() for level in (255, 0, 128))
    assert white + black + same == pytest.approx(1)  # all three channels at once
    assert white == pytest.approx(0.1, abs=0.01)
    assert black == pytest.approx(0.1, abs=0.01)
    share = (add_salt_pepper(np.full((500, 400, 3), 128, dtype=np.uint8), 0.02, "s") != 128).any(axis=2).mean()
    assert share == pytest.approx(0.02, abs=0.002)


def test_all_pixels_can_be_salt_or_pepper() -> None:
    noisy = add_salt_pepper(GREY, 1.0, "s")
    assert set(np.unique(noisy)) == {0, 255}


def test_speckle_is_proportional_to_the_pixel() -> None:
    for level, base in ((0.1, 100), (0.1, 50), (0.05, 100)):
        noisy = add_speckle(np.full_like(GREY, base), level, "p").astype(float)
        assert noisy.std() == pytest.approx(level * base, rel=0.03)
        assert noisy.mean() == pytest.approx(base, abs=0.2)
    assert not add_speckle(np.zeros_like(GREY), 0.1, "p").any()
    assert add_speckle(np.full_like(GREY, 255), 10.0, "p").min() == 0  # negative factors stop at black


@pytest.mark.parametrize(("function", "level"), FUNCTIONS)
def test_same_key_same_bytes_and_another_key_other_bytes(function: Callable[..., np.ndarray], level: float) -> None:
    before = GREY.copy()
    first = function(GREY, level, "a")
    assert (first == function(GREY, level, "a")).all()
    assert (first != function(GREY, level, "b")).any()
    assert (before == GREY).all()
    assert first.shape == GREY.shape
    assert first.dtype == np.uint8


@pytest.mark.parametrize(("function", "level"), FUNCTIONS)
@pytest.mark.parametrize("shape", [(5, 1, 3), (1, 1, 3), (7, 3, 3)])
def test_odd_shapes(function: Callable[..., np.ndarray], level: float, shape: tuple[int, int, int]) -> None:
    assert function(np.full(shape, 99, dtype=np.uint8), level, "a").shape == shape


def test_a_view_with_steps_is_treated_as_its_copy() -> None:
    image = np.random.default_rng(3).integers(0, 256, (9, 8, 3), dtype=np.uint8)[:, ::-2]
    for function, level in FUNCTIONS:
        assert (function(image, level, "v") == function(image.copy(), level, "v")).all()
