"""A training step of ResNet-18 at 128 x 64 with 6 % of the last layer's weights denormal, as weight decay leaves them: such numbers taken for 0 against not."""

import json
import multiprocessing
import time

import torch

from qafm.config.backbone import BackboneConfig
from qafm.models.reid_baseline import ReidBaseline

IMAGES, ROUNDS, SHARE, VALUE = 64, 4, 0.06, 1e-40


def seconds(flush: bool) -> float:
    """Best time of a step in this process, whose threads have to be made after the setting."""
    torch.set_flush_denormal(flush)
    torch.manual_seed(0)
    model = ReidBaseline(backbone=BackboneConfig(name="resnet18", last_stride=1, init="random", height=128, width=64), num_ids=IMAGES)
    with torch.no_grad():
        for name, parameter in model.trunk.layer4.named_parameters():  # pyright: ignore[reportOptionalMemberAccess]
            if name.endswith("weight") and parameter.dim() == 4:
                parameter[torch.rand_like(parameter) < SHARE] = VALUE
    model = model.train().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    images = torch.randn(IMAGES, 3, 128, 64).contiguous(memory_format=torch.channels_last)
    best = float("inf")
    for round_ in range(ROUNDS + 1):
        start = time.perf_counter()
        model.zero_grad()
        torch.nn.functional.cross_entropy(model(images).logits, torch.arange(IMAGES)).backward()
        best = min(best, time.perf_counter() - start) if round_ else best
    return best


def main() -> None:
    context = multiprocessing.get_context("spawn")
    times = {}
    for flush in (False, True):
        with context.Pool(1) as pool:
            times[flush] = pool.apply(seconds, (flush,))
    print(json.dumps({"benchmark": "denormals", "threads": torch.get_num_threads(), "flushed_vs_not": round(times[False] / times[True], 2)}))


if __name__ == "__main__":
    main()
