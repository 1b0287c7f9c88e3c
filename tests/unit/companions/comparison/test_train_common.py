"""Trainings under the common recipe, end to end on a small data set."""

from pathlib import Path

import numpy as np
import pytest
import torch

from qafm.companions.comparison.embed_common import embed_common
from qafm.companions.comparison.train_common import train_common
from qafm.config.common_recipe import CommonHead, CommonNetworkConfig, SiameseHead, SlicedHead, TrainCommonConfig
from qafm.config.par import ClustersConfig
from qafm.config.training import AugmentConfig, BatchConfig, OptimizerConfig, ScheduleConfig
from qafm.errors import InputError
from qafm.evaluation.load_descriptors import load_descriptors
from qafm.models.weights import load_weights
from qafm.tables.csv_rows import read_rows
from qafm.training.stage import TrainingOutputs
from tests.unit.companions.par.conftest import BACKBONE, RUNTIME

TRAINING = ScheduleConfig(
    epochs=2, batch=BatchConfig(ids=3, images_per_id=2), augment=AugmentConfig(pad_px=2), optimizer=OptimizerConfig(lr=1e-3, warmup_epochs=1)
)
SIAMESE = SiameseHead(dim=6, clusters=ClustersConfig(count=3, stripes=1))
SLICED = SlicedHead(network="slicenet2", slices=2)


def config(head: CommonHead, **training: object) -> TrainCommonConfig:
    return TrainCommonConfig(backbone=BACKBONE, head=head, training=TRAINING.model_copy(update=training))


def run(folder: Path, images: Path, trained: TrainCommonConfig, seed: int = 1, system: str = "it") -> Path:
    folder.mkdir()
    outputs = TrainingOutputs.keyed(str(folder / "model.safetensors"), str(folder / "history.csv"), {"seed": seed}, [str(images)])
    train_common(system, images, None, trained, RUNTIME, seed, outputs)
    return folder / "model.safetensors"


@pytest.mark.parametrize("head", [SIAMESE, SLICED])
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path, images: Path, head: CommonHead) -> None:
    trained = config(head)
    first, again, other = (run(tmp_path / name, images, trained, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()
    assert run(tmp_path / "d", images, trained, system="else").read_bytes() != first.read_bytes()
    curve = read_rows(tmp_path / "a" / "history.csv", ["epoch", "triplet" if head is SIAMESE else "cross_entropy"])
    assert [row["epoch"] for row in curve] == ["1", "2"]


@pytest.mark.parametrize("head", [SIAMESE, SLICED])
def test_it_learns_and_its_descriptors_can_be_searched(tmp_path: Path, images: Path, head: CommonHead) -> None:
    trained = config(head, epochs=12, augment=AugmentConfig(flip=0, pad_px=0, brightness=0, contrast=0, saturation=0, erase=0))
    weights = run(tmp_path / "run", images, trained)
    losses = [
        float(value) for row in read_rows(tmp_path / "run" / "history.csv", ["epoch"]) for name, value in row.items() if name not in ("epoch", "images_seen")
    ]
    assert losses[-1] < 0.9 * losses[0]
    network = CommonNetworkConfig(backbone=BACKBONE, head=head)
    embed_common(images, weights, network, RUNTIME, tmp_path / "descriptors.parquet")
    found = load_descriptors(images, tmp_path / "descriptors.parquet")
    assert found.holdout is not None
    assert (len(found.query.labels), len(found.gallery.labels), len(found.holdout.labels)) == (6, 14, 4)
    assert found.query.descriptor.shape[1] == (6 if head is SIAMESE else 128)
    np.testing.assert_allclose(np.linalg.norm(found.gallery.descriptor, axis=1), 1, rtol=1e-5)


def test_held_out_identities_are_not_trained_on(tmp_path: Path, images: Path) -> None:
    tensors, _ = load_weights(run(tmp_path / "run", images, config(SLICED)))
    assert tensors["classifier.weight"].shape == (128, 7)  # of eight train identities one is held out


def test_the_settings_decide(tmp_path: Path, images: Path) -> None:
    plain = run(tmp_path / "plain", images, config(SIAMESE)).read_bytes()
    for i, change in enumerate(({"margin": 1.5}, {"clusters": ClustersConfig(count=2, stripes=1)})):
        assert run(tmp_path / str(i), images, config(SIAMESE.model_copy(update=change))).read_bytes() != plain
    with pytest.raises(InputError, match="needs the extractor's weights"):
        run(tmp_path / "no", images, TrainCommonConfig(backbone=BACKBONE.model_copy(update={"init": "extractor"}), head=SIAMESE, training=TRAINING))


def test_weights_of_another_network_are_refused(tmp_path: Path, images: Path) -> None:
    weights = run(tmp_path / "run", images, config(SLICED))
    other = CommonNetworkConfig(backbone=BACKBONE, head=SlicedHead(network="bignet"))
    with pytest.raises(InputError, match=r"model\.safetensors: does not fit the configured network"):
        embed_common(images, weights, other, RUNTIME, tmp_path / "out.parquet")
    assert torch.get_num_threads() == 1
