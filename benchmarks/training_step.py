"""Speed of a stage-2 training step: one backward pass over cut losses and one fused Adam, against four passes and four Adams.

usage: training_step.py [--backbone resnet18] [--steps 6]
"""

import argparse
import copy
import time
from collections.abc import Callable

import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.fusion import AlphaConfig, ArchitectureConfig, HeadConfig
from qafm.config.training import BranchLossConfig, OptimizerConfig
from qafm.losses.branches import apan_losses, apn_losses
from qafm.models.qafm import Qafm
from qafm.models.weight_mlp import WeightMlp
from qafm.runtime.torch_setup import place
from qafm.training.fusion_losses import AlphaTable, Fused, alpha_losses, global_losses
from qafm.training.schedule import build_adam

IDS, IMAGES = 100, 32
LOSS = BranchLossConfig()


def losses_of(model: Qafm, images: torch.Tensor, labels: torch.Tensor) -> list[torch.Tensor]:
    """The four losses of stage 2: APN, APAN, global, weight."""
    attributes = torch.zeros(len(labels), 12, dtype=torch.long)
    q = torch.linspace(0.5, 1.5, len(labels))
    visual, attribute = model.visual(images), model.attribute(images)
    assert model.weight_mlp is not None
    fused = Fused(visual.v_a, attribute.v_s, model.weight_mlp.weight(q))
    parts = (
        apn_losses(visual, labels, LOSS),
        apan_losses(attribute, labels, attributes, LOSS, 1.0),
        global_losses(model, fused, labels, LOSS, "isolated"),
        alpha_losses(model.weight_mlp, AlphaTable(q, q, q.flip(0)), AlphaConfig()),
    )
    return [torch.stack(list(part.values())).sum() for part in parts]


def one_pass(model: Qafm) -> Callable[[torch.Tensor, torch.Tensor], None]:
    """The project's step."""
    optimizer = build_adam([{"params": model.parameters()}], OptimizerConfig())

    def step(images: torch.Tensor, labels: torch.Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        torch.stack(losses_of(model, images, labels)).sum().backward()
        optimizer.step()

    return step


def four_passes(model: Qafm) -> Callable[[torch.Tensor, torch.Tensor], None]:
    """A forward and a backward pass and an Adam of its own for each part."""
    parts = (model.visual, model.attribute, model.head, model.weight_mlp)
    optimizers = [torch.optim.Adam(part.parameters(), lr=3.5e-4, weight_decay=5e-4, foreach=False) for part in parts if part is not None]

    def step(images: torch.Tensor, labels: torch.Tensor) -> None:
        for index, optimizer in enumerate(optimizers):
            model.zero_grad(set_to_none=True)
            losses_of(model, images, labels)[index].backward()
            optimizer.step()

    return step


def seconds(step: Callable[[torch.Tensor, torch.Tensor], None], steps: int) -> float:
    """Median time of a step after two to warm up."""
    images, labels = torch.randn(IMAGES, 3, 128, 64).contiguous(memory_format=torch.channels_last), torch.arange(IMAGES) // 4
    times = []
    for _ in range(steps + 2):
        start = time.perf_counter()
        step(images, labels)
        times.append(time.perf_counter() - start)
    return sorted(times[2:])[steps // 2]


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="resnet10")
    parser.add_argument("--steps", type=int, default=6)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(2)
    architecture = ArchitectureConfig(
        backbone=BackboneConfig(name=arguments.backbone, init="random", height=128, width=64),
        apn=ApnConfig(mfpm_channels=128, decoder_channels=(128, 128), lam_channels=(64, 256), embedding_dim=256),
        apan=ApanConfig(pafm_channels=32, step_channels=64, hidden_channels=64, embedding_dim=256),
    )
    model = Qafm(architecture, HeadConfig(dim=256), IDS, WeightMlp(mean=1.0, sd=0.3, start_weight=0.5))
    reference, ours = copy.deepcopy(model), place(model, torch.device("cpu"))
    slow, fast = seconds(four_passes(reference), arguments.steps), seconds(one_pass(ours), arguments.steps)
    print(f"training step, {arguments.backbone} at 128x64, batch {IMAGES}: {slow / fast:.1f}x four passes with four Adams ({IMAGES / fast:.0f} images/s)")


if __name__ == "__main__":
    main()
