import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qafm.config.perturb import PerturbConfig
from qafm.perturbations.catalog import catalog
from qafm.perturbations.stack import perturb

OTHER = PerturbConfig(
    light_offsets=(-255, 7),
    blur_sigmas_px=(0.7,),
    occlusion_sizes=(0.33,),
    inset=0.1,
    background_scales=(0.8,),
    background_colors=("Y", "R"),
    salt_pepper=None,
    seed=3,
)
NO_FAMILY = PerturbConfig(light_offsets=(), blur_sigmas_px=(), background_scales=())


def one_by_one(image: np.ndarray, image_id: str, config: PerturbConfig) -> np.ndarray:
    return np.stack([image, *(entry.function(image, image_id) for entry in catalog(config))])


def pictures() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (128, 64, 3), dtype=np.uint8)
    return {
        "random": noise,
        "grey": noise[..., :1].repeat(3, axis=2),
        "dark": noise // 16,
        "black": np.zeros_like(noise),
        "white": np.full_like(noise, 255),
        "odd": noise[:37, :19],
        "one wide": noise[:, :1],
        "one high": noise[:1],
        "one pixel": noise[:1, :1],
        "mirrored view": noise[:, ::-1],
    }


@pytest.mark.parametrize("config", [PerturbConfig(), OTHER, NO_FAMILY], ids=["default", "other", "no family"])
@pytest.mark.parametrize("name", list(pictures()))
def test_equals_the_functions_one_by_one(name: str, config: PerturbConfig) -> None:
    image = pictures()[name]
    before = image.copy()
    stack = perturb(image, "a/b.jpg", config)
    assert stack.dtype == np.uint8
    assert stack.shape == (1 + config.variants, *image.shape)
    assert (stack == one_by_one(image, "a/b.jpg", config)).all()
    assert (image == before).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 24), st.integers(1, 24), st.integers(0, 1000))
def test_equals_the_functions_at_any_size(height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert (perturb(image, str(seed), PerturbConfig()) == one_by_one(image, str(seed), PerturbConfig())).all()


def test_every_brightness_and_channel_is_in_the_light_tables() -> None:
    value, channel = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    image = np.stack([np.maximum(value, channel), np.minimum(value, channel), channel], axis=2).astype(np.uint8)
    assert (perturb(image, "a", PerturbConfig())[1:5] == one_by_one(image, "a", PerturbConfig())[1:5]).all()


def test_stacks_do_not_share_memory_or_state() -> None:
    image = pictures()["random"]
    first = perturb(image, "a", PerturbConfig())
    kept = first.copy()
    second = perturb(image // 2, "b", PerturbConfig())
    assert not np.shares_memory(first, second)
    assert (first == kept).all()
    second[:] = 0
    assert (perturb(image, "a", PerturbConfig()) == kept).all()


def test_nothing_of_a_large_picture_stays_in_memory() -> None:
    tracemalloc.start()
    try:
        for width in range(500, 503):
            perturb(np.zeros((400, width, 3), np.uint8), "a", PerturbConfig())
        assert tracemalloc.get_traced_memory()[0] < 400 * 500 * 3  # masks of one size are ten times as large
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_other_arrays_are_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected uint8 \[H, W, 3\]"):
        perturb(image, "a", PerturbConfig())
