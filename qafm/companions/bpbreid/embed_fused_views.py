"""Companion c3: QAFM's descriptor of people seen whole and in part, each image at its own weight, in the form of part embeddings with one part.

N images, D length of the fused descriptor.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from qafm.companions.bpbreid.part_tables import descriptors_as_parts
from qafm.companions.bpbreid.searched_views import searched_rows, view_pictures
from qafm.companions.bpbreid.views import SEARCHED, Halves, View
from qafm.config.fusion import FusedModelConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.branch_vectors import branch_vectors
from qafm.features.embed_images import load_qafm, visual_weights
from qafm.features.new_images import QSource, q_of, resized
from qafm.models.qafm import Qafm
from qafm.runtime.torch_setup import place, prepare_torch
from qafm.tables.parquet import write_parquet
from qafm.tables.quality import read_quality


def embed_fused_views(
    images: Path,
    quality: Path,
    weights: Path,
    q_source: QSource | None,
    config: FusedModelConfig,
    runtime: RuntimeConfig,
    halves: Halves,
    outs: Mapping[View, Path],
) -> None:
    """Embed every query and gallery image, junk left out; the gallery only in the views that are searched.

    A part of an image has a Q of its own, computed from the part; whole images have theirs already.

    Args:
        images: images.parquet.
        quality: quality.parquet, of the whole images.
        weights: the trained model.
        q_source: how Q of a part is computed; None where the run takes Q from a file: a part has the weight of the mean Q then.
        config: of the model.
        runtime: threads, device, precision.
        halves: how a half of an image is shown, see `take_view`.
        outs: an embeddings table per view.

    Raises:
        InputError: an input is damaged or does not fit, or there is nothing to embed.
    """
    device = prepare_torch(runtime)
    model = place(load_qafm(weights, config), device)
    extractor = None if q_source is None or config.fixed_weight is not None else q_source.load(device)
    for view, out in outs.items():
        rows = searched_rows(images, both=view in SEARCHED)
        names = rows["image_id"].to_pylist()
        known = read_quality(quality, names) if view == "full" else np.full(len(names), np.nan)
        vectors = []
        for batch, pictures in view_pictures(rows, view, halves):
            q = known[batch]
            if view != "full" and extractor is not None:
                seen = zip(pictures, names[batch], strict=True)
                q = np.array([q_of(picture, name, extractor, device, runtime) for picture, name in seen])
            vectors.append(_descriptors(model, pictures, visual_weights(model, q, config), config, device, runtime))
        write_parquet(out, descriptors_as_parts(names, rows["split"].to_pylist(), np.concatenate(vectors)))


@torch.no_grad()
def _descriptors(
    model: Qafm, pictures: Sequence[np.ndarray], weight: np.ndarray, config: FusedModelConfig, device: torch.device, runtime: RuntimeConfig
) -> np.ndarray:
    """Fused descriptors of pictures at their visual weights, unit float32 [N, D]."""
    v_a, v_s = branch_vectors(model, resized(pictures, config.architecture.backbone), device, runtime)
    found = model.head(v_a, v_s, torch.from_numpy(weight).to(v_a)).descriptor
    return torch.nn.functional.normalize(found.float(), dim=1).cpu().numpy()
