"""How well APAN knows the attributes: accuracy and macro F1 per attribute, the majority baseline beside them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.runtime import RuntimeConfig
from qafm.evaluation.attribute_accuracy import score_attributes
from qafm.models.attribute_codes import attribute_codes_of
from qafm.models.branch import AttributeBranch
from qafm.runtime.files import whole_file
from qafm.runtime.torch_setup import autocast
from qafm.training.image_set import ImageSet, load_image_set, normalize, select_rows

IMAGES_PER_BATCH = 128


@torch.no_grad()
def predict_codes(model: AttributeBranch, images: ImageSet, device: torch.device, runtime: RuntimeConfig) -> np.ndarray:
    """Predicted class codes, int64 [N, 12], in eval mode."""
    model.eval()
    codes = []
    for pixels in images.pixels.split(IMAGES_PER_BATCH):
        with autocast(device, runtime):
            logits = model(normalize(pixels.to(device))).attribute_logits
        codes.append(attribute_codes_of(logits).cpu())
    return torch.cat(codes).numpy()


def write_attribute_report(model: AttributeBranch, train_codes: np.ndarray, images: Path, backbone: BackboneConfig, runtime: RuntimeConfig, out: Path) -> None:
    """Write a CSV with one row per attribute and set: held-out identities, and labelled gallery images (the official protocol's images).

    Args:
        model: on its device; put into eval mode.
        train_codes: codes of the train images, int [M, 12], -1 unknown: decide the majority baseline.
        images: images.parquet.
        backbone: gives the input size.
        runtime: precision.
        out: the CSV: set, attribute, n, accuracy, macro_f1, majority (percent; empty where no label is known).
    """
    device = next(model.parameters()).device
    rows = select_rows(images)
    sets = {"holdout": pc.field("fold") == "holdout", "gallery": (pc.field("split") == "gallery") & ~pc.field("distractor")}
    records = []
    for name, condition in sets.items():
        chosen: pa.Table = rows.filter(condition)
        if chosen.num_rows == 0:
            continue
        data = load_image_set(chosen, backbone.height, backbone.width)
        scores = score_attributes(predict_codes(model, data, device, runtime), data.attributes.numpy(), train_codes)
        records.extend({"set": name, "attribute": attribute, **vars(score)} for attribute, score in scores.items())
    with whole_file(out) as temporary:
        pd.DataFrame(records, columns=["set", "attribute", "n", "accuracy", "macro_f1", "majority"]).to_csv(temporary, index=False, float_format="%.4f")
