"""Descriptors of ResNet-18 at 128 x 64: batch norms folded against not folded, and bf16 against fp32. Prints ratios: how many times faster."""

import copy
import json
import time

import torch

from qafm.models.fold_batch_norms import fold_batch_norms
from qafm.models.resnet import build_resnet
from qafm.runtime.torch_setup import multiplies_bf16

IMAGES, ROUNDS = 70, 7


@torch.inference_mode()
def seconds(model: torch.nn.Module, images: torch.Tensor, bf16: bool = False) -> float:
    """Best time per image of several rounds, after one that does not count."""
    best = float("inf")
    for round_ in range(ROUNDS + 1):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            model(images)
        best = min(best, time.perf_counter() - start) if round_ else best
    return best / len(images)


def main() -> None:
    plain = build_resnet("resnet18", last_stride=2).eval().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    folded = fold_batch_norms(copy.deepcopy(plain))
    images = torch.randn(IMAGES, 3, 128, 64).contiguous(memory_format=torch.channels_last)
    times = {"plain": seconds(plain, images), "folded": seconds(folded, images), "folded_bf16": seconds(folded, images, bf16=True)}
    ratios = {"folded_vs_plain": round(times["plain"] / times["folded"], 2), "bf16_vs_fp32": round(times["folded"] / times["folded_bf16"], 2)}
    print(json.dumps({"benchmark": "describe", "threads": torch.get_num_threads(), "multiplies_bf16": multiplies_bf16(), **ratios}))


if __name__ == "__main__":
    main()
