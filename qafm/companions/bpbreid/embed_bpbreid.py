"""Companion c3: what BPBReID makes of every query and gallery image, seen whole and in part, and where it looks.

N images, E embeddings that are compared (the foreground, then K parts), D their length.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from qafm.companions.bpbreid.attention import visibility
from qafm.companions.bpbreid.part_fields import find_fields, part_names
from qafm.companions.bpbreid.part_labels import enlarge_maps, map_labels, read_part_maps
from qafm.companions.bpbreid.part_model import PartReid
from qafm.companions.bpbreid.part_tables import embeddings_table, maps_table
from qafm.companions.bpbreid.searched_views import Batch, searched_rows, view_batches
from qafm.companions.bpbreid.views import SEARCHED, Halves, View
from qafm.config.bpbreid import PartModelConfig, Variant
from qafm.config.runtime import RuntimeConfig
from qafm.evaluation.fuse import unit_rows
from qafm.images.network_input import normalize
from qafm.models.fold_batch_norms import fold_batch_norms
from qafm.models.weights import load_into, load_weights
from qafm.runtime.files import write_json
from qafm.runtime.torch_setup import autocast, place, prepare_torch
from qafm.tables.descriptors import descriptors_table
from qafm.tables.parquet import write_parquet

FOREGROUND = "foreground"


@dataclass(frozen=True)
class PartOutputs:
    """Where `embed_bpbreid` writes.

    Attributes:
        views: an embeddings table per view.
        descriptors: descriptors.parquet of the foreground alone, the whole images.
        maps: the part maps of the whole images.
        summary: JSON: names of what is compared, number of parameters, how often each part is visible, and the confusion of predicted and true parts.
    """

    views: Mapping[View, Path]
    descriptors: Path
    maps: Path
    summary: Path


def embed_bpbreid(
    images: Path,
    weights: Path,
    masks: Path | None,
    variant: Variant,
    config: PartModelConfig,
    runtime: RuntimeConfig,
    halves: Halves,
    outputs: PartOutputs,
) -> None:
    """Embed every query and gallery image, junk left out; the gallery only in the views that are searched.

    Args:
        images: images.parquet.
        weights: of the trained model.
        masks: folder of the part masks that the predicted ones are compared with; None: they are not.
        variant: what was trained.
        config: backbone and parts.
        runtime: threads, device, precision.
        halves: how a half of an image is shown, see `take_view`.
        outputs: the files to write.

    Raises:
        InputError: the weights do not fit, an image or a mask cannot be read, or there is nothing to embed.
    """
    device = prepare_torch(runtime)
    model = load_part_model(weights, variant, config)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    model = place(fold_batch_norms(model), device)
    truth = _Truth(masks, config, model.num_parts)
    names = compared_names(variant, config, model.num_parts)
    summary = {"compared": names, "parameters": parameters}
    for view, path in outputs.views.items():
        rows = searched_rows(images, both=view in SEARCHED)
        batches = view_batches(rows, view, halves, config.backbone.height, config.backbone.width)
        found = embed_view(model, rows, batches, device, runtime, truth if view == "full" else None)
        write_parquet(path, embeddings_table(found.image_ids, found.splits, found.vectors, found.visible, found.confidence))
        if view == "full":
            write_parquet(outputs.descriptors, descriptors_table(found.image_ids, found.splits, unit_rows(found.vectors[:, 0])))
            write_parquet(outputs.maps, maps_table(found.image_ids, found.maps))
            summary |= {"visible_percent": [round(100 * float(share), 2) for share in found.visible.mean(axis=0)]}
    write_json(outputs.summary, summary | {"with_masks": truth.images, "confusion": truth.confusion.tolist() if truth.images else None})


def compared_names(variant: Variant, config: PartModelConfig, parts: int) -> list[str]:
    """What the embeddings that are compared are of; maps learned without labels have numbers instead of names."""
    if variant == "masks":
        return [FOREGROUND, *part_names(config.parts.grouping)]
    return [FOREGROUND, *(f"{'part' if variant == 'learned' else 'stripe'} {i}" for i in range(1, parts + 1))]


def load_part_model(weights: Path, variant: Variant, config: PartModelConfig) -> PartReid:
    """The trained model in eval mode.

    Raises:
        InputError: the weights cannot be read or do not fit the configuration.
    """
    tensors, _ = load_weights(weights)
    classifier = tensors.get("whole_neck.classifier.weight")
    model = PartReid(config, variant, 0 if classifier is None else len(classifier))
    load_into(model, tensors, weights, "the configured model")
    return model.eval()


@dataclass(frozen=True)
class EmbeddedView:
    """What is compared of N images, and their part maps."""

    image_ids: list[str]
    splits: list[str]
    vectors: np.ndarray  # float32 [N, E, D]
    visible: np.ndarray  # bool [N, E]
    confidence: np.ndarray  # float32 [N, E]
    maps: np.ndarray  # uint8 [N, K, h, w]


@torch.no_grad()
def embed_view(
    model: PartReid, rows: pa.Table, batches: Iterable[Batch], device: torch.device, runtime: RuntimeConfig, truth: "_Truth | None" = None
) -> EmbeddedView:
    """Embed the images of `rows`. Compared are the foreground after its BNNeck, always visible, and the parts before theirs, L2-normalised at test time.

    Args:
        model: in eval mode, on the device.
        rows: columns as in images.parquet; at least one row.
        batches: of `view_batches` for these rows.
        device: where the model is.
        runtime: precision.
        truth: is told what parts were found.
    """
    names = rows["image_id"].to_pylist()
    found: list[tuple[np.ndarray, ...]] = []
    for batch, pixels in batches:
        with autocast(device, runtime):
            output = model(normalize(pixels.to(device)))
        vectors = torch.cat([output.foreground.normalized[:, None], output.parts.vector], dim=1).float()  # [N, E, D]
        seen = visibility(output.maps)
        always = torch.ones_like(seen.confidence[:, :1])
        visible, confidence = torch.cat([always.bool(), seen.visible], dim=1), torch.cat([always, seen.confidence], dim=1)  # [N, E]
        maps = (output.maps[:, 1:] * 255).round().to(torch.uint8)
        found.append(tuple(tensor.cpu().numpy() for tensor in (vectors, visible, confidence, maps)))
        if truth is not None:
            truth.compare(names[batch], output.maps.argmax(dim=1).cpu())
    vectors, visible, confidence, maps = (np.concatenate(column) for column in zip(*found, strict=True))
    return EmbeddedView(names, rows["split"].to_pylist(), vectors, visible, confidence, maps)


class _Truth:
    """Counts which part the model sees where the masks show which, on the model's own grid."""

    def __init__(self, masks: Path | None, config: PartModelConfig, parts: int) -> None:
        comparable = parts == len(part_names(config.parts.grouping))
        self.masks, self.config, self.images = masks if comparable else None, config, 0
        self.confusion = np.zeros((parts + 1, parts + 1), np.int64)  # [true, predicted]

    def compare(self, image_ids: list[str], predicted: torch.Tensor) -> None:
        """Add images with their predicted parts, int64 [N, h, w]; those without a mask file are left out, and not counted in `images`."""
        backbone, classes = self.config.backbone, len(self.confusion)
        for image_id, labels in zip(image_ids, predicted, strict=True):
            path = None if self.masks is None else find_fields(self.masks, image_id)
            if path is None:
                continue
            maps = read_part_maps(path, self.config.parts.grouping, backbone.height, backbone.width)
            true = map_labels(enlarge_maps(maps[None], backbone.height, backbone.width), *labels.shape)[0]  # [h, w]
            self.confusion += np.bincount((true * classes + labels).flatten().numpy(), minlength=classes**2).reshape(classes, classes)
            self.images += 1
