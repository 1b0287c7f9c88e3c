"""Training a variant: what is trained, on which labels, and that a bad mask ends it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from qafm.companions.bpbreid import train_bpbreid as module
from qafm.companions.bpbreid.embed_bpbreid import load_part_model
from qafm.companions.bpbreid.part_fields import part_names
from qafm.companions.bpbreid.part_labels import stripe_labels
from qafm.companions.bpbreid.part_model import PartOutput, PartReid
from qafm.companions.bpbreid.train_bpbreid import PartInputs, train_bpbreid
from qafm.config.bpbreid import EmbeddingWeights, PartLossConfig, TrainBpbreidConfig
from qafm.config.training import BatchConfig, IdentityLossConfig, OptimizerConfig
from qafm.datasets.synthetic.pifpaf_layout import KEYPOINTS
from qafm.errors import InputError
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weights import load_weights, save_weights
from qafm.runtime.resume import ResumeState
from qafm.tables.parquet import read_parquet
from qafm.training.stage import TrainingOutputs
from tests.unit.companions.bpbreid.conftest import RUNTIME, TRAIN
from tests.unit.companions.made_up_pictures import STILL, nearest_is_right, repaint, shown, stored

GILT = {"identity_whole", "identity_foreground", "identity_concatenated", "triplet_parts"}


def outputs(folder: Path) -> TrainingOutputs:
    return TrainingOutputs(folder / "model.safetensors", folder / "history.csv", ResumeState(folder / ".resume", "key"), {"seed": 1})


def trained(images: Path, masks: Path | None, variant: str, config: TrainBpbreidConfig, name: str, seed: int = 1) -> tuple[dict, pd.DataFrame]:
    files = outputs(images.parent / name)
    train_bpbreid(PartInputs(images, None, masks), variant, config, RUNTIME, seed, files)  # type: ignore[arg-type]
    return load_weights(files.weights)[0], pd.read_csv(files.history)


@pytest.mark.parametrize(("variant", "attention"), [("masks", True), ("stripe_labels", True), ("learned", False), ("stripes", False)])
def test_a_variant_has_its_losses_and_is_reproducible(images: Path, masks: Path, config: TrainBpbreidConfig, variant: str, attention: bool) -> None:
    given = masks if variant == "masks" else None
    weights, history = trained(images, given, variant, config, "a")
    assert set(history.columns) == {"epoch", "images_seen", *GILT, *(["attention"] if attention else [])} and len(history) == 2
    assert any(name.startswith("attention.") for name in weights) == (variant != "stripes")
    again, _ = trained(images, given, variant, config, "b")
    assert all(torch.equal(tensor, again[name]) for name, tensor in weights.items())
    other, _ = trained(images, given, variant, config, "c", seed=2)
    assert not torch.equal(weights["backbone.conv1.weight"], other["backbone.conv1.weight"])


def test_it_starts_from_the_extractor(images: Path, config: TrainBpbreidConfig, tmp_path: Path) -> None:
    extractor = ReidBaseline(backbone=config.backbone.resnet(), num_ids=5).state_dict()
    save_weights(tmp_path / "extractor.safetensors", extractor, {"config": {"backbone": {"name": "resnet10"}}})
    backbone = config.backbone.model_copy(update={"init": "extractor"})
    still = config.training.model_copy(update={"epochs": 1, "optimizer": OptimizerConfig(lr=1e-12, warmup_epochs=0)})
    files = outputs(tmp_path / "a")
    inputs = PartInputs(images, tmp_path / "extractor.safetensors", None)
    train_bpbreid(inputs, "stripes", config.model_copy(update={"backbone": backbone, "training": still}), RUNTIME, 1, files)
    weights = load_weights(files.weights)[0]
    for name in ("conv1.weight", "layer4.0.conv2.weight"):
        torch.testing.assert_close(weights[f"backbone.{name}"], extractor[f"trunk.{name}"])


def test_half_precision_trains(images: Path, masks: Path, config: TrainBpbreidConfig) -> None:
    files = outputs(images.parent / "a")
    train_bpbreid(PartInputs(images, None, masks), "masks", config, RUNTIME.model_copy(update={"precision": "bf16"}), 1, files)
    assert np.isfinite(pd.read_csv(files.history).to_numpy()).all()
    assert all(tensor.dtype != torch.bfloat16 and torch.isfinite(tensor.float()).all() for tensor in load_weights(files.weights)[0].values())


def test_weights_of_the_losses_and_of_the_attention_are_heeded(images: Path, masks: Path, config: TrainBpbreidConfig) -> None:
    first = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 1})})
    _, plain = trained(images, masks, "masks", first, "a")
    _, doubled = trained(images, masks, "masks", first.model_copy(update={"loss": PartLossConfig(attention_weight=0.7)}), "b")
    assert doubled["attention"][0] / plain["attention"][0] == pytest.approx(2, rel=0.2)  # the second batch starts from other weights
    _, without = trained(images, masks, "masks", first.model_copy(update={"loss": PartLossConfig(attention_weight=0)}), "c")
    assert set(without.columns) == {"epoch", "images_seen", *GILT}
    _, released = trained(images, masks, "masks", first.model_copy(update={"loss": PartLossConfig(triplet=EmbeddingWeights(parts=1, foreground=1))}), "d")
    assert set(released.columns) == {"epoch", "images_seen", "attention", "triplet_foreground", *GILT}


def narrow(config: TrainBpbreidConfig, **training: object) -> TrainBpbreidConfig:
    """A backbone of few channels, and other settings of the training."""
    backbone = config.backbone.model_copy(update={"channels": 16})
    return config.model_copy(update={"backbone": backbone, "training": config.training.model_copy(update=training)})


class Lessons:
    """What a training learns from, batch by batch: the pictures, and what the losses of what the network makes of them are given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pixels: list[torch.Tensor] = []
        self.pids: list[torch.Tensor] = []
        self.settings: list[tuple[PartLossConfig, IdentityLossConfig]] = []
        self.parts: list[torch.Tensor] = []
        self.smoothing: list[float] = []
        made: list[PartOutput] = []
        forward, gilt, attention = PartReid.forward, module.gilt_losses, module.attention_loss

        def noted(model: PartReid, pixels: torch.Tensor) -> PartOutput:
            assert all(part.training for part in model.modules())
            made.append(forward(model, pixels))
            self.pixels.append(pixels)
            return made[-1]

        def spied_gilt(output: PartOutput, pids: torch.Tensor, config: PartLossConfig, settings: IdentityLossConfig) -> dict[str, torch.Tensor]:
            assert output is made[-1]
            self.pids.append(pids)
            self.settings.append((config, settings))
            return gilt(output, pids, config, settings)

        def spied_attention(logits: torch.Tensor, labels: torch.Tensor, smoothing: float) -> torch.Tensor:
            assert logits is made[-1].attention_logits
            self.parts.append(labels)
            self.smoothing.append(smoothing)
            return attention(logits, labels, smoothing)

        monkeypatch.setattr(PartReid, "forward", noted)
        monkeypatch.setattr(module, "gilt_losses", spied_gilt)
        monkeypatch.setattr(module, "attention_loss", spied_attention)


@pytest.mark.parametrize("flip", [0.0, 1.0])
@pytest.mark.parametrize("variant", ["masks", "stripe_labels", "learned", "stripes"])
def test_every_picture_is_learnt_as_its_identity_and_its_parts(
    images: Path, masks: Path, config: TrainBpbreidConfig, monkeypatch, variant: str, flip: float
) -> None:
    spots = ["nose", "left elbow", "left wrist", "left knee", "left ankle"]  # one of each part of `five_v`
    shows = {}  # image -> its only part
    for i, row in enumerate(row for row in read_parquet(images).to_pylist() if row["split"] == "train"):
        fields, shows[row["image_id"]] = np.zeros((36, 13, 7), np.float32), 1 + i % 5
        fields[KEYPOINTS.index(spots[i % 5])] = 1
        np.save((masks / row["image_id"]).with_suffix(".npy"), fields)
    loss, settings = PartLossConfig(attention_smoothing=0.3), IdentityLossConfig(label_smoothing=0.2, triplet_margin=0.7)
    changed = narrow(config, augment=STILL.model_copy(update={"flip": flip}), loss=settings).model_copy(update={"loss": loss})
    seen = Lessons(monkeypatch)
    trained(images, masks if variant == "masks" else None, variant, changed, "a")
    learnt = shown(images, torch.cat(seen.pixels), mirrored=flip == 1)
    assert {row["pid"] for row in learnt} == set(TRAIN)
    assert torch.cat(seen.pids).tolist() == [TRAIN.index(row["pid"]) for row in learnt]
    assert all(given == (loss, settings) for given in seen.settings)
    if variant in ("learned", "stripes"):
        assert not seen.parts
        return
    assert set(seen.smoothing) == {0.3}
    stripes = [[part] * 3 for part in (1, 2, 3, 3, 4, 5)]
    for label, row in zip(torch.cat(seen.parts), learnt, strict=True):
        assert label.tolist() == (stripes if variant == "stripe_labels" else [[shows[row["image_id"]]] * 3] * 6)


@pytest.mark.parametrize("variant", ["masks", "stripes"])
def test_the_trained_images_find_and_name_their_identity_afterwards(images: Path, masks: Path, config: TrainBpbreidConfig, variant: str) -> None:
    repaint(images)
    rows = [row for row in read_parquet(images).to_pylist() if row["split"] == "train"]
    labels = torch.tensor([TRAIN.index(row["pid"]) for row in rows])
    found, named = [], []
    for epochs, lr in ((1, 1e-12), (30, 1e-3)):
        schedule = {"epochs": epochs, "augment": STILL, "optimizer": OptimizerConfig(lr=lr, warmup_epochs=1), "batch": BatchConfig(ids=3, images_per_id=4)}
        changed = narrow(config, **schedule)
        trained(images, masks if variant == "masks" else None, variant, changed, str(epochs))
        with torch.no_grad():
            output = load_part_model(images.parent / str(epochs) / "model.safetensors", variant, changed)(stored(images, 96, 48, rows))  # type: ignore[arg-type]
        found.append(nearest_is_right(output.concatenated.normalized, labels.tolist()))
        named.append((output.concatenated.logits.argmax(dim=1) == labels).float().mean().item())
    assert max(found[0], named[0]) < 0.6 and min(found[1], named[1]) > 0.75


def test_the_labels_are_the_masks_moved_along_or_stripes_that_stay(images: Path, masks: Path, config: TrainBpbreidConfig, monkeypatch) -> None:
    seen: list[torch.Tensor] = []
    real = module.attention_loss

    def spy(logits: torch.Tensor, labels: torch.Tensor, smoothing: float) -> torch.Tensor:
        seen.append(labels)
        return real(logits, labels, smoothing)

    monkeypatch.setattr(module, "attention_loss", spy)
    trained(images, masks, "stripe_labels", config, "a")
    assert all(torch.equal(label, stripe_labels(5, 6, 3)) for labels in seen for label in labels)
    for path in sorted((masks / "train").glob("*.npy")):
        fields = np.zeros((36, 13, 7), np.float32)
        fields[0, :, :3] = 1  # the nose, in the left half of every image
        np.save(path, fields)
    seen.clear()
    trained(images, masks, "masks", config, "b")
    maps = torch.stack([label for labels in seen for label in labels])  # [n, 6, 3]
    assert set(maps.unique().tolist()) == {0, 1}
    left, right = (maps[:, :, 0] == 1).float().mean(), (maps[:, :, 2] == 1).float().mean()
    assert 0.15 < left < 0.75 and 0.15 < right < 0.75  # mirrored about half of the time


def test_left_and_right_of_the_labels_change_places_with_a_mirrored_image(images: Path, masks: Path, config: TrainBpbreidConfig, monkeypatch) -> None:
    seen: list[torch.Tensor] = []
    real = module.attention_loss
    monkeypatch.setattr(module, "attention_loss", lambda logits, labels, smoothing: (seen.append(labels), real(logits, labels, smoothing))[1])
    for path in sorted((masks / "train").glob("*.npy")):
        fields = np.zeros((36, 13, 7), np.float32)
        fields[KEYPOINTS.index("left wrist"), :, :3] = 1  # a left arm in the left half of every image
        np.save(path, fields)
    eight = config.model_copy(update={"parts": config.parts.model_copy(update={"grouping": "eight"})})
    trained(images, masks, "masks", eight, "a")
    maps = torch.stack([label for labels in seen for label in labels])  # [n, 6, 3]
    left_arm, right_arm = (1 + part_names("eight").index(f"{side} arm") for side in ("left", "right"))
    for label in maps:  # as it is, or mirrored: then the arm is a right one, on the other side
        assert set(label[:, 0].tolist()) | set(label[:, 2].tolist()) <= {0, left_arm, right_arm}
        assert (label[:, 2] != left_arm).all() and (label[:, 0] != right_arm).all()
    assert (maps == left_arm).any() and (maps == right_arm).any()


def test_masks_that_are_missing_or_broken_are_named(images: Path, masks: Path, config: TrainBpbreidConfig) -> None:
    with pytest.raises(InputError, match="variant masks needs part masks, and the data set has none"):
        trained(images, None, "masks", config, "a")
    broken = sorted((masks / "train").glob("*.npy"))[1]
    np.save(broken, np.zeros((35, 3, 2), np.float32))
    with pytest.raises(InputError, match=rf"{broken.name}: part masks must be a float array"):
        trained(images, masks, "masks", config, "a")
    broken.unlink()
    with pytest.raises(InputError, match=rf"{broken.name}: no part masks of the image train/"):
        trained(images, masks, "masks", config, "a")
    assert not (images.parent / "a").exists()


def test_a_killed_run_ends_with_the_same_weights(images: Path, masks: Path, config: TrainBpbreidConfig, monkeypatch) -> None:
    expected, _ = trained(images, masks, "masks", config, "a")
    saved, save = [], ResumeState.save

    def killed_after_one(self: ResumeState, state: dict) -> None:
        save(self, state)
        saved.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(ResumeState, "save", killed_after_one)
    with pytest.raises(KeyboardInterrupt):
        trained(images, masks, "masks", config, "b")
    monkeypatch.setattr(ResumeState, "save", save)
    found, history = trained(images, masks, "masks", config, "b")
    assert saved == [1] and len(history) == 2
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())
