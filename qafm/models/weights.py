"""Weights on disk: safetensors, with the settings, seed and code digest they came from in the header."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from qafm.errors import InputError, one_line
from qafm.runtime.files import whole_file

TOLD = 200  # characters of what does not fit: torch lists every tensor


def save_weights(path: Path, tensors: dict[str, torch.Tensor], provenance: dict[str, Any]) -> None:
    """Write tensors and their provenance, whole or not at all; the same content gives the same bytes.

    Raises:
        OSError: it cannot be written; a full disk names the file.
    """
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with whole_file(path) as temporary:
        temporary.write_bytes(save(plain, {"provenance": json.dumps(provenance, sort_keys=True)}))  # save_file would not tell a full disk from any other error


def load_weights(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read tensors and provenance written by `save_weights`.

    Raises:
        InputError: the file is missing or no safetensors file.
    """
    with _opened(path) as stream:
        return {name: stream.get_tensor(name) for name in stream.keys()}, _provenance(stream)  # noqa: SIM118


def load_provenance(path: Path) -> dict[str, Any]:
    """The provenance alone, without reading the tensors.

    Raises:
        InputError: the file is missing or no safetensors file.
    """
    with _opened(path) as stream:
        return _provenance(stream)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as stream:
            yield stream
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be read as weights ({error})") from error


def _provenance(stream: Any) -> dict[str, Any]:
    return json.loads((stream.metadata() or {}).get("provenance", "{}"))


def load_into(module: torch.nn.Module, tensors: dict[str, torch.Tensor], path: Path, fits: str) -> None:
    """Load all of `tensors` into `module`, strictly.

    Args:
        module: the network that `tensors` are the weights of.
        tensors: by name.
        path: the file they came from, for the message.
        fits: what they should fit, for the message: "the configured model".

    Raises:
        InputError: names or shapes do not fit; the message names `path` and the first differences.
    """
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise InputError(f"{path}: does not fit {fits} ({one_line(' '.join(str(error).splitlines()[1:]), TOLD)})") from error


def load_part(module: torch.nn.Module, tensors: dict[str, torch.Tensor], prefix: str, path: Path) -> None:
    """Load the tensors whose names start with `prefix.` into `module`, strictly.

    Raises:
        InputError: names or shapes do not fit; the message names `path`, `prefix` and the first differences.
    """
    part = {name.removeprefix(f"{prefix}."): value for name, value in tensors.items() if name.startswith(f"{prefix}.")}
    load_into(module, part, path, f"the {prefix!r} of the configured model")
