"""An untrained model as a bundle, in a second: for what uses models and asks nothing of what they learned."""

import json
from pathlib import Path

import torch

from qafm.bundles.bundle_files import CONFIG, EXTRACTOR, MODEL, weight_files
from qafm.bundles.stored_weights import stored_weights, weights_digest, without_stripes
from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.bundle import BundleConfig, QReference, TrainingSet
from qafm.config.fusion import ArchitectureConfig, HeadConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.quality import QualityConfig
from qafm.models.qafm import Qafm
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weight_mlp import WeightMlp
from qafm.models.weights import save_weights
from qafm.tables.attributes import ATTRIBUTES

BACKBONE = BackboneConfig(name="resnet10", channels=16, init="random", height=64, width=32)
APN = ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(8, 8), embedding_dim=16)
APAN = ApanConfig(pafm_channels=4, step_channels=8, hidden_channels=8, embedding_dim=16)


def make_bundle(folder: Path, *, seed: int = 0, name: str = "made-up/f/m/seed-0", attributes: bool = True, extractor: bool = True) -> Path:
    """Write a bundle of random weights.

    Args:
        folder: made if needed.
        seed: of the weights.
        name: of the model.
        attributes: whether it says that it was trained with attributes.
        extractor: whether it can compute Q.
    """
    torch.manual_seed(seed)
    architecture = without_stripes(ArchitectureConfig(backbone=BACKBONE, apn=APN, apan=APAN))
    folder.mkdir(parents=True, exist_ok=True)
    model = Qafm(architecture, HeadConfig(dim=16), 0, WeightMlp(mean=0.5, sd=0.1))
    network = ReidBaseline(backbone=BACKBONE, num_ids=0)
    labelled = {attribute.name: dict.fromkeys(attribute.classes, 5) for attribute in ATTRIBUTES} if attributes else {}
    config = BundleConfig(
        name=name,
        qafm="0",
        digest="0" * 64,
        dtype="float32",
        architecture=architecture,
        head=HeadConfig(dim=16),
        fixed_weight=None,
        extractor=BACKBONE if extractor else None,
        perturb=PerturbConfig(),
        quality=QualityConfig(),
        reference=QReference(images=50, mean=0.5, sd=0.1, quantiles=(0.1, 0.5, 0.9)),
        trained_on=TrainingSet(kind="synthetic", words="nothing", images=10, ids=2, cameras=2, attributes=labelled),
    )
    save_weights(folder / MODEL, stored_weights(model.state_dict(), "float32"), config.model().model_dump(mode="json"))
    if (q := config.q_network()) is not None:
        save_weights(folder / EXTRACTOR, stored_weights(network.state_dict(), "float32"), q.model_dump(mode="json"))
    digest = weights_digest(weight_files(folder, config))
    (folder / CONFIG).write_text(json.dumps(config.model_copy(update={"digest": digest}).model_dump(mode="json")))
    return folder
