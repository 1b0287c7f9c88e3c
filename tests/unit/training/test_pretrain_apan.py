"""Stage 1 on the attribute heads alone, or on all of APAN's losses: which weights move, and what the columns of the history are."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, PretrainApanConfig
from qafm.config.runtime import RuntimeConfig
from qafm.config.training import BatchConfig, BranchTrainingConfig, OptimizerConfig
from qafm.errors import InputError
from qafm.models.branch import AttributeBranch
from qafm.models.weights import load_weights
from qafm.runtime.torch_setup import seed_everything
from qafm.training.pretrain_apan import pretrain_apan
from qafm.training.stage import TrainingOutputs
from tests.made_up_images import write_images

BACKBONE = BackboneConfig(name="resnet10", channels=16, init="random", height=64, width=32)
APAN = ApanConfig(pafm_channels=4, step_channels=4, hidden_channels=4, embedding_dim=10)
# No weight decay: what no loss reaches keeps its first value to the bit.
TRAINING = BranchTrainingConfig(epochs=1, batch=BatchConfig(ids=2, images_per_id=2), optimizer=OptimizerConfig(weight_decay=0, warmup_epochs=0))


def run(folder: Path, stage_1: str, *, labelled: bool = True) -> tuple[set[str], list[str]]:
    """The parameters that training moved, and the columns of the history."""
    config = PretrainApanConfig.model_validate({"backbone": BACKBONE, "apan": APAN, "stage_1": stage_1, "training": TRAINING})
    outputs = TrainingOutputs.keyed(str(folder / "w.safetensors"), str(folder / "h.csv"), {"config": config.model_dump(mode="json")}, [])
    pretrain_apan(write_images(folder, {"fit": 4}, labelled=labelled), None, config, RuntimeConfig(threads=1, device="cpu"), 1, outputs)
    seed_everything("pretrain_apan", 1)
    start = dict(AttributeBranch(BACKBONE, APAN, 4).named_parameters())
    trained, _ = load_weights(folder / "w.safetensors")
    return {name for name, value in start.items() if not torch.equal(value, trained[name])}, list(pd.read_csv(folder / "h.csv"))


def test_on_the_attributes_alone_v_s_and_identity_head_stay_as_they_were(tmp_path: Path) -> None:
    moved, columns = run(tmp_path, "attributes")
    assert columns == ["epoch", "attributes", "images_seen"]
    assert {"backbone.layer1.0.conv1.weight", "apan.heads.11.1.weight", "apan.cell.conv.weight"} <= moved
    assert not any(name.startswith(("apan.embed.", "apan.neck.")) for name in moved)


def test_on_all_losses_they_learn_too(tmp_path: Path) -> None:
    moved, columns = run(tmp_path, "all")
    assert columns == ["epoch", "apan_attributes", "apan_identity", "apan_triplet", "images_seen"]
    assert {"backbone.layer1.0.conv1.weight", "apan.heads.11.1.weight", "apan.embed.0.weight", "apan.neck.classifier.weight"} <= moved


def test_without_any_known_attribute_only_all_losses_have_something_to_learn(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no attribute of any train image is known"):
        run(tmp_path, "attributes", labelled=False)
    moved, _ = run(tmp_path, "all", labelled=False)
    assert "apan.embed.0.weight" in moved
    assert not any(name.startswith("apan.heads.") for name in moved)
