"""The trainings of one network each: extractor, plain networks, APN alone. Where they start, what differs between two of them, what is written."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.baseline import BaselineConfig
from qafm.config.branches import ApnConfig, PretrainApnConfig
from qafm.config.features import ExtractorConfig
from qafm.config.runtime import RuntimeConfig
from qafm.config.training import BatchConfig, BranchTrainingConfig, DescriptorLossConfig, OptimizerConfig, TrainingConfig
from qafm.errors import InputError
from qafm.models.weights import load_weights
from qafm.training.pretrain_apn import pretrain_apn
from qafm.training.stage import TrainingOutputs
from qafm.training.train_baseline import Twin, train_baseline
from qafm.training.train_extractor import train_extractor
from tests.made_up_images import write_images

RUNTIME = RuntimeConfig(threads=1, device="cpu")
BACKBONE = BackboneConfig(name="resnet10", channels=16, init="random", height=64, width=32)
STARTED = BACKBONE.model_copy(update={"init": "extractor"})
APN = ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(16, 16), embedding_dim=12)
BATCH = BatchConfig(ids=2, images_per_id=2)
STILL = OptimizerConfig(lr=1e-12, weight_decay=0, warmup_epochs=0)  # what a network starts from is what it ends with


def outputs(folder: Path, name: str, settings: object = None) -> TrainingOutputs:
    (folder / name).mkdir()
    return TrainingOutputs.keyed(str(folder / name / "w.safetensors"), str(folder / name / "h.csv"), {"config": settings}, [])


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_images(tmp_path, {"fit": 4, "holdout": 2})


@pytest.fixture
def extractor(images: Path, tmp_path: Path) -> Path:
    """Weights of stage 3."""
    config = ExtractorConfig(backbone=BACKBONE, training=TrainingConfig(epochs=2, batch=BATCH))
    written = outputs(tmp_path, "extractor", config.model_dump(mode="json"))
    train_extractor(images, config, RUNTIME, written)
    return written.weights


def test_the_extractor_knows_the_identities_that_are_not_held_out(extractor: Path) -> None:
    weights, _ = load_weights(extractor)
    assert len(weights["neck.classifier.weight"]) == 4
    history = pd.read_csv(extractor.parent / "h.csv")
    assert list(history) == ["epoch", "identity", "triplet", "images_seen"] and history["images_seen"].tolist() == [8, 16]


def test_the_seed_of_its_configuration_decides_the_extractor(images: Path, tmp_path: Path) -> None:
    found = {}
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        written = outputs(tmp_path, name)
        train_extractor(images, ExtractorConfig(backbone=BACKBONE, seed=seed, training=TrainingConfig(epochs=1, batch=BATCH)), RUNTIME, written)
        found[name] = load_weights(written.weights)[0]
    assert all(torch.equal(found["one"][name], value) for name, value in found["again"].items())
    assert not torch.equal(found["one"]["trunk.conv1.weight"], found["two"]["trunk.conv1.weight"])


def test_plain_networks_start_from_the_extractor_and_differ_in_their_draws(images: Path, extractor: Path, tmp_path: Path) -> None:
    start, _ = load_weights(extractor)

    def trained(twin: Twin, optimizer: OptimizerConfig) -> dict[str, torch.Tensor]:
        written = outputs(tmp_path, f"{twin}-{optimizer.lr}")
        train_baseline(
            twin, images, extractor, BaselineConfig(backbone=STARTED, training=TrainingConfig(epochs=1, batch=BATCH, optimizer=optimizer)), RUNTIME, 1, written
        )
        return load_weights(written.weights)[0]

    still = trained("a", STILL)
    torch.testing.assert_close(still["trunk.layer3.0.conv1.weight"], start["trunk.layer3.0.conv1.weight"], atol=1e-6, rtol=0)
    assert not torch.allclose(still["neck.classifier.weight"], start["neck.classifier.weight"])
    learned = OptimizerConfig(warmup_epochs=0)
    assert not torch.equal(trained("a", learned)["trunk.conv1.weight"], trained("b", learned)["trunk.conv1.weight"])


def test_all_of_apn_learns_on_identities_triplets_and_stripes(images: Path, extractor: Path, tmp_path: Path) -> None:
    start, _ = load_weights(extractor)
    found = {}
    for name, optimizer in (("still", STILL), ("learned", OptimizerConfig(weight_decay=0, warmup_epochs=0))):
        config = PretrainApnConfig(backbone=STARTED, apn=APN, training=BranchTrainingConfig(epochs=1, batch=BATCH, optimizer=optimizer))
        written = outputs(tmp_path, name)
        pretrain_apn(images, extractor, config, RUNTIME, 1, written)
        found[name] = load_weights(written.weights)[0]
        assert list(pd.read_csv(written.history)) == ["epoch", "apn_identity", "apn_triplet", "apn_stripes", "images_seen"]
    torch.testing.assert_close(found["still"]["backbone.conv1.weight"], start["trunk.conv1.weight"], atol=1e-6, rtol=0)
    moved = {name.split(".")[0] + "." + name.split(".")[1] for name, value in found["still"].items() if not torch.equal(value, found["learned"][name])}
    assert {"backbone.conv1", "backbone.layer3", "apn.mfpm", "apn.ltn", "apn.embed", "apn.neck"} <= moved


def test_the_triplet_loss_of_a_plain_network_can_be_on_unit_vectors_or_absent(images: Path, extractor: Path, tmp_path: Path) -> None:
    histories = {}
    for triplet_on in ("raw", "unit", "none"):
        training = TrainingConfig(epochs=1, batch=BATCH, loss=DescriptorLossConfig(triplet_on=triplet_on))
        written = outputs(tmp_path, triplet_on)
        train_baseline("a", images, extractor, BaselineConfig(backbone=STARTED, training=training), RUNTIME, 1, written)
        histories[triplet_on] = pd.read_csv(written.history)
    assert list(histories["none"]) == ["epoch", "identity", "images_seen"]
    assert histories["unit"].triplet[0] != histories["raw"].triplet[0]


def test_no_extractor_where_one_is_needed_is_an_error(images: Path, tmp_path: Path) -> None:
    config = BaselineConfig(backbone=STARTED, training=TrainingConfig(epochs=1, batch=BATCH))
    with pytest.raises(InputError, match=r"backbone.init: extractor needs the extractor's weights"):
        train_baseline("a", images, None, config, RUNTIME, 1, outputs(tmp_path, "no"))
