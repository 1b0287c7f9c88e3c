"""ImageNet weights for a trunk: torchvision's. Apart, because importing torchvision takes seconds, which a network that only describes need not wait for."""

import pickle
from http.client import HTTPException
from pathlib import Path

import torch
from torchvision.models import get_model_weights

from qafm.errors import InputError
from qafm.models.resnet import ResNetTrunk, load_trunk


def load_imagenet(trunk: ResNetTrunk, name: str) -> None:
    """Load torchvision's official ImageNet weights (its DEFAULT: IMAGENET1K_V2 for ResNet-50) into the trunk.

    The file is taken from torch's hub folder, or downloaded into it.

    Raises:
        InputError: no such weights, no network and no file, a damaged file, or another architecture.
    """
    if name == "resnet10":
        raise InputError("imagenet weights of resnet10: there are none; set backbone.init to random or extractor")
    weights = get_model_weights(name)["DEFAULT"]
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    file = weights.url.rsplit("/", maxsplit=1)[-1]
    try:
        state = weights.get_state_dict(progress=True, check_hash=True, map_location="cpu", weights_only=True)
    except (OSError, HTTPException) as error:
        raise InputError(
            f"imagenet weights of {name}: cannot be downloaded or found in {folder}; set backbone.init to random or extractor, or place the file {file} there"
        ) from error
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise InputError(f"{folder / file}: damaged, remove it to download it again, or set backbone.init to random or extractor") from error
    load_trunk(trunk, {key: value for key, value in state.items() if not key.startswith("fc.")})
