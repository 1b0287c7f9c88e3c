"""Stage 6: the Bag-of-Tricks baseline's descriptor of every query, gallery and held-out image.

N images, C channels of the backbone's last map.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from qafm.config.backbone import BackboneConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.load_baseline import load_baseline
from qafm.images.forward import forward_batches
from qafm.images.searched_images import load_searched
from qafm.models.reid_baseline import ReidBaseline
from qafm.runtime.torch_setup import place, prepare_torch
from qafm.tables.descriptors import descriptors_table
from qafm.tables.parquet import write_parquet


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
    data = load_searched(images, config.height, config.width)
    vectors = baseline_descriptors(model, data.pixels, device, runtime, shown_as="embed")
    write_parquet(out, descriptors_table(data.image_ids, list(data.splits), vectors))


@torch.no_grad()
def baseline_descriptors(model: ReidBaseline, pixels: torch.Tensor, device: torch.device, runtime: RuntimeConfig, *, shown_as: str | None = None) -> np.ndarray:
    """L2-normalised output of the BNNeck for uint8 `pixels` [N, 3, H, W], float32 [N, C]; the model is in eval mode on the device."""
    features = forward_batches(lambda batch: model(batch).feature, pixels, device, runtime, shown_as=shown_as)
    return F.normalize(model.neck.norm(torch.cat([feature.float() for feature in features])), dim=1).cpu().numpy()
