"""BPBReID: one embedding per body part beside those of the whole image, the foreground and the background (Somers et al. 2023, section 3).

Shapes: N images, C channels of the backbone, K parts, D dimensions of an embedding, h x w the feature map.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from qafm.companions.bpbreid.attention import PixelClassifier, Stripes
from qafm.companions.bpbreid.backbones import build_backbone
from qafm.companions.bpbreid.pooling import pool_maps
from qafm.config.bpbreid import PartModelConfig, PartsConfig, Variant
from qafm.models.bnneck import BNNeck


class Embedded(NamedTuple):
    """An embedding before and after its BNNeck."""

    vector: Tensor  # [N, D] or [N, K, D]
    normalized: Tensor  # the same shape
    logits: Tensor  # [N, ids] or [N, K, ids]


class PartOutput(NamedTuple):
    """What BPBReID returns."""

    whole: Embedded
    foreground: Embedded
    background: Embedded
    concatenated: Embedded  # [N, K * D]
    parts: Embedded
    maps: Tensor  # [N, K + 1, h, w]
    attention_logits: Tensor | None  # [N, K + 1, h, w]; None for stripes


class PartReid(nn.Module):
    """Backbone, part attention, pooling, reduction, BNNecks and classifiers.

    Args:
        config: backbone and parts.
        variant: fixed stripes for "stripes", else learned attention: where its labels come from is the training's business.
        num_ids: classes of the identity classifiers.
    """

    def __init__(self, config: PartModelConfig, variant: Variant, num_ids: int) -> None:
        super().__init__()
        parts = config.parts
        self.num_parts, self.parts = config.num_parts(variant), parts
        self.backbone = build_backbone(config.backbone)
        self.before, channels = _reduce_map(self.backbone.out_channels, parts)
        self.attention = Stripes(parts=self.num_parts) if variant == "stripes" else PixelClassifier(channels=channels, parts=self.num_parts)
        self.whole_reduction, dim = _reduce_vector(channels, parts)
        self.foreground_reduction, self.background_reduction, self.part_reduction = (_reduce_vector(channels, parts)[0] for _ in range(3))
        self.whole_neck, self.foreground_neck, self.background_neck = (BNNeck(dim=dim, classes=num_ids) for _ in range(3))
        self.concatenated_neck = BNNeck(dim=self.num_parts * dim, classes=num_ids)
        self.part_necks = nn.ModuleList(BNNeck(dim=dim, classes=num_ids) for _ in range(1 if parts.shared_classifier else self.num_parts))

    def forward(self, images: Tensor) -> PartOutput:
        """Embed normalised images [N, 3, H, W]; at least 2 of them in training."""
        features = self.before(self.backbone(images))  # [N, C, h, w]
        maps, logits = self.attention(features)  # [N, K + 1, h, w]
        foreground = maps[:, 1:].amax(dim=1, keepdim=True)  # [N, 1, h, w]
        beside = pool_maps(features, torch.cat([foreground, maps[:, :1]], dim=1), "gap")  # [N, 2, C]
        vectors = self.part_reduction(pool_maps(features, maps[:, 1:], self.parts.pooling).flatten(0, 1)).unflatten(0, (-1, self.num_parts))  # [N, K, D]
        return PartOutput(
            whole=_embed(self.whole_reduction(features.mean(dim=(2, 3))), self.whole_neck),
            foreground=_embed(self.foreground_reduction(beside[:, 0]), self.foreground_neck),
            background=_embed(self.background_reduction(beside[:, 1]), self.background_neck),
            concatenated=_embed(vectors.flatten(1), self.concatenated_neck),
            parts=self._embed_parts(vectors),
            maps=maps,
            attention_logits=logits,
        )

    def _embed_parts(self, vectors: Tensor) -> Embedded:
        """BNNeck and classifier of each part, or one for all."""
        if len(self.part_necks) == 1:
            shared = self.part_necks[0](vectors.flatten(0, 1))
            return Embedded(vectors, *(found.unflatten(0, (-1, self.num_parts)) for found in shared))
        found = [neck(vectors[:, part]) for part, neck in enumerate(self.part_necks)]
        return Embedded(vectors, torch.stack([neck.normalized for neck in found], dim=1), torch.stack([neck.logits for neck in found], dim=1))


def _embed(vector: Tensor, neck: nn.Module) -> Embedded:
    return Embedded(vector, *neck(vector))


def _reduce_map(channels: int, parts: PartsConfig) -> tuple[nn.Module, int]:
    """What stands before attention and pooling, and the number of channels it gives."""
    if parts.reduction not in ("before_pooling", "before_and_after"):
        return nn.Identity(), channels
    width = parts.dim if parts.reduction == "before_pooling" else 2 * parts.dim
    return nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()), width


def _reduce_vector(channels: int, parts: PartsConfig) -> tuple[nn.Module, int]:
    """What stands behind the pooling, and the length it gives."""
    if parts.reduction not in ("after_pooling", "before_and_after"):
        return nn.Dropout(parts.dropout), channels
    return nn.Sequential(nn.Linear(channels, parts.dim, bias=False), nn.BatchNorm1d(parts.dim), nn.ReLU(), nn.Dropout(parts.dropout)), parts.dim
