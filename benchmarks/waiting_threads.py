"""A training step of ResNet-18 at 128 x 64: torch's threads giving up the core while they wait (OMP_WAIT_POLICY=passive) against spinning, alone and beside
as many busy processes as there are cores.
"""

import json
import multiprocessing
import os
import statistics
import time

IMAGES, ROUNDS = 64, 8


def busy() -> None:
    """Keep a core busy."""
    while True:
        sum(range(1_000_000))


def seconds(policy: str | None) -> float:
    """Median time of a step in this process, which has not loaded torch yet: its threads read the policy when they are made."""
    if policy is not None:
        os.environ["OMP_WAIT_POLICY"] = policy
    import torch

    from qafm.config.backbone import BackboneConfig
    from qafm.models.reid_baseline import ReidBaseline

    backbone = BackboneConfig(name="resnet18", last_stride=1, init="random", height=128, width=64)
    model = ReidBaseline(backbone=backbone, num_ids=IMAGES).train().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    images = torch.randn(IMAGES, 3, 128, 64).contiguous(memory_format=torch.channels_last)
    times = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        model.zero_grad()
        torch.nn.functional.cross_entropy(model(images).logits, torch.arange(IMAGES)).backward()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def spinning_over_passive(others: int) -> float:
    """How many times longer a step takes with spinning threads, beside `others` busy processes."""
    context = multiprocessing.get_context("spawn")
    beside = [context.Process(target=busy, daemon=True) for _ in range(others)]
    for process in beside:
        process.start()
    times = []
    for policy in (None, "passive"):
        with context.Pool(1) as pool:
            times.append(pool.apply(seconds, (policy,)))
    for process in beside:
        process.kill()
    return round(times[0] / times[1], 2)


def main() -> None:
    cores = os.cpu_count() or 1
    print(json.dumps({"benchmark": "waiting_threads", "alone": spinning_over_passive(0), "beside": cores, "beside_busy": spinning_over_passive(cores)}))


if __name__ == "__main__":
    main()
