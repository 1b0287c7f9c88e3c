"""Weights of the three networks from a file: our own, or trained elsewhere with COL780's layout (docs/companions.md lists its names)."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from qafm.companions.slicenet.sliced_net import SlicedNet
from qafm.config.sliced_net import EMBEDDING, NetworkConfig
from qafm.errors import InputError
from qafm.models.weights import load_weights

# Name in the file -> name here, for whole names and for what precedes a dot. A name that is not listed stays as it is.
COL780_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "conv_1.0": "trunk.conv_1",
        "conv_1.1": "trunk.bn_1",
        "conv_2.0": "trunk.conv_2",
        "conv_2.1": "trunk.bn_2",
        **{f"r{number}": f"trunk.r{number}" for number in range(4, 10)},
        "dense_10.2": "dense_10.linear",
        "dense_10.3": "dense_10.bn",
        "kappa": "classifier.kappa",
        "W": "classifier.weight",
    }
)
# Of COL780's 992 train images, as published with the original; for files that hold no normalisation.
COL780_NORMALISATION = {"mean": (0.4726, 0.4468, 0.4811), "std": (0.2765, 0.2747, 0.2764)}
_CONTAINERS = ("state_dict", "model_state_dict", "model")
_PARALLEL = "module."  # what torch's DataParallel puts before every name


def load_col780_weights(path: Path, config: NetworkConfig, names: Mapping[str, str] = COL780_NAMES) -> SlicedNet:
    """Build the configured network and load its weights, every one of them; the number of identities is that of the file.

    Args:
        path: a safetensors file (ending .safetensors), or a torch file that holds tensors only, alone or under `state_dict`, `model_state_dict` or `model`.
        config: which network, at which size.
        names: name in the file -> name here.

    Returns:
        The network in eval mode. Where the file has no normalisation, it is that of COL780's train images.

    Raises:
        InputError: the file cannot be read, holds more than tensors, has an unknown or lacks a needed tensor, or one of another shape.
    """
    stored = _read(path)
    tensors = {_renamed(name, names): tensor for name, tensor in stored.items()}
    if len(tensors) != len(stored):
        twice = Counter(_renamed(name, names) for name in stored).most_common(1)[0][0]
        raise InputError(f"{path}: two of its tensors would be {twice}")
    weight = tensors.get("classifier.weight")
    if weight is None or weight.shape[:1] != (EMBEDDING,) or weight.dim() != 2:
        raise InputError(f"{path}: holds no classifier of {EMBEDDING} x identities (classifier.weight)")
    model = SlicedNet(config, weight.shape[1])
    expected = model.state_dict()
    tensors = _completed(tensors, expected)
    for what, found in (("lacks", expected.keys() - tensors.keys()), ("has the unknown tensor", tensors.keys() - expected.keys())):
        if found:
            more = f" and {len(found) - 1} others" if len(found) > 1 else ""
            raise InputError(f"{path}: {what} {min(found)}{more}; a {config.network} of {config.slices} slices was expected")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            shapes = f"{list(tensor.shape)}, expected {list(expected[name].shape)}"
            raise InputError(f"{path}: {name} has the shape {shapes} for a {config.network} of {config.slices} slices at {config.height} x {config.width}")
    model.load_state_dict(tensors)
    return model.eval()


def _read(path: Path) -> dict[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        return load_weights(path)[0]
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torn bytes make the unpickler stumble in any way
        raise InputError(f"{path}: cannot be read as a torch file of tensors only ({str(error).splitlines()[0] if str(error) else repr(error)})") from error
    inside = [content[name] for name in _CONTAINERS if isinstance(content, Mapping) and isinstance(content.get(name), Mapping)]
    content = inside[0] if inside else content
    if not isinstance(content, Mapping) or not content or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise InputError(f"{path}: holds no tensors by name")
    return dict(content)


def _renamed(name: str, names: Mapping[str, str]) -> str:
    """A tensor's name here; the longest listed beginning counts."""
    name = name.removeprefix(_PARALLEL)
    for known in sorted(names, key=len, reverse=True):
        if name == known or name.startswith(f"{known}."):
            return names[known] + name.removeprefix(known)
    return name


def _completed(tensors: dict[str, torch.Tensor], expected: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """With what old files and files from elsewhere do not hold and nobody needs to know: batch counters, COL780's normalisation; kappa as a number."""
    counters = {name: value for name, value in expected.items() if name.endswith("num_batches_tracked")}
    normalisation = {} if COL780_NORMALISATION.keys() & tensors.keys() else {name: torch.tensor(value) for name, value in COL780_NORMALISATION.items()}
    completed = {**counters, **normalisation, **tensors}
    kappa = completed.get("classifier.kappa")
    if kappa is not None and kappa.numel() == 1:
        completed["classifier.kappa"] = kappa.reshape(())
    return completed
