"""The compared systems as they work at test time, with random weights: what a descriptor costs does not depend on what was learned.

Shapes: N images, H W the input size, D length of a descriptor.
"""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from qafm.companions.bpbreid.part_model import PartReid
from qafm.companions.comparison.common_nets import build_common, common_descriptors
from qafm.companions.slicenet.sliced_net import SlicedNet
from qafm.config.compared import CommonNetwork, ComparedNetwork, FusedNetwork, PartNetwork, PlainNetwork, SlicedNetwork
from qafm.features.new_images import Extractor
from qafm.images.network_input import normalize
from qafm.models.qafm import Qafm
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weight_mlp import WeightMlp

Describe = Callable[[Tensor, Tensor], Tensor]


class ComparedModel(NamedTuple):
    """One system.

    Attributes:
        networks: all but the extractor behind Q, in eval mode.
        describe: uint8 images [N, 3, H, W] and Q [N], which systems without a learned weight do not look at, -> descriptors [N, D].
        extractor: the network behind Q; None where the descriptor needs no Q.
    """

    networks: nn.ModuleList
    describe: Describe
    extractor: Extractor | None = None


def build_compared(network: ComparedNetwork) -> ComparedModel:
    """Build a system, identity classifiers without a class: retrieval does not need them."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings(action="ignore", category=UserWarning):  # torch warns of layers without outputs
        built = _BUILDERS[network.kind](network)
    built.networks.eval()
    if built.extractor is not None:
        built.extractor.model.eval()
    return built


def _fused(network: FusedNetwork) -> ComparedModel:
    mlp = WeightMlp(mean=0.0, sd=1.0) if network.learned else None
    model = Qafm(network.architecture, network.head, 0, mlp)

    def both(pixels: Tensor, q: Tensor) -> Tensor:
        images = normalize(pixels)
        weight = torch.full_like(q, 0.5) if mlp is None else mlp.weight(q)
        return model.head(model.visual(images).v_a, model.attribute(images).v_s, weight).descriptor

    def visual(pixels: Tensor, _q: Tensor) -> Tensor:
        return model.visual.apn.descriptor(model.visual(normalize(pixels)).v_a)

    def attribute(pixels: Tensor, _q: Tensor) -> Tensor:
        return model.attribute.apan.descriptor(model.attribute(normalize(pixels)).v_s)

    if network.part == "visual":
        return ComparedModel(nn.ModuleList([model.visual]), visual)
    if network.part == "attribute":
        return ComparedModel(nn.ModuleList([model.attribute]), attribute)
    if network.q is None:
        return ComparedModel(nn.ModuleList([model]), both)
    extractor = Extractor(ReidBaseline(backbone=network.q.extractor, num_ids=0), network.q.extractor, network.q.perturb, network.q.quality)
    return ComparedModel(nn.ModuleList([model]), both, extractor)


def _plain(network: PlainNetwork) -> ComparedModel:
    models = [ReidBaseline(backbone=network.backbone, num_ids=0) for _ in range(network.copies)]

    def describe(pixels: Tensor, _q: Tensor) -> Tensor:
        images = normalize(pixels)
        return functional.normalize(torch.cat([functional.normalize(model.neck.norm(model(images).feature.float())) for model in models], dim=1))

    return ComparedModel(nn.ModuleList(models), describe)


def _sliced(network: SlicedNetwork) -> ComparedModel:
    model = SlicedNet(network.network, 0)
    return ComparedModel(nn.ModuleList([model]), lambda pixels, _q: functional.normalize(model(pixels).vector.float()))


def _common(network: CommonNetwork) -> ComparedModel:
    model = build_common(network.network, 0)
    return ComparedModel(nn.ModuleList([model]), lambda pixels, _q: common_descriptors(model, normalize(pixels)))


def _parts(network: PartNetwork) -> ComparedModel:
    model = PartReid(network.model, network.variant, 0)

    def describe(pixels: Tensor, _q: Tensor) -> Tensor:
        output = model(normalize(pixels))
        vectors = [*([output.foreground.normalized[:, None]] if network.foreground else []), output.parts.vector]
        return functional.normalize(torch.cat(vectors, dim=1).float(), dim=2).flatten(1)  # [N, E, D'] -> [N, D]

    return ComparedModel(nn.ModuleList([model]), describe)


_BUILDERS: dict[str, Callable[..., ComparedModel]] = {"fused": _fused, "plain": _plain, "sliced": _sliced, "common": _common, "parts": _parts}
