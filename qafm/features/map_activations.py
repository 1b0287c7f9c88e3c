"""Figure 8: what both backbones respond to in the images of example pairs, and which places of an image drive its match.

The paper shows the first alone: channel means of the last map of either backbone, without any decision. The second is Grad-CAM (Selvaraju et al. 2017,
by captum) of the similarity that ranks: the cosine of the image's fused descriptor, at its own weight, and the other image's, held constant.

Grad-CAM is taken at the last map of each branch that is there as one: the LTN's output, whose mean is the only thing that v_a sees, and APAN's projection,
the map that all ConvLSTM steps read (their hidden maps are a dozen). Maps taken earlier mark places less sharply.

Shapes: a pair has N = 2 images; C channels, h x w a map, D the length of the descriptor.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn

from qafm.config.fusion import FusedModelConfig
from qafm.config.runtime import RuntimeConfig
from qafm.errors import InputError
from qafm.features.embed_images import load_qafm, visual_weights
from qafm.images.image_set import load_image_set, select_rows
from qafm.images.network_input import normalize
from qafm.models.fusion import FusionHead
from qafm.models.qafm import Qafm
from qafm.runtime.torch_setup import place, prepare_torch
from qafm.tables.activation_maps import ACTIVATION_MAPS_SCHEMA, ROLES
from qafm.tables.examples import read_examples
from qafm.tables.parquet import write_parquet
from qafm.tables.quality import read_quality


class PairMaps(NamedTuple):
    """The maps of both images of a pair and what their similarity is made of."""

    maps: dict[str, Tensor]  # kind -> [N, h, w], in the order of tables.activation_maps.KINDS
    similarity: float  # cosine of both descriptors
    visual_part: Tensor | None  # [N], see the table's schema; None with a ReLU in the head


def map_activations(
    examples: Path,
    images: Path,
    quality: Path,
    weights: Path,
    config: FusedModelConfig,
    runtime: RuntimeConfig,
    out: Path,
) -> None:
    """Write the activation and match maps of both images of every example, in float32 whatever the configured precision.

    Args:
        examples: examples.json; one whose query has no match to map is left out.
        images: images.parquet.
        quality: quality.parquet, from which each image gets its weight.
        weights: the trained model.
        config: of the model.
        runtime: threads and device.
        out: parquet to write, see tables.activation_maps.

    Raises:
        InputError: an image_id is unknown or junk, or an input is damaged or does not fit.
    """
    pairs = [(example.kind, example.query, example.match) for example in read_examples(examples).values() if example.match is not None]
    rows = select_rows(images)
    row_of = {image_id: row for row, image_id in enumerate(rows["image_id"].to_pylist())}
    for name, *image_ids in pairs:
        for image_id in image_ids:
            if image_id not in row_of:
                raise InputError(f"{images}: holds no image {image_id!r} that could be ranked, wanted as example {name!r}")
    device = prepare_torch(runtime.model_copy(update={"precision": "fp32"}))  # else a GPU may round to TF32
    model = place(load_qafm(weights, config), device).requires_grad_(False)
    table: list[dict[str, Any]] = []
    backbone = config.architecture.backbone
    for name, *image_ids in pairs:
        data = load_image_set(rows.take([row_of[image_id] for image_id in image_ids]), backbone.height, backbone.width)
        w = visual_weights(model, read_quality(quality, image_ids), config)
        table += _rows(name, image_ids, w, map_pair(model, normalize(data.pixels.to(device)), torch.from_numpy(w).float().to(device)))
    write_parquet(out, pa.Table.from_pylist(table, schema=ACTIVATION_MAPS_SCHEMA))


@torch.no_grad()
def map_pair(model: Qafm, batch: Tensor, w: Tensor) -> PairMaps:
    """Map both images of a pair.

    Args:
        model: in eval mode.
        batch: normalised images [2, 3, H, W].
        w: their visual weights [2].
    """
    apn, apan, head = model.visual.apn, model.attribute.apan, model.head
    visual, attribute = model.visual.backbone(batch), model.attribute.backbone(batch)  # [N, C, h, w] each
    v_a, v_s = apn(visual).v_a, apan(attribute).v_s  # [N, Da], [N, Ds]
    descriptor = head(v_a, v_s, w).descriptor  # [N, D]
    other = descriptor.flip(0)  # [N, D], the descriptor each image is compared with

    def through_visual(x: Tensor) -> Tensor:
        return (head(apn(x).v_a, v_s, w).descriptor * other).sum(dim=1)  # [N]

    def through_attribute(x: Tensor) -> Tensor:
        return (head(v_a, apan(x).v_s, w).descriptor * other).sum(dim=1)  # [N]

    maps = {
        "visual_activation": visual.mean(dim=1),  # [N, h, w]
        "attribute_activation": attribute.mean(dim=1),
        "visual_match": _grad_cam(through_visual, apn.ltn, visual),
        "attribute_match": _grad_cam(through_attribute, apan.project, attribute),
    }
    return PairMaps(maps, float((descriptor[0].double() * descriptor[1].double()).sum()), _visual_part(head, v_a, v_s, w, other))


def _grad_cam(similarity: Callable[[Tensor], Tensor], layer: nn.Module, x: Tensor) -> Tensor:
    """Positive part of Grad-CAM of `similarity`(x) at `layer`, [N, h, w].

    captum averages the gradient over the places of the map; here it is summed, so that a map's values do not depend on its size: the value of a place is
    what the branch would add to the similarity, to first order, if all of the map looked like it. So both branches share one scale.
    """
    cam = LayerGradCam(similarity, layer).attribute(x, relu_attributions=True)
    assert isinstance(cam, Tensor)
    return cam[:, 0].detach() * cam[0, 0].numel()  # [N, 1, h, w] -> [N, h, w]


def _visual_part(head: FusionHead, v_a: Tensor, v_s: Tensor, w: Tensor, other: Tensor) -> Tensor | None:
    """The visual summand of every image's similarity [N]: before L2 a linear head's descriptor is w A + (1-w) B (evaluation/fuse.py)."""
    if head.fc_norm is not None:
        return None
    if head.normalize:
        v_a, v_s = nn.functional.normalize(v_a, dim=1), nn.functional.normalize(v_s, dim=1)
    weight, scale, shift = (head.export()[name].to(v_a.device) for name in ("fc_weight", "fc_scale", "fc_shift"))
    visual = w[:, None] * (v_a @ weight[:, : v_a.shape[1]].T * scale + shift)  # [N, D]
    attribute = (1 - w)[:, None] * (v_s @ weight[:, v_a.shape[1] :].T * scale + shift)  # [N, D]
    length = torch.linalg.vector_norm(visual + attribute, dim=1).clamp_min(torch.finfo(w.dtype).tiny)
    return (visual * other).sum(dim=1) / length


def _rows(name: str, image_ids: Sequence[str], w: np.ndarray, pair: PairMaps) -> list[dict[str, Any]]:
    """Rows of the table: four per image, the query's first."""
    parts = [None, None] if pair.visual_part is None else pair.visual_part.double().tolist()
    rows = []
    for i, role in enumerate(ROLES):
        known = {"example": name, "role": role, "image_id": image_ids[i], "other_id": image_ids[1 - i]}
        numbers = {"similarity": pair.similarity, "visual_weight": float(w[i]), "visual_part": parts[i]}
        for kind, maps in pair.maps.items():
            values = maps[i].float().cpu()  # [h, w]
            rows.append({**known, **numbers, "kind": kind, "height": values.shape[0], "width": values.shape[1], "values": values.flatten().numpy()})
    return rows
