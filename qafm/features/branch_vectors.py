"""v_a and v_s of images.

N images, H W input size, Da and Ds the lengths of v_a and v_s.
"""

import torch

from qafm.config.runtime import RuntimeConfig
from qafm.images.forward import forward_batches
from qafm.models.qafm import Qafm


def branch_vectors(
    model: Qafm, pixels: torch.Tensor, device: torch.device, runtime: RuntimeConfig, *, shown_as: str | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """v_a [N, Da] and v_s [N, Ds], float32 on the device.

    Args:
        model: on the device; put into eval mode.
        pixels: uint8 [N, 3, H, W], anywhere.
        device: where the model is.
        runtime: precision.
        shown_as: name of a progress bar; None: there is none.
    """
    model.eval()

    def both(batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return model.visual(batch).v_a.float(), model.attribute(batch).v_s.float()

    v_a, v_s = zip(*forward_batches(both, pixels, device, runtime, shown_as=shown_as), strict=True)
    return torch.cat(v_a), torch.cat(v_s)
