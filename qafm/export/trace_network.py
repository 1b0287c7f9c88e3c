"""A model as torch's exported program, the common source of both formats."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from importlib.metadata import version

import torch
from torch.export import Dim, ExportedProgram

from qafm.bundles.bundle_model import DISTRIBUTION
from qafm.export.choices import Weight
from qafm.export.descriptor_network import DescriptorNetwork
from qafm.inference.model import ReidModel


def trace_network(model: ReidModel, weight: Weight) -> ExportedProgram:
    """Trace the descriptor network with a free number of images.

    Args:
        model: a loaded model.
        weight: the second input, "visual_weight" or "q".

    Raises:
        InputError: there is no such `weight`, or `q` for a model whose weight is fixed.
    """
    network = DescriptorNetwork(model.bundle.model, weight)
    backbone = model.config.architecture.backbone
    images = torch.zeros(2, 3, backbone.height, backbone.width, dtype=torch.uint8)  # two: one image alone would be taken for a constant
    batch = Dim("batch", min=1)
    with quiet(), torch.no_grad():
        program = torch.export.export(network, (images, torch.full((2,), 0.5)), dynamic_shapes={"images": {0: batch}, "weight": {0: batch}})
    for graph in [part.graph for part in program.graph_module.modules() if isinstance(part, torch.fx.GraphModule)]:
        for node in graph.nodes:
            node.meta.pop("stack_trace", None)  # paths of this machine
    return program


def file_metadata(model: ReidModel, weight: Weight) -> dict[str, str]:
    """What the file says of itself, all as text."""
    backbone = model.config.architecture.backbone
    return {
        "model_id": model.model_id,
        "name": model.name,
        "height": str(backbone.height),
        "width": str(backbone.width),
        "dim": str(model.dim),
        "images": "uint8 RGB, 0..255, [batch, 3, height, width], resized bilinearly with antialiasing; normalisation is inside",
        "weight": weight,
        "usual_visual_weight": f"{usual_weight(model):.6f}",
        "qafm_version": version(DISTRIBUTION),
    }


@torch.no_grad()
def usual_weight(model: ReidModel) -> float:
    """The visual weight of an image whose Q is not known: that of the mean Q, or the fixed one."""
    mlp = model.bundle.model.weight_mlp
    if mlp is None:
        assert model.config.fixed_weight is not None
        return model.config.fixed_weight
    return float(mlp.weight(mlp.mean[None])[0])


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporters' progress, warnings and log messages to themselves; errors are raised as ever."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
