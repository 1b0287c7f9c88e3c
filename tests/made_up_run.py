"""A made-up run of untrained networks and its bundle, made by the rule's own function, small enough for unit tests."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from qafm.bundles.bundle_model import BundleSettings, BundleSources, bundle_model
from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.bundle import Dtype
from qafm.config.fusion import ArchitectureConfig, FusedModelConfig, HeadConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.q_network import QNetwork
from qafm.config.quality import QualityConfig
from qafm.models.qafm import Qafm
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weight_mlp import WeightMlp
from qafm.models.weights import save_weights
from qafm.runtime.files import write_json
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet

BACKBONE = BackboneConfig(name="resnet10", last_stride=1, channels=16, init="random", height=32, width=16)
ARCHITECTURE = ArchitectureConfig(
    backbone=BACKBONE,
    apn=ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(8, 8), embedding_dim=12),
    apan=ApanConfig(pafm_channels=4, step_channels=4, hidden_channels=4, embedding_dim=10),
)
PERTURB = PerturbConfig(occlusion_sizes=(0.1,), blur_sigmas_px=())
EXTRACTOR = BackboneConfig(name="resnet10", last_stride=2, channels=16, init="random", height=64, width=32)
MODEL_CONFIG = FusedModelConfig(architecture=ARCHITECTURE, head=HeadConfig(dim=14), fixed_weight=None)
UNLABELLED = ("hat", "age")
MEAN, SD = 0.3, 0.1


@dataclass(frozen=True)
class MadeUpRun:
    """What a bundle is made of, and the networks themselves."""

    sources: BundleSources
    settings: BundleSettings
    model: Qafm
    extractor: ReidBaseline


def made_up_run(
    folder: Path, *, dtype: Dtype = "float32", quality: QualityConfig | None = None, fixed: float | None = None, attributes: bool = True
) -> MadeUpRun:
    """Untrained networks of 5 identities, with statistics of a training step, and the files of their run in `folder`."""
    torch.manual_seed(7)
    mlp = None if fixed is not None else WeightMlp(mean=MEAN, sd=SD, start_weight=0.6)
    model, extractor = Qafm(ARCHITECTURE, MODEL_CONFIG.head, 5, mlp), ReidBaseline(backbone=EXTRACTOR, num_ids=5)
    if model.weight_mlp is not None:
        model.weight_mlp.output.weight.data.normal_(std=0.3)
    with torch.no_grad():  # one step in training mode, so that the norms are not those of the start
        batch = torch.randn(6, 3, 32, 16)
        v_a, v_s = model.visual(batch).v_a, model.attribute(batch).v_s
        model.head(v_a, v_s, torch.full((6,), 0.5))
        extractor(torch.randn(6, 3, 64, 32))
    quality = quality or QualityConfig()
    computed = quality.source == "compute"
    save_weights(folder / "fusion.safetensors", model.state_dict(), {"seed": 1})
    save_weights(folder / "extractor.safetensors", extractor.state_dict(), {"seed": 1})
    write_parquet(folder / "images.parquet", _images(attributes))
    reference = {"set": "holdout", "images": 40, "mean": MEAN, "sd": SD, "quantiles": np.linspace(0.1, 0.5, 101).tolist()}
    write_json(folder / "quality.json", {"reference": reference})
    galleries = {
        "no_distractors": {"metrics": {"rank1": 1.0, "mAP": 2.0}, "n_queries": 3},
        "standard": {"metrics": {"rank1": 61.5, "mAP": 42.25}, "n_queries": 13},
    }
    write_json(folder / "qafm.json", {"galleries": galleries})
    scores = ["set,attribute,n,accuracy,macro_f1,majority,n_images,official,official_majority"]
    scores += ["gallery,gender,9,81.5,,70.0,9,,", "gallery,hat,0,,,,9,,", "holdout,hair,9,1,,,9,,"]  # of the hat nobody in the gallery has a label
    (folder / "attributes.csv").write_text("\n".join([*scores, ""]))
    (folder / "calibration.json").write_text(json.dumps(calibration()))
    sources = BundleSources(
        images=folder / "images.parquet",
        summary=folder / "quality.json",
        model=folder / "fusion.safetensors",
        extractor=folder / "extractor.safetensors" if computed else None,
        rows={"qafm": folder / "qafm.json"},
        attributes=folder / "attributes.csv" if attributes else None,
        calibration=folder / "calibration.json",
    )
    config = MODEL_CONFIG.model_copy(update={"fixed_weight": fixed})
    settings = BundleSettings("made/up/run/seed-1", "synthetic", dtype, config, QNetwork(extractor=EXTRACTOR, perturb=PERTURB, quality=quality))
    return MadeUpRun(sources, settings, model.eval(), extractor.eval())


def made_up_bundle(folder: Path, run: MadeUpRun) -> Path:
    """The bundle of a made-up run; returns its folder."""
    bundle_model(run.sources, run.settings, folder / "bundle.json")
    return folder


def calibration(*, model: bool = True) -> dict:
    """A calibration of two knots: the odds fall from e^4 at distance 0.5 to e^-4 at 1.5."""
    content = {"format": 1, "set": "pairs of made-up people", "reason": None if model else "too few people", "prior": 0.5, "identities": 30, "images": 90}
    content |= {"cameras": 3, "genuine_pairs": 100, "impostor_pairs": 1000, "identity_pairs": 400}
    if model:
        one = {"value": 0.1, "low": 0.05, "high": 0.2}
        content["model"] = {"distance": [0.5, 1.5], "llr": [4.0, -4.0]}
        content["false_matches"] = {"distance": [0.5, 1.0, 2.0], "pairs": [0, 50, 1000]}
        content["measures"] = {"cllr": one, "cllr_min": 0.1, "ece": 0.01, "ece_by_chance": 0.01, "eer": one}
    return content


def pictures(count: int, seed: int = 3) -> list[np.ndarray]:
    """Noise pictures of different sizes, uint8 [H, W, 3]."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (40 + 9 * i, 24 + 5 * i, 3), dtype=np.uint8) for i in range(count)]


def _images(attributes: bool) -> pa.Table:
    """Ten fitted images of five identities in two cameras, two held-out ones and a junk one."""
    rows = []
    for i in range(13):
        row = {field.name: None for field in IMAGES_SCHEMA} | {"image_id": f"{i:02d}.png", "path": f"{i:02d}.png", "split": "train", "pid": i % 5}
        row |= {"fold": "fit" if i < 10 or i == 12 else "holdout", "camid": 1 + i % 2, "junk": i == 12, "distractor": False, "sha256": f"{i:064d}"}
        labels = {name: i % 2 for name in ATTRIBUTE_NAMES if name not in UNLABELLED} if attributes else {}
        rows.append(row | {"height": 32, "width": 16} | labels)
    return pa.Table.from_pylist(rows, IMAGES_SCHEMA)
