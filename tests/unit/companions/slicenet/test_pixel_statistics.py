from pathlib import Path

import numpy as np
import pytest
import torch

from qafm.companions.slicenet.load_weights import COL780_NORMALISATION
from qafm.companions.slicenet.pixel_statistics import pixel_statistics
from qafm.datasets.read_image import read_image


def test_mean_and_deviation_are_those_of_all_pixels() -> None:
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (5, 3, 7, 4), np.uint8) // np.array([1, 2, 3], np.uint8).reshape(3, 1, 1))
    mean, std = pixel_statistics(pixels)
    values = pixels.numpy().astype(np.float64) / 255
    np.testing.assert_allclose(mean.numpy(), values.mean(axis=(0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(std.numpy(), values.std(axis=(0, 2, 3)), rtol=1e-6)
    assert mean.dtype == std.dtype == torch.float32


def test_a_constant_channel_is_only_centred() -> None:
    pixels = torch.full((2, 3, 4, 4), 51, dtype=torch.uint8)
    pixels[:, 1, :2] = 0
    mean, std = pixel_statistics(pixels)
    assert mean.tolist() == pytest.approx([0.2, 0.1, 0.2]) and std.tolist() == pytest.approx([1, 0.1, 1])


def test_col780_train_images_have_the_published_normalisation(shared: Path) -> None:
    pictures = [read_image(path) for path in sorted((shared / "data/col780/train").rglob("*.png"))]
    assert len(pictures) == 992
    found = pixel_statistics(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2))
    for name, values in zip(("mean", "std"), found, strict=True):
        assert [round(value, 4) for value in values.tolist()] == list(COL780_NORMALISATION[name])
