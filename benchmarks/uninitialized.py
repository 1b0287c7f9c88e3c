"""A training step of SliceNet2 on one thread, new tensors left as they are against filled with NaN first, as torch's switch for determinism has it.

usage: uninitialized.py [--precision fp32]
"""

import argparse
import json
import time

import torch
from torch.nn import functional

from qafm.companions.slicenet.sliced_net import SlicedNet
from qafm.config.runtime import RuntimeConfig
from qafm.config.sliced_net import NetworkConfig
from qafm.config.training import OptimizerConfig
from qafm.runtime.torch_setup import autocast, place, prepare_torch
from qafm.training.schedule import build_adam

IDS, IMAGES, STEPS = 62, 16, 12


def train(fill: bool, runtime: RuntimeConfig) -> tuple[float, list[torch.Tensor]]:
    """Best time of a step, and the weights after all of them."""
    device = prepare_torch(runtime)
    torch.utils.deterministic.fill_uninitialized_memory = fill  # pyright: ignore[reportAttributeAccessIssue]
    torch.manual_seed(0)
    model = place(SlicedNet(NetworkConfig(network="slicenet2"), IDS), device).train()
    optimizer = build_adam([{"params": model.parameters()}], OptimizerConfig())
    images, labels, best = torch.randint(0, 256, (IMAGES, 3, 128, 48), dtype=torch.uint8), torch.arange(IMAGES), float("inf")
    for step in range(STEPS):
        start = time.perf_counter()
        with autocast(device, runtime):
            logits = model(images).logits
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(logits.float(), labels).backward()
        optimizer.step()
        best = min(best, time.perf_counter() - start) if step else best
    return best, [parameter.detach().clone() for parameter in model.parameters()]


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    runtime = RuntimeConfig(threads=1, device="cpu", precision=parser.parse_args().precision)
    (filled, before), (plain, after) = train(True, runtime), train(False, runtime)
    if not all(map(torch.equal, before, after)):
        raise SystemExit("the weights differ")
    print(json.dumps({"benchmark": "uninitialized", "threads": 1, "precision": runtime.precision, "plain_vs_filled": round(filled / plain, 2)}))


if __name__ == "__main__":
    main()
