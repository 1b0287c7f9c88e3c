import pytest
import torch
from torchvision.transforms.v2 import functional as reference

from qafm.config.training import AugmentConfig
from qafm.images.network_input import normalize
from qafm.training.augment import augment, jitter, random_crop, random_erase, random_flip, random_rotate

OFF = AugmentConfig(flip=0, pad_px=0, brightness=0, contrast=0, saturation=0, erase=0)


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.randint(0, 256, (6, 3, 20, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_with_everything_off_only_normalises(pixels: torch.Tensor) -> None:
    torch.testing.assert_close(augment(pixels, OFF), normalize(pixels), atol=1e-5, rtol=0)


@pytest.mark.parametrize("changed", [{"flip": 1}, {"pad_px": 3}, {"brightness": 0.4}, {"contrast": 0.4}, {"saturation": 0.4}, {"erase": 1}])
def test_each_setting_changes_the_batch(pixels: torch.Tensor, changed: dict) -> None:
    torch.manual_seed(2)
    assert not torch.allclose(augment(pixels, OFF.model_copy(update=changed)), normalize(pixels), atol=1e-3)


def test_same_seed_same_batch_and_images_are_drawn_apart(pixels: torch.Tensor) -> None:
    config = AugmentConfig()
    same = pixels[:1].expand(6, -1, -1, -1)
    torch.manual_seed(3)
    first = augment(same, config)
    torch.manual_seed(3)
    assert torch.equal(first, augment(same, config))
    assert not torch.allclose(first[0], first[1])


def test_flip_mirrors_and_half_of_the_images_at_a_half(pixels: torch.Tensor) -> None:
    assert torch.equal(random_flip(pixels, 1.0), pixels.flip(3))
    assert torch.equal(random_flip(pixels, 0.0), pixels)
    torch.manual_seed(4)
    many = torch.arange(2, dtype=torch.uint8).view(1, 1, 1, 2).expand(4000, 3, 1, 2)
    assert 0.46 < random_flip(many, 0.5)[:, 0, 0, 0].float().mean() < 0.54


def test_crop_equals_a_window_of_the_padded_image(pixels: torch.Tensor) -> None:
    torch.manual_seed(5)
    cropped = random_crop(pixels, 2)
    padded = torch.nn.functional.pad(pixels, [2] * 4)
    for image, source in zip(cropped, padded, strict=True):
        windows = [source[:, y : y + 20, x : x + 12] for y in range(5) for x in range(5)]
        assert any(torch.equal(image, window) for window in windows)


@pytest.mark.parametrize("degrees", [10.0, 90.0])
def test_rotation_is_torchvisions_about_each_images_own_angle(pixels: torch.Tensor, degrees: float) -> None:
    torch.manual_seed(5)
    turned = random_rotate(pixels, degrees)
    torch.manual_seed(5)
    angles = degrees * (2 * torch.rand(len(pixels)) - 1)
    assert angles.min() < 0 < angles.max()
    for image, source, angle in zip(turned, pixels, angles, strict=True):
        expected = reference.rotate(source.float(), float(angle), reference.InterpolationMode.BILINEAR)
        torch.testing.assert_close(image, expected, atol=0.02, rtol=0)


def test_no_rotation_draws_nothing_and_corners_turn_black(pixels: torch.Tensor) -> None:
    torch.manual_seed(6)
    assert torch.equal(random_rotate(pixels, 0), pixels.float())
    drawn = torch.rand(1)
    torch.manual_seed(6)
    assert torch.equal(drawn, torch.rand(1))
    turned = random_rotate(torch.full((30, 3, 40, 20), 255, dtype=torch.uint8), 30)
    assert turned[:, :, 20, 10].min() > 254.9
    assert turned[:, :, 0, 0].min() == 0


def test_jitter_is_torchvisions_arithmetic() -> None:
    colors = torch.rand(4, 3, 5, 4, generator=torch.Generator().manual_seed(6))
    torch.manual_seed(7)
    ours = jitter(colors, 0.5, 0.4, 0.3)
    torch.manual_seed(7)
    draws = 2 * torch.rand(3, 4, 1, 1, 1) - 1
    for index, image in enumerate(colors):
        factors = [1 + spread * float(draws[kind, index]) for kind, spread in enumerate((0.5, 0.4, 0.3))]
        expected = reference.adjust_brightness(image, factors[0])
        expected = reference.adjust_contrast(expected, factors[1])
        expected = reference.adjust_saturation(expected, factors[2])
        torch.testing.assert_close(ours[index], expected, atol=1e-4, rtol=0)


def test_erased_part_is_one_rectangle_of_the_stated_area() -> None:
    torch.manual_seed(8)
    erased = random_erase(torch.ones(200, 3, 40, 20), 1.0)[:, 0] == 0
    for hole in erased:
        rows, columns = hole.any(dim=1).nonzero(), hole.any(dim=0).nonzero()
        area = (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
        assert hole.sum() == area
        assert 0.01 * 800 <= area <= 0.45 * 800
    assert torch.equal(random_erase(torch.ones(9, 3, 4, 4), 0.0), torch.ones(9, 3, 4, 4))


def test_share_of_erased_images_is_the_probability() -> None:
    torch.manual_seed(9)
    share = (random_erase(torch.ones(3000, 1, 8, 4), 0.3) == 0).flatten(1).any(dim=1).float().mean()
    assert 0.26 < share < 0.34
