"""Any image made harder to identify by a known amount, by the degradations of the synthetic data set."""

import numpy as np

from qafm.datasets.synthetic.degrade import OCCLUSION, degrade, occluder
from qafm.datasets.synthetic.seeding import generator


def degrade_image(image: np.ndarray, kind: str, level: float, key: str) -> np.ndarray:
    """Degrade `image`.

    Args:
        image: uint8 RGB [H, W, 3], any size; lengths scale with H.
        kind: blur, low_resolution, darkness, colour_cast, noise or occlusion.
        level: in (0, 1].
        key: what the draws depend on, beside the kind: the same key gives the same noise, whatever the level.

    Returns:
        A new uint8 image [H, W, 3].
    """
    rng = generator("degrade", kind, key)
    if kind != OCCLUSION:
        return degrade(image, kind, level, rng)
    colour, where = occluder(image.shape[0], image.shape[1], level, rng)
    mixed = image.astype(np.float32)
    mixed += where[..., None] * (255 * colour - mixed)
    return np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
