"""Descriptors of every query, gallery and held-out image by a trained network."""

from pathlib import Path

import numpy as np

from qafm.companions.slicenet.describe_images import describe_images
from qafm.companions.slicenet.load_weights import load_col780_weights
from qafm.config.runtime import RuntimeConfig
from qafm.config.sliced_net import NetworkConfig
from qafm.evaluation.fuse import unit_rows
from qafm.images.searched_images import load_searched
from qafm.runtime.torch_setup import place, prepare_torch
from qafm.tables.descriptors import descriptors_table
from qafm.tables.parquet import write_parquet


def embed_slicenet(images: Path, weights: Path, config: NetworkConfig, runtime: RuntimeConfig, *, sign: bool, out: Path) -> None:
    """Embed every query, gallery and held-out image, junk left out.

    Args:
        images: images.parquet.
        weights: of `train_slicenet`, or trained elsewhere.
        config: which network, at which size.
        runtime: threads, device, precision.
        sign: keep the sign of each value alone. The original's notebooks store descriptors as [1, 1, 128] and divide them by their norm along the first
            axis, which leaves x / |x|; a value of 0, where that is not a number, stays 0 here.
        out: descriptors.parquet.

    Raises:
        InputError: an input is damaged, there is no query, gallery or held-out image, or the weights do not fit the configuration.
    """
    device = prepare_torch(runtime)
    model = place(load_col780_weights(weights, config), device)
    data = load_searched(images, config.height, config.width)
    vectors = describe_images(model, data.pixels, device, runtime)
    write_parquet(out, descriptors_table(data.image_ids, data.splits.tolist(), unit_rows(np.sign(vectors)) if sign else vectors))
