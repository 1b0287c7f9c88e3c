"""Stage 6: the Bag-of-Tricks baseline's descriptor of every query, gallery and held-out image.

N images, C channels of the backbone's last map.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from qafm.config.backbone import BackboneConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.load_baseline import load_baseline
from qafm.features.searched_images import IMAGES_PER_BATCH, load_searched
from qafm.models.reid_baseline import ReidBaseline
from qafm.runtime.torch_setup import autocast, place, prepare_torch
from qafm.tables.descriptors import descriptors_table
from qafm.tables.parquet import write_parquet
from qafm.training.image_set import normalize


def embed_baseline(images: Path, weights: Path, config: BackboneConfig, runtime: RuntimeConfig, out: Path) -> None:
    """Embed every query, gallery and held-out image, junk left out.

    Args:
        images: images.parquet.
        weights: the trained baseline.
        config: its backbone and input size.
        runtime: threads, device, precision.
        out: descriptors parquet to write: what follows the BNNeck, L2-normalised.

    Raises:
        InputError: an input is damaged or does not fit, or there is nothing to embed.
    """
    device = prepare_torch(runtime)
    model = place(load_baseline(weights, config), device)
    data = load_searched(images, config)
    batches = tqdm(data.pixels.split(IMAGES_PER_BATCH), desc="embed", unit="batch", disable=None)
    found = [baseline_descriptors(model, pixels.to(device), device, runtime) for pixels in batches]
    write_parquet(out, descriptors_table(data.image_ids, list(data.splits), np.concatenate(found)))


@torch.no_grad()
def baseline_descriptors(model: ReidBaseline, pixels: torch.Tensor, device: torch.device, runtime: RuntimeConfig) -> np.ndarray:
    """L2-normalised output of the BNNeck for uint8 `pixels` [N, 3, H, W] on the device, float32 [N, C]; the model is in eval mode."""
    with autocast(device, runtime):
        feature = model(normalize(pixels)).feature
    return F.normalize(model.neck.norm(feature.float()), dim=1).cpu().numpy()
