"""Weights in our own layout and in COL780's, from safetensors and from torch files; everything else ends in one line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from qafm.companions.slicenet.load_weights import COL780_NAMES, COL780_NORMALISATION, load_col780_weights
from qafm.companions.slicenet.sliced_net import SlicedNet
from qafm.config.sliced_net import NetworkConfig
from qafm.errors import InputError

CONFIG = NetworkConfig(network="slicenet2", height=32, width=16, slices=2)
Tensors = dict[str, torch.Tensor]


@pytest.fixture
def model() -> SlicedNet:
    torch.manual_seed(0)
    model = SlicedNet(CONFIG, 5).train()
    model(torch.randint(0, 256, (4, 3, 32, 16), dtype=torch.uint8))  # other statistics than the neutral ones
    model.mean, model.std = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.4, 0.5, 0.6])
    return model


def foreign(model: SlicedNet) -> Tensors:
    """The state in COL780's names, without normalisation."""
    back = {here: there for there, here in COL780_NAMES.items()}
    found = {}
    for name, tensor in model.state_dict().items():
        if name not in COL780_NORMALISATION:
            known = next(here for here in sorted(back, key=len, reverse=True) if name == here or name.startswith(f"{here}."))
            found[back[known] + name.removeprefix(known)] = tensor
    return found


def same(loaded: SlicedNet, model: SlicedNet, *, but: tuple[str, ...] = ()) -> bool:
    states = loaded.state_dict(), model.state_dict()
    return states[0].keys() == states[1].keys() and all(torch.equal(states[0][name], states[1][name]) for name in states[0] if name not in but)


def test_own_weights_bring_their_normalisation(tmp_path: Path, model: SlicedNet) -> None:
    save_file(model.state_dict(), tmp_path / "own.safetensors")
    loaded = load_col780_weights(tmp_path / "own.safetensors", CONFIG)
    assert same(loaded, model) and not loaded.training
    pixels = torch.randint(0, 256, (2, 3, 32, 16), dtype=torch.uint8)
    assert torch.equal(loaded(pixels).vector, model.eval()(pixels).vector)


@pytest.mark.parametrize("container", [None, "state_dict", "model_state_dict", "model"])
@pytest.mark.parametrize("parallel", ["", "module."])
def test_foreign_weights_load_strictly(tmp_path: Path, model: SlicedNet, container: str | None, parallel: str) -> None:
    tensors = {f"{parallel}{name}": tensor for name, tensor in foreign(model).items()}
    assert {f"{parallel}{name}" for name in ("conv_1.0.weight", "r4.conv_1.bias", "r6.shortcut.weight", "dense_10.3.running_var", "W", "kappa")} <= set(tensors)
    torch.save({container: tensors, "epoch": 100} if container else tensors, tmp_path / "foreign.pth")
    loaded = load_col780_weights(tmp_path / "foreign.pth", CONFIG)
    assert same(loaded, model, but=("mean", "std"))
    assert loaded.mean.tolist() == pytest.approx(COL780_NORMALISATION["mean"]) and loaded.std.tolist() == pytest.approx(COL780_NORMALISATION["std"])


def test_foreign_safetensors_and_other_names(tmp_path: Path, model: SlicedNet) -> None:
    save_file(foreign(model), tmp_path / "foreign.safetensors")
    assert same(load_col780_weights(tmp_path / "foreign.safetensors", CONFIG), model, but=("mean", "std"))
    renamed = {f"net.{name}": tensor for name, tensor in foreign(model).items()}
    save_file(renamed, tmp_path / "renamed.safetensors")
    with pytest.raises(InputError, match="holds no classifier"):
        load_col780_weights(tmp_path / "renamed.safetensors", CONFIG)
    names = {f"net.{there}": here for there, here in COL780_NAMES.items()}
    assert same(load_col780_weights(tmp_path / "renamed.safetensors", CONFIG, names), model, but=("mean", "std"))


def test_old_files_without_batch_counters_and_with_kappa_as_a_list(tmp_path: Path, model: SlicedNet) -> None:
    tensors = {name: tensor for name, tensor in foreign(model).items() if not name.endswith("num_batches_tracked")}
    tensors["kappa"] = tensors["kappa"].reshape(1)
    torch.save(tensors, tmp_path / "old.pth")
    counters = tuple(name for name in model.state_dict() if name.endswith("num_batches_tracked"))
    assert same(load_col780_weights(tmp_path / "old.pth", CONFIG), model, but=("mean", "std", *counters))


def without(*names: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {name: tensor for name, tensor in tensors.items() if name not in names}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("r4.conv_1.weight"), "lacks trunk.r4.conv_1.weight; a slicenet2 of 2 slices was expected"),
        (without("r4.conv_1.weight", "r9.bn_0.bias"), "lacks trunk.r4.conv_1.weight and 1 others"),
        (lambda tensors: tensors | {"extra": torch.zeros(1)}, "has the unknown tensor extra;"),
        (lambda tensors: tensors | {"mean": torch.zeros(3)}, "lacks std;"),
        (lambda tensors: tensors | {"dense_10.2.bias": torch.zeros(32)}, r"dense_10.linear.bias has the shape [32], expected [64] for a slicenet2 of 2 slices"),
        (lambda tensors: tensors | {"trunk.conv_1.bias": torch.zeros(32)}, "two of its tensors would be trunk.conv_1.bias"),
        (without("W"), "holds no classifier of 128 x identities"),
        (lambda tensors: tensors | {"W": torch.zeros(5, 128)}, "holds no classifier of 128 x identities"),
    ],
)
def test_weights_that_do_not_fit_are_one_line(tmp_path: Path, model: SlicedNet, change: Callable[[Tensors], Tensors], message: str) -> None:
    torch.save(change(foreign(model)), tmp_path / "bad.pth")
    with pytest.raises(InputError, match=rf"bad\.pth: {re.escape(message)}") as error:
        load_col780_weights(tmp_path / "bad.pth", CONFIG)
    assert "\n" not in str(error.value)


class Unsafe:
    """Something that only a pickle could hold."""


@pytest.mark.parametrize(
    ("content", "message"),
    [({"a": Unsafe()}, "cannot be read as a torch file of tensors only"), ({"a": 1}, "holds no tensors by name"), ([], "holds no tensors by name")],
)
def test_files_of_other_things(tmp_path: Path, content: Any, message: str) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(InputError, match=rf"other\.pth: {message}") as error:
        load_col780_weights(tmp_path / "other.pth", CONFIG)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["torn.pth", "torn.safetensors"])
def test_torn_and_missing_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=re.escape(name)):
        load_col780_weights(tmp_path / name, CONFIG)
    (tmp_path / name).write_bytes(b"torn")
    with pytest.raises(InputError, match=re.escape(name)) as error:
        load_col780_weights(tmp_path / name, CONFIG)
    assert "\n" not in str(error.value)
