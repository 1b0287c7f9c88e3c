"""`qafm export`: the descriptor network for another runtime."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from qafm.cli.image_files import shown
from qafm.cli.options import AsJson, ModelPath, load_model
from qafm.cli.output import check_target, print_json
from qafm.export.choices import Weight
from qafm.export.target import SUFFIXES, check_export_target

Format: TypeAlias = Literal["onnx", "torch"]


def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file: .onnx, or .pt2 for torch.", show_default=False)],
    kind: Annotated[Format, typer.Option("--format", "-f", help="onnx: one self-contained file; torch: a torch.export archive.")] = "onnx",
    weight: Annotated[Weight, typer.Option(help="The second input: the visual weight itself, or Q, from which the network makes it.")] = "visual_weight",
    model: ModelPath = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the descriptor network, both branches and their fusion, for onnxruntime or for torch without qafm.

    Inputs: `images`, uint8 [batch, 3, height, width] in RGB, resized to the model's input; and one weight (or Q) per image, as `qafm score` gives it.
    Output: `descriptor`, float32 [batch, D], L2-normalised. The batch is of any size.
    """
    check_target(output)
    check_export_target(output, SUFFIXES[kind], overwrite)
    from qafm.export.export_onnx import export_onnx
    from qafm.export.export_torch import export_torch

    loaded = load_model(model, "cpu")
    (export_onnx if kind == "onnx" else export_torch)(loaded, output, weight=weight, overwrite=overwrite)
    backbone = loaded.config.architecture.backbone
    inputs = {"images": f"uint8 [batch, 3, {backbone.height}, {backbone.width}]", weight: "float32 [batch]"}
    outputs = {"descriptor": f"float32 [batch, {loaded.dim}]"} | ({"visual_weight": "float32 [batch]"} if weight == "q" else {})
    size = output.stat().st_size
    if as_json:
        print_json(
            {"file": shown(output), "format": kind, "bytes": size, "model": loaded.name, "model_id": loaded.model_id, "inputs": inputs, "outputs": outputs}
        )
        return
    typer.echo(f"{shown(output)}: {size / 2**20:.1f} MiB, {loaded.name}")
    for side, tensors in (("in", inputs), ("out", outputs)):
        typer.echo(f"  {side}: {'; '.join(f'{name} {shape}' for name, shape in tensors.items())}")
