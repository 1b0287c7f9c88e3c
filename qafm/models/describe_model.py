"""architecture.json: output shapes and parameter counts of everything a run builds, measured on the built modules (paper Figures 2 and 3).

Shapes are those of one image, without the batch axis. The networks run on torch's meta device: real modules, real shapes, no weights, no arithmetic.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import torch
from torch import Tensor, nn

from qafm.config.backbone import BackboneConfig
from qafm.config.fusion import ArchitectureConfig, TrainFusionConfig
from qafm.errors import InputError
from qafm.models.apan import LOGIT_SIZES, Apan
from qafm.models.apn import Apn
from qafm.models.bnneck import BNNeck
from qafm.models.branch import AttributeBranch, VisualBranch
from qafm.models.fusion import FusionHead
from qafm.models.qafm import Qafm
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weight_mlp import WeightMlp
from qafm.runtime.files import write_json
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.parquet import read_parquet

CONTAINERS = (Qafm, VisualBranch, AttributeBranch, Apn, Apan, FusionHead, ReidBaseline, BNNeck, nn.ModuleList)  # taken apart into their blocks
COUNTED = (
    "parameters: numel of nn.Parameter, trained and frozen ones (the bias of a BNNeck's norm is frozen at 0); buffers such as batch-norm statistics are not "
    "counted. A backbone that ends at layer3 holds no layer4. Blocks are disjoint and complete: their parameters add up to the total of their part. "
    "input, output: of one image in eval mode, without the batch axis ([] is one number; of the ConvLSTM cell the output is h); null: the block is not run. "
    "calls: runs per image."
)


def describe_model(architecture: ArchitectureConfig, fusion: TrainFusionConfig, extractor: BackboneConfig, num_ids: int, out: Path) -> None:
    """Build the run's networks, send one image through them in eval mode, and write shapes and counts.

    Args:
        architecture: backbone, APN and APAN.
        fusion: the fusion head and the weight; without a fixed weight the MLP is part of the model.
        extractor: the network behind Q(I).
        num_ids: train identities that are not held out.
        out: architecture.json to write: `blocks` by module name (`visual.apn.mfpm`; a part's own parameters likewise), `parameters` of the parts, and the
            settings that shaped them.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad(), torch.device("meta"):
        with torch.device("cpu"):  # its 97 parameters; autocast, which it switches off, does not know the meta device
            mlp = WeightMlp(mean=0.0, sd=1.0) if fusion.alpha.fixed is None else None
        model = Qafm(architecture, fusion.head, num_ids, mlp).eval()
        baseline = ReidBaseline(backbone=extractor, num_ids=num_ids).eval()
        blocks = {**_blocks(model, ""), **_blocks(baseline, "extractor.")}
        _run(model, baseline, architecture.backbone, extractor)
    content = {
        "counted": COUNTED,
        "blocks": blocks,
        "parameters": _totals(model, baseline),
        "attribute_groups": dict(zip(ATTRIBUTE_NAMES, LOGIT_SIZES, strict=True)),
        "input": {"branches": [3, architecture.backbone.height, architecture.backbone.width], "extractor": [3, extractor.height, extractor.width]},
        "num_ids": num_ids,
        "config": {
            "architecture": architecture.model_dump(mode="json"),
            "extractor": extractor.model_dump(mode="json"),
            "fusion": fusion.model_dump(mode="json", include={"gradients", "head", "alpha", "loss"}),
        },
    }
    write_json(out, content)


def count_train_ids(images: Path) -> int:
    """The number of identities every classifier of a run has: those of the train images that are not held out.

    Args:
        images: images.parquet.

    Raises:
        InputError: the file cannot be read, or has no such image.
    """
    rows = read_parquet(images, columns=["pid", "fold", "junk"]).filter((pc.field("fold") == "fit") & ~pc.field("junk"))
    if not rows.num_rows:
        raise InputError(f"{images}: has no train image that is not held out")
    return len(rows["pid"].unique())


def _blocks(module: nn.Module, prefix: str) -> dict[str, dict[str, Any]]:
    """An entry for each block, whose hook fills in the shapes when it runs."""
    entries = {}
    for name, part in _parts(module, prefix):
        entry = {"kind": type(part).__name__, "parameters": _count(part), "calls": 0, "input": None, "output": None}
        if isinstance(part, nn.Parameter):
            entry["output"] = list(part.shape)
        else:
            part.register_forward_hook(_Recorder(entry))
        entries[name] = entry
    return entries


def _parts(module: nn.Module, prefix: str) -> Iterator[tuple[str, nn.Module | nn.Parameter]]:
    """The blocks below a container in the order of the modules, and parameters that the container itself holds."""
    for name, parameter in module.named_parameters(prefix=prefix.removesuffix("."), recurse=False):
        yield name, parameter
    for name, child in module.named_children():
        if isinstance(child, CONTAINERS):
            yield from _parts(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


class _Recorder:
    """A forward hook that writes into a block's entry."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry = entry

    def __call__(self, _module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        first = output if isinstance(output, Tensor) else output[0]
        self.entry.update(calls=self.entry["calls"] + 1, input=list(inputs[0].shape[1:]), output=list(first.shape[1:]))


def _run(model: Qafm, baseline: ReidBaseline, backbone: BackboneConfig, extractor: BackboneConfig) -> None:
    """Send one image through everything."""
    image = torch.zeros(1, 3, backbone.height, backbone.width)
    model.head(model.visual(image).v_a, model.attribute(image).v_s, torch.zeros(1))
    if model.weight_mlp is not None:
        model.weight_mlp(torch.zeros(1, device="cpu"))
    baseline(torch.zeros(1, 3, extractor.height, extractor.width))


def _count(part: nn.Module | nn.Parameter | None) -> int:
    if part is None:
        return 0
    return part.numel() if isinstance(part, nn.Parameter) else sum(parameter.numel() for parameter in part.parameters())


def _identity_classifiers(module: nn.Module) -> int:
    """Parameters of the linear layers with one output per train identity, which retrieval does not need."""
    necks = [(name, part) for name, part in module.named_modules() if isinstance(part, BNNeck) and not name.endswith("single_head")]
    return sum(_count(neck.classifier) for _, neck in necks)


def _totals(model: Qafm, baseline: ReidBaseline) -> dict[str, dict[str, int]]:
    parts = {"visual": model.visual, "attribute": model.attribute, "head": model.head, "weight_mlp": model.weight_mlp, "qafm": model, "extractor": baseline}
    totals = {}
    for name, part in parts.items():
        classifiers = 0 if part is None else _identity_classifiers(part)
        totals[name] = {"all": _count(part), "identity_classifiers": classifiers, "without_identity_classifiers": _count(part) - classifiers}
    return totals
