"""Trainings under the common recipe, end to end on a small data set."""

from pathlib import Path

import numpy as np
import pytest
import torch

from qafm.companions.comparison import train_common as module
from qafm.companions.comparison.common_nets import CommonSlicedNet, common_descriptors
from qafm.companions.comparison.embed_common import embed_common, load_common
from qafm.companions.comparison.train_common import train_common
from qafm.companions.slicenet.sliced_net import Output
from qafm.config.common_recipe import CommonHead, CommonNetworkConfig, SiameseHead, SlicedHead, TrainCommonConfig
from qafm.config.par import ClustersConfig
from qafm.config.training import AugmentConfig, BatchConfig, OptimizerConfig, ScheduleConfig
from qafm.errors import InputError
from qafm.evaluation.load_descriptors import load_descriptors
from qafm.models.weights import load_weights
from qafm.tables.csv_rows import read_rows
from qafm.training.stage import TrainingOutputs
from tests.unit.companions.made_up_pictures import STILL, check_triplets, nearest_is_right, repaint, shown, stored, watch_triplets
from tests.unit.companions.par.conftest import BACKBONE, RUNTIME, Row

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


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_the_siamese_loss_is_given_every_picture_in_its_role_and_the_margin(
    images: Path, rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flip: float
) -> None:
    repaint(images, colours="of_identity")
    seen = watch_triplets(monkeypatch, module, images, mirrored=flip == 1)
    head = SiameseHead(dim=6, margin=0.7, clusters=ClustersConfig(count=2, stripes=1))
    run(tmp_path / "run", images, config(head, augment=STILL.model_copy(update={"flip": flip}), batch=BatchConfig(ids=5, images_per_id=2)))
    fitted = [row["image_id"] for row in rows if row["fold"] == "fit"]
    assert {row["image_id"] for triplets in seen for row in triplets.batch} <= set(fitted)
    for triplets in seen:
        assert triplets.margin == 0.7 and triplets.learnt
        assert [row["image_id"] for row in triplets.anchors] == [row["image_id"] for row in triplets.batch]
        check_triplets(triplets, triplets.batch)


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_the_sliced_network_learns_every_picture_as_its_identity(
    images: Path, rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flip: float
) -> None:
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    passes: list[tuple[torch.Tensor, Output]] = []
    forward, loss = CommonSlicedNet.forward, module.functional.cross_entropy

    def noted(model: CommonSlicedNet, pixels: torch.Tensor) -> Output:
        assert model.training
        passes.append((pixels, forward(model, pixels)))
        return passes[-1][1]

    def spied(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        torch.testing.assert_close(logits, passes[-1][1].logits.float())
        seen.append((passes[-1][0], labels))
        return loss(logits, labels)

    monkeypatch.setattr(CommonSlicedNet, "forward", noted)
    monkeypatch.setattr(module.functional, "cross_entropy", spied)
    run(tmp_path / "run", images, config(SLICED, augment=STILL.model_copy(update={"flip": flip})))
    pids = sorted({row["pid"] for row in rows if row["fold"] == "fit"})
    learnt = shown(images, torch.cat([pixels for pixels, _ in seen]), mirrored=flip == 1)
    assert {row["pid"] for row in learnt} == set(pids)
    assert torch.cat([labels for _, labels in seen]).tolist() == [pids.index(row["pid"]) for row in learnt]


@pytest.mark.parametrize("head", [SIAMESE.model_copy(update={"margin": 1.0}), SLICED])
def test_the_trained_images_find_their_identity_afterwards(images: Path, rows: list[Row], tmp_path: Path, head: CommonHead) -> None:
    repaint(images)
    fitted = [row for row in rows if row["fold"] == "fit"]
    found = []
    for epochs, lr in ((1, 1e-12), (40, 1e-3)):
        optimizer, batch = OptimizerConfig(lr=lr, warmup_epochs=1), BatchConfig(ids=7, images_per_id=4)
        schedule = config(head, epochs=epochs, augment=STILL, optimizer=optimizer, batch=batch)
        weights = run(tmp_path / str(epochs), images, schedule)
        with torch.no_grad():
            vectors = common_descriptors(load_common(weights, schedule), stored(images, 64, 32, fitted))
        found.append(nearest_is_right(vectors, [row["pid"] for row in fitted]))
    assert found[0] < 0.5 and found[1] > 0.75


@pytest.mark.parametrize("head", [SIAMESE, SLICED])
def test_its_descriptors_can_be_searched(tmp_path: Path, images: Path, head: CommonHead) -> None:
    weights = run(tmp_path / "run", images, config(head))
    network = CommonNetworkConfig(backbone=BACKBONE, head=head)
    embed_common(images, weights, network, RUNTIME, tmp_path / "descriptors.parquet")
    found = load_descriptors(images, tmp_path / "descriptors.parquet")
    assert found.holdout is not None
    assert (len(found.query.labels), len(found.gallery.labels), len(found.holdout.labels)) == (6, 14, 4)
    assert found.query.descriptor.shape[1] == (6 if head.kind == "siamese" else 128)
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
