from pathlib import Path

import cv2
import numpy as np
import pytest

from qafm.errors import InputError
from qafm.quality.image_statistics import image_statistics, measure_images


def grey_image(seed: int = 0) -> np.ndarray:
    return np.repeat(np.random.default_rng(seed).integers(0, 256, (7, 5, 1), np.uint8), 3, axis=2)


def test_sharpness_and_contrast_pixel_by_pixel() -> None:
    image = grey_image()
    grey = image[..., 0].astype(float)
    wide = np.pad(grey, 1, mode="reflect")
    laplacian = [wide[y, x + 1] + wide[y + 2, x + 1] + wide[y + 1, x] + wide[y + 1, x + 2] - 4 * wide[y + 1, x + 1] for y in range(7) for x in range(5)]
    assert image_statistics(image) == pytest.approx((np.var(laplacian), grey.mean(), np.std(grey)))


def test_brightness_is_the_largest_channel() -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    image[:2] = (200, 10, 90)  # RGB
    image[2:] = (10, 50, 0)
    sharpness, brightness, contrast = image_statistics(image)
    assert brightness == 125
    assert contrast == pytest.approx(abs(0.299 * 190 - 0.587 * 40 + 0.114 * 90) / 2, abs=0.5)
    assert sharpness > 0 == image_statistics(np.full((4, 6, 3), 77, np.uint8))[0]


def test_blur_lowers_sharpness_at_native_size() -> None:
    image = grey_image(1)
    assert image_statistics(cv2.GaussianBlur(image, (0, 0), 1.5))[0] < image_statistics(image)[0] / 10


def test_files_in_their_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for i, path in enumerate(paths):
        cv2.imwrite(str(path), cv2.cvtColor(grey_image(i), cv2.COLOR_RGB2BGR))
    found = measure_images(paths)
    assert np.array(list(found.values())).T.tolist() == [list(image_statistics(grey_image(i))) for i in range(3)]
    assert list(found) == ["sharpness", "brightness", "contrast"] and measure_images([])["contrast"].shape == (0,)
    with pytest.raises(InputError, match=r"none\.png: cannot be read"):
        measure_images([*paths, tmp_path / "none.png"])
