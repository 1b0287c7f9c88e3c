from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from qafm.config.perturb import PerturbConfig
from qafm.perturbations.catalog import catalog, variant_families
from qafm.perturbations.noise import add_gaussian_noise, add_salt_pepper, add_speckle
from qafm.tables.quality import FAMILIES

EMPTY = PerturbConfig(light_offsets=(), blur_sigmas_px=(), occlusion_sizes=(), background_colors=(), gaussian_sigma=None, salt_pepper=None)  # speckle alone
ORDER = [
    *["light_-90", "light_-45", "light_+45", "light_+90", "blur_1.0", "blur_1.5", "blur_1.85"],
    *[f"occlusion_{side}_{size}" for size in ("0.05", "0.1", "0.15", "0.2") for side in ("top", "bottom", "left", "right")],
    *[f"background_{color}_{scale}" for scale in ("1.2", "1.0") for color in "RBYG"],
    *["noise_gaussian_25.0", "noise_salt_pepper_0.02", "noise_speckle_0.1"],
]


def structured() -> np.ndarray:
    """A made-up picture with edges, mid tones and saturated colours."""
    return np.random.default_rng(0).integers(40, 216, (48, 24, 3), dtype=np.uint8)


def test_the_34_in_their_order() -> None:
    entries = catalog(PerturbConfig())
    assert [entry.name for entry in entries] == ORDER
    assert len(entries) == 34
    assert Counter(variant_families(PerturbConfig())) == {"light": 4, "blur": 3, "occlusion": 16, "background": 8, "noise": 3}
    assert {entry.family for entry in entries} <= set(FAMILIES)
    assert [entry.parameter for entry in entries[:8]] == [-90, -45, 45, 90, 1.0, 1.5, 1.85, 0.05]


@pytest.mark.parametrize("entry", catalog(PerturbConfig()), ids=lambda entry: entry.name)
def test_each_changes_pixels_keeps_the_shape_and_is_repeatable(entry) -> None:
    image = structured()
    before = image.copy()
    variant = entry.function(image, "a.jpg")
    assert variant.shape == image.shape
    assert variant.dtype == np.uint8
    assert (variant != image).any()
    assert not np.shares_memory(variant, image)
    assert (image == before).all()
    assert (variant == entry.function(image, "a.jpg")).all()
    assert (variant != entry.function(image, "b.jpg")).any() == (entry.family == "noise")


def test_all_variants_differ_from_each_other() -> None:
    variants = {entry.function(structured(), "a.jpg").tobytes() for entry in catalog(PerturbConfig())}
    assert len(variants) == 34


def test_the_three_noises_of_one_image_are_independent() -> None:
    config = PerturbConfig(speckle=25 / 128)
    image = np.full((64, 32, 3), 128, dtype=np.uint8)
    gaussian, _, speckle = (entry.function(image, "a.jpg").astype(float).ravel() for entry in catalog(config)[-3:])
    assert abs(np.corrcoef(gaussian, speckle)[0, 1]) < 0.05


def test_each_noise_has_its_kind_its_strength_and_a_key_of_its_own() -> None:
    image, config = structured(), PerturbConfig(gaussian_sigma=11.0, salt_pepper=0.3, speckle=0.2, seed=5)
    expected = [
        add_gaussian_noise(image, 11.0, "5/gaussian/query/a.jpg"),
        add_salt_pepper(image, 0.3, "5/salt_pepper/query/a.jpg"),
        add_speckle(image, 0.2, "5/speckle/query/a.jpg"),
    ]
    for entry, noisy in zip(catalog(config)[-3:], expected, strict=True):
        np.testing.assert_array_equal(entry.function(image, "query/a.jpg"), noisy)


def test_the_noise_follows_the_seed_and_nothing_else_does() -> None:
    image = structured()
    for first, second in zip(catalog(PerturbConfig()), catalog(PerturbConfig(seed=1)), strict=True):
        assert (first.function(image, "a") != second.function(image, "a")).any() == (first.family == "noise")


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({"light_offsets": (10,)}, 31),
        ({"blur_sigmas_px": ()}, 31),
        ({"occlusion_sizes": (0.1, 0.3)}, 26),
        ({"background_scales": (0.9,)}, 30),
        ({"background_colors": ("G",)}, 28),
        ({"gaussian_sigma": None}, 33),
        ({"salt_pepper": None}, 33),
        ({"speckle": None}, 33),
    ],
)
def test_other_values_give_other_catalogues(change: dict, count: int) -> None:
    config = PerturbConfig(**change)
    assert len(catalog(config)) == config.variants == count
    assert {entry.name for entry in catalog(config)} != set(ORDER)


@pytest.mark.parametrize(
    ("change", "changed"),
    [({"inset": 0.05}, "occlusion"), ({"gaussian_sigma": 5.0}, "noise"), ({"salt_pepper": 0.5}, "noise"), ({"speckle": 0.5}, "noise")],
)
def test_levels_reach_the_pixels(change: dict, changed: str) -> None:
    image = structured()
    default, other = catalog(PerturbConfig()), catalog(PerturbConfig(**change))
    assert any((a.function(image, "a") != b.function(image, "a")).any() for a, b in zip(default, other, strict=True) if a.family == changed)


def test_one_variant_is_enough() -> None:
    assert [entry.name for entry in catalog(EMPTY)] == ["noise_speckle_0.1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"light_offsets": (45, 45)}, "holds a value twice"),
        ({"light_offsets": (0,)}, "changes nothing"),
        ({"light_offsets": (300,)}, "less than or equal to 255"),
        ({"light_offsets": tuple(range(1, 128))}, "157 variants, expected 1 to 126"),
        ({"blur_sigmas_px": (0.0,)}, "greater than 0"),
        ({"occlusion_sizes": (1.0,)}, "less than 1"),
        ({"inset": 0.25}, "less than 0.25"),
        ({"background_colors": ("K",)}, "'R', 'B', 'Y' or 'G'"),
        ({"background_scales": (1.0, 1.0)}, "holds a value twice"),
        ({"gaussian_sigma": -1}, "greater than 0"),
        ({"salt_pepper": 1.5}, "less than or equal to 1"),
        ({"speckle": float("nan")}, "finite"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"sigma": 1}, "no such key"),
        (EMPTY.model_dump() | {"speckle": None}, "0 variants, expected 1 to 126"),
    ],
)
def test_wrong_settings_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        PerturbConfig(**change)


def test_settings_survive_the_way_through_json() -> None:
    config = PerturbConfig(inset=0.05, speckle=None)
    assert PerturbConfig.model_validate_json(config.model_dump_json()) == config
