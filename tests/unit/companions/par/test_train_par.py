"""The PAR network trained on a few images: what is learnt from, what stops it, what is left out; and its predictions, image by image."""

import csv
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from qafm.companions.par import train_par as module
from qafm.companions.par.classes import par_codes
from qafm.companions.par.identity_fold import trained_on
from qafm.companions.par.losses import ParLoss
from qafm.companions.par.par_network import ParNetwork
from qafm.companions.par.predict_par import load_par, predict_par
from qafm.companions.par.predictions import NO_HEAD, read_predictions
from qafm.companions.par.split_images import augmented
from qafm.companions.par.train_par import train_par
from qafm.config.par import LossName, ParConfig, ParTrainingConfig, TrainParConfig
from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.evaluation.attribute_accuracy import attribute_codes
from qafm.images.network_input import normalize, to_input
from qafm.models.weights import load_weights, save_weights
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet
from qafm.training.stage import TrainingOutputs
from tests.unit.companions.made_up_pictures import distances, repaint, shown, stored
from tests.unit.companions.par.conftest import BACKBONE, RATES, RUNTIME, Row

AGE = ATTRIBUTE_NAMES.index("age")
ImagesOf = Callable[[list[Row]], Path]


def settings(loss: LossName = "weighted_ce", **training: object) -> TrainParConfig:
    par = ParConfig(backbone=BACKBONE, training=ParTrainingConfig.model_validate({"epochs": 2, "batch_size": 8, "lr": 1e-3, **training}))
    return par.train_par(loss, "market1501")


def outputs(folder: Path) -> TrainingOutputs:
    return TrainingOutputs.keyed(str(folder / "model.safetensors"), str(folder / "history.csv"), {"seed": 1}, [])


def trained(images: Path, folder: Path, config: TrainParConfig, seed: int = 1) -> tuple[dict[str, torch.Tensor], list[dict[str, str]]]:
    train_par(images, config, RUNTIME, seed, outputs(folder))
    with (folder / "history.csv").open(newline="") as stream:
        return load_weights(folder / "model.safetensors")[0], list(csv.DictReader(stream))


def test_history_and_weights(images: Path, tmp_path: Path) -> None:
    tensors, history = trained(images, tmp_path / "a", settings())
    assert [list(row) for row in history] == [["epoch", "loss", "val_loss", "val_accuracy", "val_macro_f1", "images_seen", "kept"]] * 2
    assert [row["images_seen"] for row in history] == ["20", "40"]  # 5 of 8 identities, 4 images each
    assert {name.split(".")[1] for name in tensors if name.startswith("heads.")} == set(ATTRIBUTE_NAMES)
    assert len(tensors["heads.up_color.1.weight"]) == 9
    again, other = (trained(images, tmp_path / str(seed), settings(), seed)[0] for seed in (1, 2))
    assert all(torch.equal(tensors[name], again[name]) for name in tensors)
    assert not torch.equal(tensors["trunk.conv1.weight"], other["trunk.conv1.weight"])


def test_the_losses_start_from_the_same_weights_and_differ_afterwards(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starts = []
    monkeypatch.setattr(module, "train_plan", lambda task, *_: (starts.append({k: v.clone() for k, v in task.model.state_dict().items()}), [{"epoch": 1}])[1])
    for loss in ("ce", "alpha_focal"):
        trained(images, tmp_path / loss, settings(loss))
    assert all(torch.equal(starts[0][name], starts[1][name]) for name in starts[0])
    monkeypatch.undo()
    ends = [trained(images, tmp_path / loss, settings(loss))[0]["heads.age.1.weight"] for loss in ("ce", "weighted_ce", "focal", "alpha_focal")]
    assert all(not torch.equal(one, other) for i, one in enumerate(ends) for other in ends[:i])


class Lessons:
    """What a training learns from, batch by batch: the pictures shown in training mode, and the labels the loss is given with their logits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pixels: list[torch.Tensor] = []
        self.codes: list[torch.Tensor] = []
        self.criteria: list[ParLoss] = []
        made: list[dict[str, torch.Tensor]] = []
        forward, loss = ParNetwork.forward, ParLoss.__call__

        def noted(model: ParNetwork, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
            found = forward(model, pixels)
            if torch.is_grad_enabled():
                assert all(part.training for part in model.modules())
                self.pixels.append(pixels)
                made.append(found)
            return found

        def spied(criterion: ParLoss, logits: dict[str, torch.Tensor], codes: torch.Tensor) -> torch.Tensor:
            if all(values.requires_grad for values in logits.values()):
                assert logits is made[-1]
                self.codes.append(codes)
                self.criteria.append(criterion)
            return loss(criterion, logits, codes)

        monkeypatch.setattr(ParNetwork, "forward", noted)
        monkeypatch.setattr(ParLoss, "__call__", spied)


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_every_picture_is_learnt_with_its_own_labels_and_mirrored_as_configured(
    images: Path, rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flip: float
) -> None:
    seen = Lessons(monkeypatch)
    trained(images, tmp_path / "a", settings("alpha_focal", flip=flip, rotation_deg=0, patience=2).model_copy(update={"gamma": 1.5, "divide_by": "images"}))
    learnt = shown(images, torch.cat(seen.pixels), mirrored=flip == 1)
    train = [row for row in rows if row["split"] == "train"]
    fitted = trained_on(np.array([row["pid"] for row in train]), 0.6, 1)
    names = [row["image_id"] for row, fit in zip(train, fitted, strict=True) if fit]
    assert sorted(row["image_id"] for row in learnt) == sorted(2 * names)  # once in each epoch
    assert torch.cat(seen.codes).tolist() == [[-1 if row[name] is None else row[name] for name in ATTRIBUTE_NAMES] for row in learnt]
    assert {(criterion.name, criterion.gamma, criterion.divide_by) for criterion in seen.criteria} == {("alpha_focal", 1.5, "images")}


def test_pictures_are_turned_as_configured(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Lessons(monkeypatch)
    trained(images, tmp_path / "a", settings(flip=0, rotation_deg=10, epochs=1))
    assert distances(images, torch.cat(seen.pixels)).amin() > 0.1


@pytest.mark.parametrize(("warmup_share", "factors"), RATES)
def test_the_learning_rate_of_every_step(images: Path, tmp_path: Path, rates: list, warmup_share: float, factors: list[float]) -> None:
    trained(images, tmp_path / "a", settings(epochs=4, patience=4, lr=2e-4, weight_decay=0.03, warmup_share=warmup_share))
    assert [rate for rate, *_ in rates] == pytest.approx([2e-4 * factor for factor in factors])  # 20 images in batches of 8: 3 steps an epoch
    assert {decay for _, decay, _ in rates} == {0.03}


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_every_head_drops_as_configured(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dropout: float) -> None:
    models: list[ParNetwork] = []
    monkeypatch.setattr(module, "train_plan", lambda task, *_: (models.append(task.model), [{"epoch": 1}])[1])
    trained(images, tmp_path / "a", settings().model_copy(update={"dropout": dropout}))
    assert {name: head[0].p for name, head in models[0].heads.items()} == dict.fromkeys(ATTRIBUTE_NAMES, dropout)
    assert all(isinstance(head[0], torch.nn.Dropout) for head in models[0].heads.values())


def test_the_trained_images_are_told_apart_afterwards(images: Path, rows: list[Row], tmp_path: Path) -> None:
    repaint(images)
    config = settings("ce", epochs=30, patience=30, lr=3e-3, warmup_share=1, flip=0, rotation_deg=0)  # the last epoch's weights are kept
    trained(images, tmp_path, config.model_copy(update={"dropout": 0.0}))
    train = [row for row in rows if row["split"] == "train"]
    fitted = trained_on(np.array([row["pid"] for row in train]), 0.6, 1)
    learnt = [row for row, fit in zip(train, fitted, strict=True) if fit and row["gender"] is not None]
    with torch.no_grad():
        logits = load_par(tmp_path / "model.safetensors", BACKBONE)(stored(images, 64, 32, learnt))
    right, commonest = [], []
    for name in ATTRIBUTE_NAMES:
        labels = np.array([row[name] for row in learnt])
        right.append(np.mean(logits[name].argmax(dim=1).numpy() == labels))
        commonest.append(np.bincount(labels).max() / len(labels))
    assert np.mean(commonest) < 0.6 and np.mean(right) > 0.75


def test_training_sees_the_trained_identities_alone(images: Path, images_of: ImagesOf, rows: list[Row], tmp_path: Path) -> None:
    """Other labels of validation identities change what is reported, not what is learnt; other labels of trained ones change that, too."""
    config = settings(patience=9)
    train_rows = [row for row in rows if row["split"] == "train"]
    pids = np.array([row["pid"] for row in train_rows])
    fitted = set(pids[trained_on(pids, 0.6, 1)].tolist())
    run = module._ParRun(images, config, RUNTIME, torch.device("cpu"))
    assert any(row["fold"] == "holdout" for row in train_rows)
    assert len(run.fit) + len(run.validation_codes) == len(train_rows)  # the held-out fold of the main chain is no third part here
    base, history = trained(images, tmp_path / "base", config)
    for side, learns in ((set(pids.tolist()) - fitted, False), (fitted, True)):
        changed = [row | ({"gender": 1 - row["gender"]} if row["pid"] in side and row["gender"] is not None else {}) for row in rows]
        tensors, other = trained(images_of(changed), tmp_path / str(learns), config)
        assert (not all(torch.equal(base[name], tensors[name]) for name in base)) is learns
        assert ([row["loss"] for row in history] != [row["loss"] for row in other]) is learns
        assert [row["val_loss"] for row in history] != [row["val_loss"] for row in other]


def test_validation_values_are_those_of_the_kept_weights(images: Path, tmp_path: Path) -> None:
    config = settings("alpha_focal", epochs=4, patience=4)
    _, history = trained(images, tmp_path, config)
    model = load_par(tmp_path / "model.safetensors", BACKBONE)
    table = read_parquet(images, IMAGES_SCHEMA).to_pandas()
    train = read_parquet(images, IMAGES_SCHEMA).filter((table["split"] == "train").to_numpy())
    fitted = trained_on(train["pid"].to_numpy(), 0.6, 1)
    codes = par_codes(attribute_codes(train), multi_color=True)
    paths = [path for path, fit in zip(train["path"].to_pylist(), fitted, strict=True) if not fit]
    pixels = torch.cat([to_input(read_image(Path(path))[None], 64, 32) for path in paths])
    weights = {}
    for i, name in enumerate(ATTRIBUTE_NAMES):
        counts = np.bincount(codes[fitted, i][codes[fitted, i] >= 0], minlength=len(model.heads[name][1].bias)).astype(float)
        inverse = np.where(counts > 0, 1 / np.maximum(counts, 1), 0)
        weights[name] = torch.from_numpy(inverse / inverse[counts > 0].mean()).float()
    with torch.no_grad():
        logits = model(normalize(pixels))
    expected = ParLoss("alpha_focal", weights, 2.0, "weights")(logits, torch.from_numpy(codes[~fitted]))
    accuracy = []
    for i, name in enumerate(ATTRIBUTE_NAMES):
        known = codes[~fitted, i] >= 0
        accuracy.append(100 * float((logits[name].argmax(dim=1).numpy() == codes[~fitted, i])[known].mean()))
    best = min(history[1:], key=lambda row: float(row["val_loss"]))  # the first epoch is of the warm-up
    assert [row["kept"] for row in history] == [str(int(row is best)) for row in history]
    assert float(best["val_loss"]) == pytest.approx(expected.item(), rel=1e-4)
    assert float(best["val_accuracy"]) == pytest.approx(np.mean(accuracy), rel=1e-4)


def test_an_attribute_nobody_knows_has_no_head(images_of: ImagesOf, rows: list[Row], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = images_of([row | {"age": None} for row in rows])
    with caplog.at_level(logging.INFO, logger="qafm"):
        tensors, _ = trained(images, tmp_path, settings().model_copy(update={"multi_color": False}))
    assert "age: no known label among the trained identities: no head" in caplog.text
    assert "classes are absent among the trained identities and weigh 0" in caplog.text
    assert not any("age" in name for name in tensors)
    predict_par(images, tmp_path / "model.safetensors", BACKBONE, settings().split, RUNTIME, tmp_path / "predictions.parquet")
    codes = read_predictions(tmp_path / "predictions.parquet").codes
    assert (codes[:, AGE] == NO_HEAD).all()
    assert (np.delete(codes, AGE, axis=1) >= 0).all()


def test_attributes_nobody_knows_at_all_are_refused(images_of: ImagesOf, rows: list[Row], tmp_path: Path) -> None:
    pids = np.array([row["pid"] for row in rows if row["split"] == "train"])
    fitted = set(pids[trained_on(pids, 0.6, 1)].tolist())
    for side, reason in ((fitted, "no attribute of any trained identity is known"), (set(pids.tolist()) - fitted, "no learnt attribute of any validation")):
        images = images_of([row | (dict.fromkeys(ATTRIBUTE_NAMES) if row["pid"] in side else {}) for row in rows])
        with pytest.raises(InputError, match=rf"other\.parquet: {reason}"):
            train_par(images, settings(), RUNTIME, 1, outputs(tmp_path / "a"))
    alone = images_of([row for row in rows if row["pid"] == 1 or row["split"] != "train"])
    with pytest.raises(InputError, match=r"other\.parquet: 1 train identities, at least 2 are needed"):
        train_par(alone, settings(), RUNTIME, 1, outputs(tmp_path / "a"))


def test_early_stopping_is_that_of_the_configuration(images: Path, tmp_path: Path) -> None:
    _, history = trained(images, tmp_path / "a", settings(epochs=12, lr=1e-9, patience=2, stop_on="val_accuracy"))
    best = max(range(2, len(history)), key=lambda i: float(history[i]["val_accuracy"]))  # warm-up: 1.2 epochs
    assert len(history) == min(12, best + 3) < 12


def test_augmentation_flips_and_turns_as_configured() -> None:
    pixels = torch.randint(0, 256, (20, 3, 64, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(augmented(pixels, ParTrainingConfig(flip=0, rotation_deg=0)), normalize(pixels))
    torch.testing.assert_close(augmented(pixels, ParTrainingConfig(flip=1, rotation_deg=0)), normalize(pixels.flip(3)))
    assert not torch.allclose(augmented(pixels, ParTrainingConfig(flip=0, rotation_deg=5)), normalize(pixels))


def test_predictions_image_by_image(images: Path, tmp_path: Path) -> None:
    trained(images, tmp_path, settings())
    out = tmp_path / "predictions.parquet"
    predict_par(images, tmp_path / "model.safetensors", BACKBONE, settings().split, RUNTIME, out)
    table, rows = read_parquet(out).to_pylist(), read_parquet(images, IMAGES_SCHEMA).to_pylist()
    pids = np.array([row["pid"] for row in rows if row["split"] == "train"])
    fitted = set(pids[trained_on(pids, 0.6, 1)].tolist())
    searched = [row for row in rows if row["pid"] != -1 and (row["split"] != "train" or row["pid"] not in fitted)]
    assert [row["image_id"] for row in table] == [row["image_id"] for row in searched]
    assert [row["set"] for row in table] == ["validation" if row["split"] == "train" else row["split"] for row in searched]
    model = load_par(tmp_path / "model.safetensors", BACKBONE)
    for line, row in zip(table, searched, strict=True):
        with torch.no_grad():
            logits = model(normalize(to_input(read_image(Path(row["path"]))[None], 64, 32)))
        assert [line[name] for name in ATTRIBUTE_NAMES] == [int(logits[name].argmax()) for name in ATTRIBUTE_NAMES]


def test_weights_that_do_not_fit_are_named(images: Path, tmp_path: Path) -> None:
    save_weights(tmp_path / "w.safetensors", {"other": torch.zeros(2)}, {})
    with pytest.raises(InputError, match=r"w\.safetensors: does not fit the configured PAR network"):
        predict_par(images, tmp_path / "w.safetensors", BACKBONE, settings().split, RUNTIME, tmp_path / "out.parquet")
    with pytest.raises(InputError, match=r"none\.safetensors: cannot be read as weights"):
        predict_par(images, tmp_path / "none.safetensors", BACKBONE, settings().split, RUNTIME, tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()
