"""Which tensors of a trained network a bundle keeps, in which type, and the digest of its files.

What only training needs goes: the identity classifiers become empty ([0, D], so that the networks load as ever), the stripes of APN go altogether.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import torch

from qafm.config.bundle import Dtype
from qafm.config.fusion import ArchitectureConfig
from qafm.errors import InputError
from qafm.runtime.files import file_sha256

IDENTITY_CLASSIFIERS = ("visual.apn.neck.classifier.weight", "attribute.apan.neck.classifier.weight", "head.neck.classifier.weight", "neck.classifier.weight")
STRIPES = ("visual.apn.horizontal.", "visual.apn.vertical.")
KEPT_EXACT = "weight_mlp."  # 97 parameters, which w depends on


def without_stripes(architecture: ArchitectureConfig) -> ArchitectureConfig:
    """The architecture whose stripe classifiers are dropped."""
    return architecture.model_copy(update={"apn": architecture.apn.model_copy(update={"horizontal_stripes": 0, "vertical_stripes": 0})})


def stored_weights(tensors: dict[str, torch.Tensor], dtype: Dtype) -> dict[str, torch.Tensor]:
    """The tensors that are needed to use a network.

    Args:
        tensors: state dict of a Qafm or a ReidBaseline.
        dtype: of weights with two axes or more. What has one (biases, batch norm: its variances would underflow in float16) and the MLP of the weight
            keep their type.
    """
    kept = {}
    for name, tensor in tensors.items():
        if name in IDENTITY_CLASSIFIERS:
            kept[name] = tensor[:0].to(getattr(torch, dtype))
        elif not name.startswith(STRIPES):
            narrow = tensor.is_floating_point() and tensor.ndim > 1 and not name.startswith(KEPT_EXACT)
            kept[name] = tensor.to(getattr(torch, dtype)) if narrow else tensor
    return kept


def weights_digest(files: Iterable[Path]) -> str:
    """Hex SHA-256 over the weight files of a bundle, in the order given. Their headers hold the settings that belong to them, so these count too.

    Raises:
        InputError: a file cannot be read.
    """
    found = hashlib.sha256()
    for path in files:
        try:
            found.update(file_sha256(path).encode())
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    return found.hexdigest()
