"""How torch is set up in every stage: threads, determinism, device, precision, seeds."""

import hashlib
import logging
import os
from typing import TypeVar

import numpy as np
import torch

from qafm.config.choices import Device
from qafm.config.runtime import RuntimeConfig
from qafm.errors import InputError

LOGGER = logging.getLogger("qafm")

ModelT = TypeVar("ModelT", bound=torch.nn.Module)


def prepare_torch(config: RuntimeConfig) -> torch.device:
    """Take denormal numbers for 0, fix the number of threads, ask for deterministic algorithms, see that fp32 is float32, choose and log the device.

    Weight decay takes weights that no loss needs down to denormal values, with which a CPU multiplies many times more slowly (benchmarks/denormals.py).
    To be called before torch's first parallel work: its threads inherit the setting.

    Raises:
        InputError: `device: cuda` on a machine without one.
    """
    torch.set_flush_denormal(True)
    torch.set_num_threads(config.threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_deterministic_debug_mode("warn")  # as use_deterministic_algorithms(warn_only), which imports the compiler: 4 s
    # torch would write NaN into each new tensor first: an aid for finding faults in operators.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
    torch.backends.cudnn.benchmark = False
    if config.precision == "fp32":  # torch lets convolutions on recent GPUs round their input to the 10 bits of TF32
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    device = choose_device(config.device)
    LOGGER.info("%s, %d threads, %s", describe_device(device), config.threads, config.precision)
    if config.precision == "bf16" and device.type == "cpu" and not multiplies_bf16():
        LOGGER.warning("runtime.precision: bf16 takes longer than fp32 on this CPU: it has no AMX")
    return device


def choose_device(name: Device) -> torch.device:
    """The device that `runtime.device` means here.

    Raises:
        InputError: `cuda` on a machine without one.
    """
    found = torch.cuda.is_available()
    if name == "cuda" and not found:
        raise InputError("device cuda: torch finds no GPU here; auto and cpu do without")
    return torch.device("cuda" if found and name != "cpu" else "cpu")


def describe_device(device: torch.device) -> str:
    """The device in words, with torch's version: what a log and the header of weights say."""
    return f"torch {torch.__version__} on {torch.cuda.get_device_name(device) if device.type == 'cuda' else 'cpu'}"


def multiplies_bf16() -> bool:
    """Whether the CPU has units for bf16 products. On x86 without AMX a descriptor takes 1.3 times as long as in fp32 (benchmarks/describe.py)."""
    found = torch.cpu.get_capabilities()
    return found.get("architecture") != "x86_64" or bool(found.get("amx_bf16"))


def place(model: ModelT, device: torch.device) -> ModelT:
    """Move a model to the device, convolution weights in channels-last order (1.5 times faster on a CPU)."""
    return model.to(device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def autocast(device: torch.device, config: RuntimeConfig) -> torch.autocast:
    """The context of a forward pass: bfloat16 where configured."""
    return torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16")


def derived_seed(*parts: object) -> int:
    """A 63-bit seed from any printable parts: the same on every machine and in every process."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def seed_everything(*parts: object) -> np.random.Generator:
    """Seed torch from `parts` and return a numpy generator seeded alike."""
    seed = derived_seed(*parts)
    torch.manual_seed(seed)
    return np.random.default_rng(seed)
