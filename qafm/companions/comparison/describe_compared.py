"""Companion c4: what every compared system costs, by counting: operations, parameters, length of a descriptor, images seen in training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from qafm.companions.comparison.compared_models import ComparedModel, build_compared
from qafm.config.compared import ComparedSystem
from qafm.images.network_input import normalize
from qafm.runtime.files import write_json
from qafm.tables.learning_curve import images_seen


@dataclass(frozen=True)
class Curves:
    """The learning curves behind a system: for each of its trainings those of its seeds, in order."""

    system: ComparedSystem
    histories: Sequence[Sequence[Path]]


def describe_compared(curves: Sequence[Curves], out: Path) -> None:
    """Write the counts of every system.

    Args:
        curves: the systems with their learning curves.
        out: JSON: key of a system -> flops, parameters, descriptor_length, and per training and seed epochs and images_seen.

    Raises:
        InputError: a curve cannot be read, or a network cannot be built as configured.
    """
    content = {}
    for each in curves:
        system = each.system
        counted = []
        for histories in each.histories:
            found = [images_seen(path) for path in histories]
            counted.append({"epochs": [epochs for epochs, _ in found], "images_seen": [seen for _, seen in found]})
        content[system.key] = {**count_costs(build_compared(system.network), *system.start.size), "trainings": counted}
    write_json(out, content)


def count_costs(model: ComparedModel, height: int, width: int) -> Mapping[str, int]:
    """Counts for one image.

    Args:
        model: the system.
        height: of the input, pixels.
        width: of the input, pixels.

    Returns:
        flops: floating-point operations (a multiplication and an addition are two) of all convolutions and matrix products of a forward pass in use, as
        torch's FlopCounterMode counts them, those of Q included. parameters: how many the descriptor depends on, likewise. descriptor_length.
    """
    pixels, q = torch.zeros(1, 3, height, width, dtype=torch.uint8), torch.zeros(1)
    counted: dict[str, Any] = {}
    with FlopCounterMode(display=False) as counter:
        descriptor = model.describe(pixels, q)
    counted["flops"] = counter.get_total_flops()
    counted["parameters"] = parameters_behind(descriptor, model.networks)
    counted["descriptor_length"] = descriptor.shape[1]
    if model.extractor is not None:
        extractor, backbone, perturb, _ = model.extractor
        pixels = torch.zeros(1, 3, backbone.height, backbone.width, dtype=torch.uint8)
        with FlopCounterMode(display=False) as counter:
            feature = extractor(normalize(pixels)).feature
        counted["flops"] += (1 + perturb.variants) * counter.get_total_flops()
        counted["parameters"] += parameters_behind(feature, extractor)
    return counted


def parameters_behind(output: Tensor, networks: nn.Module) -> int:
    """How many parameters `output` depends on, frozen ones left out: those that a gradient reaches."""
    parameters = [parameter for parameter in networks.parameters() if parameter.requires_grad]
    reached = torch.autograd.grad(output.sum(), parameters, allow_unused=True)
    return sum(parameter.numel() for parameter, gradient in zip(parameters, reached, strict=True) if gradient is not None)
