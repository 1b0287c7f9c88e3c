"""Checks that every model's test uses."""

import copy
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn


def flat(output: object) -> list[Tensor]:
    """All tensors of a (nested) output, in order."""
    if isinstance(output, Tensor):
        return [output]
    return [tensor for part in output for tensor in flat(part)] if isinstance(output, tuple | list) else []


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small tensors gain nothing from threads, and waiting threads cost much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def rough() -> Callable[[nn.Module], nn.Module]:
    """Gives batch norms statistics, scales and free biases other than their neutral start."""

    def roughen(module: nn.Module) -> nn.Module:
        for norm in module.modules():
            if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                nn.init.uniform_(norm.running_mean, -0.5, 0.5)
                nn.init.uniform_(norm.running_var, 0.5, 2)
                nn.init.uniform_(norm.weight, 0.5, 2)
                if norm.bias.requires_grad:
                    nn.init.uniform_(norm.bias, -0.5, 0.5)
        return module

    return roughen


@pytest.fixture
def check_learns() -> Callable[..., None]:
    """Finite outputs in training, and a gradient other than 0 for every trainable parameter that is not named in `still`."""

    def check(module: nn.Module, *inputs: Tensor, still: tuple[str, ...] = ()) -> None:
        module.train()
        outputs = flat(module(*inputs))
        assert all(torch.isfinite(output).all() for output in outputs)
        torch.stack([(output * torch.randn_like(output)).sum() for output in outputs]).sum().backward()
        for name, parameter in module.named_parameters():
            if not parameter.requires_grad:
                assert parameter.grad is None, name
            elif name not in still:
                assert parameter.grad is not None and torch.isfinite(parameter.grad).all() and parameter.grad.abs().sum() > 0, name

    return check


@pytest.fixture
def check_serves() -> Callable[..., None]:
    """A batch of 1 in eval gives the row that a larger batch gives, and a state dict carries everything to a fresh copy."""

    def check(module: nn.Module, *inputs: Tensor) -> None:
        fresh = copy.deepcopy(module)
        with torch.no_grad():
            for parameter in fresh.parameters():
                parameter.add_(1)
        fresh.load_state_dict(module.state_dict())
        module.eval(), fresh.eval()
        with torch.no_grad():
            together, alone, copied = flat(module(*inputs)), flat(module(*(x[:1] for x in inputs))), flat(fresh(*inputs))
        assert len(together) == len(alone) == len(copied)
        for batch, single, other in zip(together, alone, copied, strict=True):
            assert torch.equal(batch, other)
            torch.testing.assert_close(batch[:1], single, rtol=1e-4, atol=1e-5)

    return check
