"""Companion c1: the attributes that a trained PAR network sees in validation, query and gallery images."""

import re
from pathlib import Path

import numpy as np
import torch

from qafm.companions.par.par_network import ParNetwork
from qafm.companions.par.predictions import NO_HEAD, predictions_table
from qafm.companions.par.split_images import load_validation_and_test
from qafm.config.backbone import BackboneConfig
from qafm.config.par import IdentitySplitConfig
from qafm.config.runtime import RuntimeConfig
from qafm.images.forward import forward_all
from qafm.models.fold_batch_norms import fold_batch_norms
from qafm.models.weights import load_into, load_weights
from qafm.runtime.torch_setup import place, prepare_torch
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.parquet import write_parquet

_HEAD = re.compile(r"heads\.(\w+)\.1\.weight")


def predict_par(images: Path, weights: Path, backbone: BackboneConfig, split: IdentitySplitConfig, runtime: RuntimeConfig, out: Path) -> None:
    """Write predictions.parquet.

    Args:
        images: images.parquet.
        weights: of `train_par`; they tell which heads there are.
        backbone: of the network.
        split: which train identities validate.
        runtime: threads, device, precision.
        out: predictions.parquet to write.

    Raises:
        InputError: an input is damaged, or the weights do not fit the configuration.
    """
    device = prepare_torch(runtime)
    model = place(load_par(weights, backbone), device)
    data = load_validation_and_test(images, backbone, split)
    answers = forward_all(lambda pixels: torch.stack([values.argmax(dim=1) for values in model(pixels).values()], dim=1), data.pixels, device, runtime)
    codes = np.full((len(data), len(ATTRIBUTE_NAMES)), NO_HEAD, np.int64)
    codes[:, [ATTRIBUTE_NAMES.index(name) for name in model.heads]] = answers.numpy().astype(np.int64)
    sets = ["validation" if split == "train" else split for split in data.splits]
    write_parquet(out, predictions_table(data.image_ids, sets, codes))


def load_par(weights: Path, backbone: BackboneConfig) -> ParNetwork:
    """The trained network in eval mode.

    Raises:
        InputError: the weights cannot be read or do not fit.
    """
    tensors, _ = load_weights(weights)
    heads = {match[1]: len(tensors[name]) for name in tensors if (match := _HEAD.fullmatch(name))}
    model = ParNetwork(backbone, heads, dropout=0.0)
    load_into(model, tensors, weights, "the configured PAR network")
    return fold_batch_norms(model.eval())
