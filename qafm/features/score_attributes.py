"""How well APAN knows the attributes after stage 1 (trained alone) or after stage 2 (within QAFM), and the majority baseline beside it."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig
from qafm.config.runtime import RuntimeConfig
from qafm.errors import InputError
from qafm.evaluation.attribute_accuracy import SCORE_COLUMNS, attribute_codes, score_codes
from qafm.images.forward import forward_batches
from qafm.images.image_set import ImageSet, load_image_set, select_rows
from qafm.models.attribute_codes import attribute_codes_of
from qafm.models.branch import AttributeBranch
from qafm.models.weights import load_part, load_weights
from qafm.runtime.files import whole_file
from qafm.runtime.torch_setup import place, prepare_torch

Stage = Literal["apan", "fusion"]
# Where the attribute branch lies in the weights of stage 1, which are a branch, and of stage 2, which are a Qafm.
PREFIXES: dict[Stage, str] = {"apan": "", "fusion": "attribute."}


def score_attributes(weights: Path, stage: Stage, images: Path, backbone: BackboneConfig, apan: ApanConfig, runtime: RuntimeConfig, out: Path) -> None:
    """Write a CSV with one row per set and attribute; a set without an image has no row.

    Sets: the held-out train identities, and the labelled gallery images, which are those of the official protocol (no junk, no distractor).

    Args:
        weights: safetensors of stage 1 or 2.
        stage: which of them: "apan", APAN trained alone, or "fusion", the whole model.
        images: images.parquet; its train images that are not held out decide the majority class.
        backbone: of the attribute branch.
        apan: of the attribute branch.
        runtime: threads, device, precision.
        out: the CSV: SCORE_COLUMNS, that is set, attribute and the fields of AttributeScore, percent, empty where no label is known.

    Raises:
        InputError: an input is damaged, or the weights do not fit the configuration.
    """
    device = prepare_torch(runtime)
    model = place(load_attribute_branch(weights, stage, backbone, apan), device)
    rows = select_rows(images)
    train_codes = attribute_codes(rows.filter(pc.field("fold") == "fit"))  # [M, 12]
    sets = {"holdout": pc.field("fold") == "holdout", "gallery": (pc.field("split") == "gallery") & ~pc.field("distractor")}
    records = []
    for name, condition in sets.items():
        chosen = rows.filter(condition)
        if chosen.num_rows:
            data = load_image_set(chosen, backbone.height, backbone.width)
            scores = score_codes(predict_codes(model, data, device, runtime), data.attributes.numpy(), train_codes)
            records.extend({"set": name, "attribute": attribute, **vars(score)} for attribute, score in scores.items())
    with whole_file(out) as temporary:
        pd.DataFrame(records, columns=list(SCORE_COLUMNS)).to_csv(temporary, index=False, float_format="%.4f")


def load_attribute_branch(weights: Path, stage: Stage, backbone: BackboneConfig, apan: ApanConfig) -> AttributeBranch:
    """The attribute branch of stage 1 or 2 in eval mode; the size of its identity classifier is that of the weights.

    Raises:
        InputError: the weights cannot be read, hold no attribute branch, or do not fit the configuration.
    """
    tensors, _ = load_weights(weights)
    prefix = PREFIXES[stage]
    if not any(name.startswith(f"{prefix}apan.") for name in tensors):
        raise InputError(f"{weights}: holds no attribute branch of stage {stage!r} (no tensor {prefix}apan.*)")
    classifier = tensors.get(f"{prefix}apan.neck.classifier.weight")  # [ids, Ds]; none without an identity head
    model = AttributeBranch(backbone, apan, 0 if classifier is None else len(classifier))
    load_part(model.backbone, tensors, f"{prefix}backbone", weights)
    load_part(model.apan, tensors, f"{prefix}apan", weights)
    return model.eval()


def predict_codes(model: AttributeBranch, images: ImageSet, device: torch.device, runtime: RuntimeConfig) -> np.ndarray:
    """Predicted class codes, int64 [N, 12], by a model in eval mode."""
    found = forward_batches(lambda batch: attribute_codes_of(model(batch).attribute_logits), images.pixels, device, runtime, shown_as="attributes")
    return torch.cat([codes.cpu() for codes in found]).numpy()
