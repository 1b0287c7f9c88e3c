"""Companion c3: the Bag-of-Tricks baseline's descriptor of people seen whole and in part, in the form of part embeddings with one part."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from qafm.companions.bpbreid.part_tables import descriptors_as_parts
from qafm.companions.bpbreid.searched_views import searched_rows, view_batches
from qafm.companions.bpbreid.views import SEARCHED, Halves, View
from qafm.config.backbone import BackboneConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.embed_baseline import baseline_descriptors
from qafm.features.load_baseline import load_baseline
from qafm.runtime.torch_setup import place, prepare_torch
from qafm.tables.parquet import write_parquet


def embed_views(images: Path, weights: Path, config: BackboneConfig, runtime: RuntimeConfig, halves: Halves, outs: Mapping[View, Path]) -> None:
    """Embed every query and gallery image, junk left out; the gallery only in the views that are searched.

    Args:
        images: images.parquet.
        weights: the trained baseline.
        config: its backbone and input size.
        runtime: threads, device, precision.
        halves: how a half of an image is shown, see `take_view`.
        outs: an embeddings table per view.

    Raises:
        InputError: an input is damaged or does not fit, or there is nothing to embed.
    """
    device = prepare_torch(runtime)
    model = place(load_baseline(weights, config), device)
    for view, out in outs.items():
        rows = searched_rows(images, both=view in SEARCHED)
        batches = view_batches(rows, view, halves, config.height, config.width)
        vectors = np.concatenate([baseline_descriptors(model, pixels.to(device), device, runtime) for _, pixels in batches])  # [N, C]
        write_parquet(out, descriptors_as_parts(rows["image_id"].to_pylist(), rows["split"].to_pylist(), vectors))
