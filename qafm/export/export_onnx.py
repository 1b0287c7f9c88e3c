"""The descriptor network as ONNX."""

from pathlib import Path

import onnx
import torch

from qafm.export.choices import Weight
from qafm.export.target import SUFFIXES, check_export_target
from qafm.export.trace_network import file_metadata, quiet, trace_network
from qafm.inference.model import ReidModel
from qafm.runtime.files import whole_file

OPSET, IR_VERSION = 18, 8  # onnxruntime 1.14 (2023) and later; the exporter's own IR version would need 1.18


def export_onnx(model: ReidModel, path: str | Path, *, weight: Weight = "visual_weight", overwrite: bool = False) -> None:
    """Write one self-contained file, whole or not at all.

    Inputs: `images`, uint8 [batch, 3, H, W], RGB; and `visual_weight` or `q`, float32 [batch]. Outputs: `descriptor`, float32 [batch, D], L2-normalised;
    beside the input `q` also `visual_weight`, float32 [batch].

    Args:
        model: a loaded model.
        path: the file, ending in .onnx.
        weight: the second input. "visual_weight": the weight itself; "q": Q(I), from which the network makes it, NaN for the mean Q.
        overwrite: replace a file that is there.

    Raises:
        InputError: the file is there already or is named otherwise, there is no such `weight`, or `q` for a model whose weight is fixed.
    """
    path = Path(path)
    check_export_target(path, SUFFIXES["onnx"], overwrite)
    program = trace_network(model, weight)
    outputs = ["descriptor", *(["visual_weight"] if weight == "q" else [])]
    with quiet():
        exported = torch.onnx.export(program, dynamo=True, opset_version=OPSET, input_names=["images", weight], output_names=outputs, verbose=False)
    assert exported is not None
    content = exported.model_proto
    _tidy(content)
    content.ir_version = IR_VERSION
    onnx.helper.set_model_props(content, file_metadata(model, weight))
    onnx.checker.check_model(content)
    with whole_file(path) as temporary:
        temporary.write_bytes(content.SerializeToString(deterministic=True))


def _tidy(content: onnx.ModelProto) -> None:
    """Name the free axis, and drop what the exporter notes about its own work: the paths of this machine, among others."""
    graph = content.graph
    for value in (*graph.input, *graph.output, *graph.value_info):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param:
                axis.dim_param = "batch"
    for part in (content, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
    for node in graph.node:
        node.ClearField("doc_string")
