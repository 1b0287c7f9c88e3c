"""The 34 perturbations: the fast path against an obvious PIL and numpy loop. Prints ratios: how many times faster."""

import json
import time
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from qafm.config.perturb import PerturbConfig
from qafm.perturbations.background import COLORS
from qafm.perturbations.catalog import catalog
from qafm.perturbations.stack import perturb

CONFIG = PerturbConfig()
IMAGES, ROUNDS = 32, 5
RNG = np.random.default_rng(0)


def made_up_images() -> list[np.ndarray]:
    return [np.asarray(Image.fromarray(RNG.integers(0, 256, (16, 8, 3), dtype=np.uint8)).resize((64, 128), Image.Resampling.BICUBIC)) for _ in range(IMAGES)]


def pil_light_and_blur(image: Image.Image) -> Iterator[Image.Image]:
    for offset in CONFIG.light_offsets:
        hsv = np.array(image.convert("HSV")).astype(np.int16)
        hsv[..., 2] = np.clip(hsv[..., 2] + offset, 0, 255)
        yield Image.fromarray(hsv.astype(np.uint8), mode="HSV").convert("RGB")
    for sigma in CONFIG.blur_sigmas_px:
        yield image.filter(ImageFilter.GaussianBlur(sigma))


def pil_covers(image: Image.Image) -> Iterator[Image.Image]:
    width, height = image.size
    for size in CONFIG.occlusion_sizes:
        x, y = size * width, size * height
        for box in ((0, 0, width, y), (0, height - y, width, height), (0, 0, x, height), (width - x, 0, width, height)):
            covered = image.copy()
            ImageDraw.Draw(covered).rectangle(box, fill=(0, 0, 0))
            yield covered
    for scale in CONFIG.background_scales:
        x, y = scale * width / 2, scale * height / 2
        for color in CONFIG.background_colors:
            mask = Image.new("L", image.size, 0)
            ImageDraw.Draw(mask).ellipse((width / 2 - x, height / 2 - y, width / 2 + x, height / 2 + y), fill=255)
            yield Image.composite(image, Image.new("RGB", image.size, COLORS[color]), mask)


def numpy_noise(image: np.ndarray) -> Iterator[np.ndarray]:
    yield np.clip(image + RNG.normal(0, 25, image.shape), 0, 255).astype(np.uint8)
    uniform = RNG.random(image.shape[:2])
    noisy = image.copy()
    noisy[uniform < 0.01], noisy[uniform > 0.99] = 255, 0
    yield noisy
    yield np.clip(image * (1 + 0.1 * RNG.normal(size=image.shape)), 0, 255).astype(np.uint8)


def simple(image: np.ndarray, _: str) -> np.ndarray:
    picture = Image.fromarray(image)
    return np.stack([image, *map(np.asarray, pil_light_and_blur(picture)), *map(np.asarray, pil_covers(picture)), *numpy_noise(image)])


def per_variant(image: np.ndarray, image_id: str) -> np.ndarray:
    return np.stack([image, *(entry.function(image, image_id) for entry in catalog(CONFIG))])


def seconds(function: Callable[[np.ndarray, str], np.ndarray], images: list[np.ndarray]) -> float:
    """Best time per image of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for number, image in enumerate(images):
            function(image, str(number))
        best = min(best, (time.perf_counter() - start) / len(images))
    return best


def main() -> None:
    images = made_up_images()
    fast = seconds(lambda image, image_id: perturb(image, image_id, CONFIG), images)
    ratios = {"pil_loop": seconds(simple, images) / fast, "catalogue_functions": seconds(per_variant, images) / fast}
    rounded = {name: round(ratio, 2) for name, ratio in ratios.items()}
    print(json.dumps({"benchmark": "perturbations", "faster_than": rounded, "ms_per_image": round(1e3 * fast, 3), "size": [128, 64]}))


if __name__ == "__main__":
    main()
