"""The descriptor network as torch's own exported program, which runs without qafm's code."""

import io
import json
from pathlib import Path

import torch

from qafm.export.choices import Weight
from qafm.export.target import SUFFIXES, check_export_target
from qafm.export.trace_network import file_metadata, quiet, trace_network
from qafm.inference.model import ReidModel
from qafm.runtime.files import whole_file

METADATA = "qafm.json"  # an extra file of the archive


def export_torch(model: ReidModel, path: str | Path, *, weight: Weight = "visual_weight", overwrite: bool = False) -> None:
    """Write a torch.export archive, whole or not at all; `torch.export.load(path).module()(images, weight)` runs it. Inputs and outputs as in `export_onnx`.

    TorchScript, the older format, is deprecated in torch.

    Args:
        model: a loaded model.
        path: the file, ending in .pt2.
        weight: the second input, as in `export_onnx`.
        overwrite: replace a file that is there.

    Raises:
        InputError: as `export_onnx`.
    """
    path = Path(path)
    check_export_target(path, SUFFIXES["torch"], overwrite)
    program = trace_network(model, weight)
    program.example_inputs = None  # would be stored by pickle
    archive = io.BytesIO()  # given a path, torch would write the temporary file's name into the archive
    with quiet():
        torch.export.save(program, archive, extra_files={METADATA: json.dumps(file_metadata(model, weight), indent=1)})
    with whole_file(path) as temporary:
        temporary.write_bytes(archive.getvalue())
