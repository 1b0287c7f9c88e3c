"""Companion c4: how long a descriptor takes, image by image and in batches."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from qafm.companions.comparison.compared_models import ComparedModel, build_compared
from qafm.config.compared import TimedNetwork
from qafm.config.runtime import RuntimeConfig
from qafm.features.new_images import q_of
from qafm.models.fold_batch_norms import fold_batch_norms
from qafm.runtime.files import write_json
from qafm.runtime.torch_setup import autocast, place, prepare_torch

AT_LEAST, SECONDS = 3, 30.0  # measurements that are made however long they take; time after which no further one is made


def time_inference(systems: Sequence[TimedNetwork], batch: int, repeats: int, runtime: RuntimeConfig, out: Path) -> None:
    """Measure every system with random weights on random images of its input size, already decoded; Q's perturbations count, they are part of the method.

    Args:
        systems: what is measured.
        batch: images at a time, beside one at a time.
        repeats: measurements of each, whose median is stored.
        runtime: threads, device, precision.
        out: JSON: the device, and key of a system -> milliseconds per image, one at a time and in batches.
    """
    device = prepare_torch(runtime)
    times = {}
    for system in tqdm(systems, desc="inference", unit="system", disable=None):
        model = _placed(build_compared(system.network), device)
        times[system.key] = [round(1000 * _per_image(model, system.size, size, repeats, runtime, device), 4) for size in (1, batch)]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    write_json(out, {"device": name, "batch": batch, "ms_per_image": times})


def _placed(model: ComparedModel, device: torch.device) -> ComparedModel:
    for network in (model.networks, *([model.extractor.model] if model.extractor else [])):
        place(fold_batch_norms(network), device)
    return model


def _per_image(model: ComparedModel, size: tuple[int, int], batch: int, repeats: int, runtime: RuntimeConfig, device: torch.device) -> float:
    """Median seconds per image of a batch of this size."""
    rng = np.random.default_rng(0)
    pixels = torch.from_numpy(rng.integers(0, 256, (batch, 3, *size), dtype=np.uint8)).to(device)
    extractor = model.extractor
    pictures = [] if extractor is None else list(rng.integers(0, 256, (batch, extractor.backbone.height, extractor.backbone.width, 3), dtype=np.uint8))

    @torch.inference_mode()
    def describe() -> None:
        with autocast(device, runtime):
            found = torch.zeros(batch)
            if extractor is not None:
                found = torch.tensor([q_of(picture, "", extractor, device, runtime) for picture in pictures])
            model.describe(pixels, found.float().to(device)).cpu()  # what is on the CPU has been computed

    return measure(describe, repeats) / batch


def measure(work: Callable[[], None], repeats: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Median seconds that `work` takes, after a run that does not count.

    Args:
        work: what is measured.
        repeats: how often, less (but at least 3 times) where that takes more than 30 s.
        clock: seconds.
    """
    work()
    found: list[float] = []
    while len(found) < repeats and (len(found) < AT_LEAST or sum(found) < SECONDS):
        start = clock()
        work()
        found.append(clock() - start)
    return float(np.median(found))
