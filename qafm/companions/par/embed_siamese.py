"""Companion c1: the siamese network's descriptors of validation, query and gallery images."""

from pathlib import Path

from qafm.companions.par.siamese_network import SiameseNetwork
from qafm.companions.par.split_images import load_validation_and_test
from qafm.config.backbone import BackboneConfig
from qafm.config.par import IdentitySplitConfig
from qafm.config.runtime import RuntimeConfig
from qafm.images.forward import forward_all
from qafm.models.fold_batch_norms import fold_batch_norms
from qafm.models.weights import load_into, load_weights
from qafm.runtime.torch_setup import place, prepare_torch
from qafm.tables.descriptors import descriptors_table
from qafm.tables.parquet import write_parquet


def embed_siamese(images: Path, weights: Path, backbone: BackboneConfig, split: IdentitySplitConfig, runtime: RuntimeConfig, out: Path) -> None:
    """Write descriptors.parquet; its split `holdout` is the validation identities.

    Args:
        images: images.parquet.
        weights: of `train_siamese`.
        backbone: of the network.
        split: which train identities validate.
        runtime: threads, device, precision.
        out: descriptors.parquet to write.

    Raises:
        InputError: an input is damaged, or the weights do not fit the configuration.
    """
    device = prepare_torch(runtime)
    model = place(load_siamese(weights, backbone), device)
    data = load_validation_and_test(images, backbone, split)
    write_parquet(out, descriptors_table(data.image_ids, list(data.splits), forward_all(model, data.pixels, device, runtime).numpy()))


def load_siamese(weights: Path, backbone: BackboneConfig) -> SiameseNetwork:
    """The trained network in eval mode.

    Raises:
        InputError: the weights cannot be read or do not fit.
    """
    tensors, _ = load_weights(weights)
    model = SiameseNetwork(backbone, len(tensors["project.1.weight"]) if "project.1.weight" in tensors else 1)
    load_into(model, tensors, weights, "the configured siamese network")
    return fold_batch_norms(model.eval())
