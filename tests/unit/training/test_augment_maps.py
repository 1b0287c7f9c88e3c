"""Maps move as their images do, and the images as they would alone."""

import pytest
import torch

from qafm.config.training import AugmentConfig
from qafm.training.augment import augment
from qafm.training.augment_maps import augment_with_maps

OFF = AugmentConfig(flip=0, pad_px=0, brightness=0, contrast=0, saturation=0, erase=0)
STRAIGHT = [0, 1, 2]


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.randint(1, 256, (8, 3, 20, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "changed", [{}, {"flip": 0.5}, {"pad_px": 3}, {"erase": 0.7}, {"flip": 0.5, "pad_px": 2, "brightness": 0.3, "contrast": 0.2, "erase": 0.5}]
)
def test_images_are_those_of_the_augmentation_without_maps(pixels: torch.Tensor, changed: dict) -> None:
    config = OFF.model_copy(update=changed)
    torch.manual_seed(2)
    expected = augment(pixels, config)
    after = torch.rand(3)
    torch.manual_seed(2)
    found, _ = augment_with_maps(pixels, pixels[:, :2], [0, 1], config)
    assert torch.equal(found, expected)
    assert torch.equal(torch.rand(3), after)  # no draw more, none less
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("changed", [{}, {"flip": 0.5}, {"pad_px": 3}, {"erase": 0.8}, {"flip": 0.5, "pad_px": 4, "erase": 0.5}])
def test_maps_move_along(pixels: torch.Tensor, changed: dict) -> None:
    """Maps that are the image's own colours stay its own colours: black outside, and 0 where the image is erased."""
    config = OFF.model_copy(update=changed)
    torch.manual_seed(3)
    images, maps = augment_with_maps(pixels, pixels, STRAIGHT, config)
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    colors = (images * std + mean) * 255
    erased = (images == 0).all(dim=1, keepdim=True).expand_as(images)
    torch.testing.assert_close(maps[~erased], colors[~erased], atol=1e-2, rtol=0)
    assert not maps[erased].any()
    assert erased.any() == bool(changed.get("erase"))


def test_left_and_right_change_places_where_an_image_is_mirrored(pixels: torch.Tensor) -> None:
    maps = torch.zeros(8, 3, 20, 12, dtype=torch.uint8)
    maps[:, 1, :, :4], maps[:, 2, :, 8:] = 10, 20  # the right hand is in the left of the picture
    torch.manual_seed(4)
    _, moved = augment_with_maps(pixels, maps, [0, 2, 1], OFF.model_copy(update={"flip": 0.5}))
    torch.manual_seed(4)
    chosen = torch.rand(8) < 0.5
    assert 0 < chosen.sum() < 8
    for i in range(8):
        right, left = (20, 10) if chosen[i] else (10, 20)
        assert moved[i, 1].unique().tolist() == [0, right] and (moved[i, 1, :, :4] == right).all()
        assert moved[i, 2].unique().tolist() == [0, left] and (moved[i, 2, :, 8:] == left).all()


def test_nothing_moves_with_everything_off(pixels: torch.Tensor) -> None:
    _, maps = augment_with_maps(pixels, pixels, [2, 1, 0], OFF)
    assert torch.equal(maps, pixels.float())
