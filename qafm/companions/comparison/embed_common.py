"""Companion c4: descriptors of query, gallery and held-out images by a network that was trained under the common recipe."""

from pathlib import Path

import torch

from qafm.companions.comparison.common_nets import CommonSlicedNet, build_common, common_descriptors
from qafm.companions.par.siamese_network import SiameseNetwork
from qafm.config.common_recipe import CommonNetworkConfig
from qafm.config.runtime import RuntimeConfig
from qafm.images.forward import forward_all
from qafm.images.searched_images import load_searched
from qafm.models.fold_batch_norms import fold_batch_norms
from qafm.models.weights import load_into, load_weights
from qafm.runtime.torch_setup import place, prepare_torch
from qafm.tables.descriptors import descriptors_table
from qafm.tables.parquet import write_parquet


def embed_common(images: Path, weights: Path, config: CommonNetworkConfig, runtime: RuntimeConfig, out: Path) -> None:
    """Embed every query, gallery and held-out image, junk left out.

    Args:
        images: images.parquet.
        weights: of `train_common`.
        config: the network.
        runtime: threads, device, precision.
        out: descriptors.parquet to write.

    Raises:
        InputError: an input is damaged, or the weights do not fit the configuration.
    """
    device = prepare_torch(runtime)
    model = place(load_common(weights, config), device)
    data = load_searched(images, config.backbone.height, config.backbone.width)
    vectors = forward_all(lambda pixels: common_descriptors(model, pixels), data.pixels, device, runtime)
    write_parquet(out, descriptors_table(data.image_ids, list(data.splits), vectors.numpy()))


def load_common(weights: Path, config: CommonNetworkConfig) -> SiameseNetwork | CommonSlicedNet:
    """The trained network in eval mode.

    Raises:
        InputError: the weights cannot be read or do not fit.
    """
    tensors, _ = load_weights(weights)
    classifier = tensors.get("classifier.weight", torch.empty(0, 0))
    model = build_common(config, classifier.shape[-1])
    load_into(model, tensors, weights, "the configured network")
    return fold_batch_norms(model.eval())
