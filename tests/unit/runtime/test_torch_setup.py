import subprocess
import sys
from typing import Literal

import pytest
import torch

from qafm.config.runtime import RuntimeConfig
from qafm.errors import InputError
from qafm.runtime.torch_setup import autocast, choose_device, derived_seed, describe_device, prepare_torch, seed_everything


def test_threads_come_from_the_config() -> None:
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            prepare_torch(RuntimeConfig(threads=threads))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_denormal_numbers_are_zero_on_every_thread() -> None:
    """In a process of its own: torch's threads inherit the setting when they are made."""
    code = (
        "import torch\n"
        "from qafm.config.runtime import RuntimeConfig\n"
        "from qafm.runtime.torch_setup import prepare_torch\n"
        "prepare_torch(RuntimeConfig(threads=2, device='cpu'))\n"
        "tiny = torch.full((1 << 22,), 71362, dtype=torch.int32).view(torch.float32)\n"  # 1e-40 by its bits: nothing has flushed it yet
        "print(int((tiny * 0.5 != 0).sum()))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "0"


def test_new_tensors_are_not_filled_first() -> None:
    """torch's switch for deterministic algorithms brings it along, at a tenth of a training step."""
    before = torch.utils.deterministic.fill_uninitialized_memory, torch.get_deterministic_debug_mode()
    try:
        torch.utils.deterministic.fill_uninitialized_memory = True
        prepare_torch(RuntimeConfig(device="cpu"))
        assert torch.are_deterministic_algorithms_enabled()
        assert not all(torch.empty(4096).isnan().all() for _ in range(4))
    finally:
        torch.utils.deterministic.fill_uninitialized_memory = before[0]
        torch.set_deterministic_debug_mode(before[1])


def test_what_computes_is_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        prepare_torch(RuntimeConfig(threads=1, device="cpu"))
    assert f"torch {torch.__version__} on cpu, 1 threads, fp32" in caplog.text
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU of {device}")
    assert describe_device(choose_device("auto")) == f"torch {torch.__version__} on GPU of cuda"
    assert choose_device("cuda").type == "cuda" and choose_device("cpu").type == "cpu"


def test_fp32_is_not_tf32() -> None:
    convolutions, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = convolutions.allow_tf32, products.allow_tf32
    try:
        convolutions.allow_tf32 = products.allow_tf32 = True
        prepare_torch(RuntimeConfig(device="cpu", precision="bf16"))
        assert convolutions.allow_tf32 and products.allow_tf32
        prepare_torch(RuntimeConfig(device="cpu", precision="fp32"))
        assert not convolutions.allow_tf32 and not products.allow_tf32
    finally:
        convolutions.allow_tf32, products.allow_tf32 = before


def test_a_missing_gpu_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert prepare_torch(RuntimeConfig(device="auto")).type == "cpu"
    with pytest.raises(InputError, match=r"device cuda: torch finds no GPU here"):
        prepare_torch(RuntimeConfig(device="cuda"))


@pytest.mark.parametrize(
    ("precision", "capabilities", "told"),
    [
        ("bf16", {"architecture": "x86_64", "amx_bf16": False, "avx512_bf16": True}, True),
        ("bf16", {"architecture": "x86_64", "amx_bf16": True}, False),
        ("bf16", {"architecture": "aarch64"}, False),
        ("fp32", {"architecture": "x86_64", "amx_bf16": False}, False),
    ],
)
def test_bf16_where_it_is_slow_is_told(
    precision: Literal["fp32", "bf16"], capabilities: dict[str, bool | str], told: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    prepare_torch(RuntimeConfig(device="cpu", precision=precision))
    assert ("it has no AMX" in caplog.text) == told


def test_seeds_are_the_same_everywhere_and_differ_by_part() -> None:
    assert derived_seed("train", 1, 2) == 7106656931753769552
    assert derived_seed("train", 1, 2) != derived_seed("train", 12)
    first = seed_everything("a", 1).random(), torch.rand(1)
    again = seed_everything("a", 1).random(), torch.rand(1)
    assert first == again


def test_precision_is_what_the_config_says() -> None:
    for precision, expected in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with autocast(torch.device("cpu"), RuntimeConfig(precision=precision)):
            assert torch.nn.Linear(2, 2)(torch.zeros(1, 2)).dtype == expected
