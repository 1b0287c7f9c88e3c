"""Images through a network in eval mode, batch by batch.

N images, H W input size.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from tqdm import tqdm

from qafm.config.runtime import RuntimeConfig
from qafm.images.network_input import normalize
from qafm.runtime.torch_setup import autocast

IMAGES_PER_BATCH = 128

OutputT = TypeVar("OutputT")


def forward_batches(
    network: Callable[[torch.Tensor], OutputT],
    pixels: torch.Tensor,
    device: torch.device,
    runtime: RuntimeConfig,
    *,
    prepare: Callable[[torch.Tensor], torch.Tensor] = normalize,
    shown_as: str | None = None,
) -> Iterator[OutputT]:
    """Yield what `network` makes of each batch, without gradients, in the run's precision.

    Args:
        network: in eval mode, on the device.
        pixels: uint8 [N, 3, H, W], anywhere.
        device: where the network is.
        runtime: precision.
        prepare: makes the network's input of uint8 pixels on the device.
        shown_as: name of the progress bar; None: there is none.
    """
    batches = pixels.split(IMAGES_PER_BATCH)
    for batch in batches if shown_as is None else tqdm(batches, desc=shown_as, unit="batch", disable=None):
        with torch.no_grad(), autocast(device, runtime):
            output = network(prepare(batch.to(device)))
        yield output


def forward_all(network: Callable[[torch.Tensor], torch.Tensor], pixels: torch.Tensor, device: torch.device, runtime: RuntimeConfig) -> torch.Tensor:
    """What `forward_batches` yields, joined: float32 [N, ...] on the CPU."""
    return torch.cat([output.float().cpu() for output in forward_batches(network, pixels, device, runtime)])
