"""The siamese network trained on a few images, from a PAR network and from scratch; its descriptors, image by image."""

import csv
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from qafm.companions.par import train_siamese as module
from qafm.companions.par.embed_siamese import embed_siamese, load_siamese
from qafm.companions.par.identity_fold import trained_on
from qafm.companions.par.par_network import ParNetwork
from qafm.companions.par.query_gallery import choose_queries
from qafm.companions.par.train_siamese import train_siamese
from qafm.config.par import ClustersConfig, IdentitySplitConfig, SearchConfig, SiameseTrainingConfig, TrainSiameseConfig
from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.evaluation.load_descriptors import load_descriptors
from qafm.images.network_input import normalize, to_input
from qafm.models.weights import load_weights, save_weights
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.learning_curve import images_seen
from qafm.tables.parquet import read_parquet
from qafm.training.stage import TrainingOutputs
from tests.unit.companions.made_up_pictures import check_triplets, distances, nearest_is_right, repaint, stored, watch_triplets
from tests.unit.companions.par.conftest import BACKBONE, RATES, RUNTIME, Row

DIM = 6
SPLIT = IdentitySplitConfig()


def settings(**training: object) -> TrainSiameseConfig:
    return TrainSiameseConfig(
        split=SPLIT,
        backbone=BACKBONE,
        dim=DIM,
        margin=0.3,
        clusters=ClustersConfig(count=3, hue_bins=6, stripes=1),
        training=SiameseTrainingConfig.model_validate({"epochs": 2, "batch_size": 8, "lr": 1e-3, **training}),
        search=SearchConfig(),
    )


def outputs(folder: Path) -> TrainingOutputs:
    return TrainingOutputs.keyed(str(folder / "model.safetensors"), str(folder / "history.csv"), {"seed": 1}, [])


def trained(
    images: Path, folder: Path, par: Path | None = None, config: TrainSiameseConfig | None = None, seed: int = 1
) -> tuple[dict[str, torch.Tensor], list[dict[str, str]]]:
    train_siamese(images, par, config or settings(), RUNTIME, seed, outputs(folder))
    with (folder / "history.csv").open(newline="") as stream:
        return load_weights(folder / "model.safetensors")[0], list(csv.DictReader(stream))


def test_history_and_weights(images: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="qafm"):
        tensors, history = trained(images, tmp_path / "a")
    assert [list(row) for row in history] == [["epoch", "loss", "val_loss", "val_mAP", "images_seen", "kept"]] * 2
    assert [row["images_seen"] for row in history] == ["60", "120"]  # a triplet for each of 20 images
    assert tensors["project.1.weight"].shape == (DIM, 128)
    assert "trained images: 20 in" in caplog.text and "validation images: 12 in" in caplog.text
    assert "20 triplets an epoch; 0 images are no anchor" in caplog.text
    again, other = (trained(images, tmp_path / str(seed), seed=seed)[0] for seed in (1, 2))
    assert all(torch.equal(tensors[name], again[name]) for name in tensors)
    assert not torch.equal(tensors["trunk.conv1.weight"], other["trunk.conv1.weight"])


def test_it_trains_as_long_as_the_learning_curves_it_is_given(images: Path, tmp_path: Path) -> None:
    for name, epochs in (("a", 2), ("b", 3)):
        (tmp_path / f"{name}.csv").write_text("\n".join(["epoch,images_seen", *(f"{epoch},{60 * epoch}" for epoch in range(1, epochs + 1))]) + "\n")
    stops_at_once = settings(epochs=2, patience=1, lr=1e-12)
    files = outputs(tmp_path / "long")
    train_siamese(images, None, stops_at_once, RUNTIME, 1, files, [tmp_path / "a.csv", tmp_path / "b.csv"])
    assert images_seen(files.history) == (5, 300)
    train_siamese(images, None, stops_at_once.model_copy(update={"training": stops_at_once.training.model_copy(update={"epochs": 9})}), RUNTIME, 1, files)
    assert images_seen(files.history)[0] < 5
    with pytest.raises(InputError, match=r"none\.csv: cannot be read"):
        train_siamese(images, None, stops_at_once, RUNTIME, 1, files, [tmp_path / "none.csv"])


def test_transfer_starts_from_the_par_networks_trunk(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(9)
    par = ParNetwork(BACKBONE, {"gender": 2}, 0.5)
    save_weights(tmp_path / "par.safetensors", par.state_dict(), {})
    starts = []
    monkeypatch.setattr(module, "train_plan", lambda task, *_: (starts.append({k: v.clone() for k, v in task.model.state_dict().items()}), [{"epoch": 1}])[1])
    trained(images, tmp_path / "transfer", tmp_path / "par.safetensors")
    trained(images, tmp_path / "reference")
    trunk = {name: value for name, value in par.state_dict().items() if name.startswith("trunk.")}
    assert all(torch.equal(starts[0][name], value) for name, value in trunk.items())
    assert not torch.equal(starts[1]["trunk.conv1.weight"], trunk["trunk.conv1.weight"])
    assert torch.equal(starts[0]["project.1.weight"], starts[1]["project.1.weight"])


def test_transfer_takes_a_learned_pooling_along(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gem = BACKBONE.model_copy(update={"pooling": "gem"})
    par = ParNetwork(gem, {"gender": 2}, 0.5)
    torch.nn.init.constant_(par.get_parameter("pool.exponent"), 4.5)
    save_weights(tmp_path / "par.safetensors", par.state_dict(), {})
    starts = []
    monkeypatch.setattr(module, "train_plan", lambda task, *_: (starts.append(float(task.model.pool.exponent)), [{"epoch": 1}])[1])
    trained(images, tmp_path / "transfer", tmp_path / "par.safetensors", settings().model_copy(update={"backbone": gem}))
    assert starts == [4.5]


def test_triplets_are_of_trained_images_and_negatives_of_the_anchors_cluster(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    made = module._SiameseRun
    monkeypatch.setattr(module, "_SiameseRun", lambda *arguments: (runs.append(made(*arguments)), runs[-1])[1])
    trained(images, tmp_path / "a")
    run = runs[0]
    rows = [row for row in read_parquet(images, IMAGES_SCHEMA).to_pylist() if row["split"] == "train"]
    fitted = trained_on(np.array([row["pid"] for row in rows]), 0.6, 1)
    assert run.fit.tolist() == np.flatnonzero(fitted).tolist()
    triplets = np.concatenate(run.batches(np.random.default_rng(1)))
    assert sorted(triplets[:, 0]) == list(range(fitted.sum()))
    pids = run.triplets.pids
    assert pids.tolist() == [row["pid"] for row, fit in zip(rows, fitted, strict=True) if fit]
    assert (pids[triplets[:, 0]] == pids[triplets[:, 1]]).all() and (pids[triplets[:, 0]] != pids[triplets[:, 2]]).all()
    assert all(len(batch) <= 8 and batch.shape[1] == 3 for batch in run.batches(np.random.default_rng(2)))
    assert len(run.validation_triplets) == (~fitted).sum()


def sides(images: Path) -> tuple[list[Row], list[Row]]:
    """The trained and the validation images."""
    train = [row for row in read_parquet(images, IMAGES_SCHEMA).to_pylist() if row["split"] == "train"]
    fitted = trained_on(np.array([row["pid"] for row in train]), 0.6, 1)
    return [row for row, fit in zip(train, fitted, strict=True) if fit], [row for row, fit in zip(train, fitted, strict=True) if not fit]


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_the_loss_is_given_every_picture_in_its_role_and_the_margin(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flip: float) -> None:
    repaint(images, colours="of_identity")
    config = settings(flip=flip, rotation_deg=0, patience=2)
    config = config.model_copy(update={"margin": 0.7, "clusters": ClustersConfig(count=2, hue_bins=6, stripes=1)})
    seen = watch_triplets(monkeypatch, module, images, mirrored=flip == 1)
    trained(images, tmp_path / "a", config=config)
    fitted, validation = sides(images)
    assert [len(triplets.anchors) for triplets in seen] == [7, 7, 6, 12] * 2 and {triplets.margin for triplets in seen} == {0.7}
    for i, triplets in enumerate(seen):
        assert triplets.learnt is (i not in (3, 7))  # the last ones of an epoch validate
        side = fitted if triplets.learnt else validation
        assert all(row in side for row in triplets.batch)
        check_triplets(triplets, side)
    for epoch in (seen[:3], seen[4:7]):
        assert sorted(row["image_id"] for triplets in epoch for row in triplets.anchors) == sorted(row["image_id"] for row in fitted)


def test_pictures_are_turned_as_configured(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels: list[torch.Tensor] = []
    forward = module.SiameseNetwork.forward

    def noted(model: module.SiameseNetwork, batch: torch.Tensor) -> torch.Tensor:
        pixels.extend([batch] if model.training else [])
        return forward(model, batch)

    monkeypatch.setattr(module.SiameseNetwork, "forward", noted)
    trained(images, tmp_path / "a", config=settings(flip=0, rotation_deg=10, epochs=1))
    assert distances(images, torch.cat(pixels)).amin() > 0.1


@pytest.mark.parametrize(("warmup_share", "factors"), RATES)
def test_the_learning_rate_of_every_step(images: Path, tmp_path: Path, rates: list, warmup_share: float, factors: list[float]) -> None:
    trained(images, tmp_path / "a", config=settings(epochs=4, patience=4, lr=2e-4, weight_decay=0.03, warmup_share=warmup_share))
    assert [rate for rate, *_ in rates] == pytest.approx([2e-4 * factor for factor in factors])  # 20 triplets in batches of 8: 3 steps an epoch
    assert {decay for _, decay, _ in rates} == {0.03}


def test_the_trained_images_find_their_identity_afterwards(images: Path, tmp_path: Path) -> None:
    repaint(images)
    fitted, _ = sides(images)
    found = []
    for epochs, lr in ((1, 1e-12), (20, 1e-3)):
        config = settings(epochs=epochs, patience=epochs, lr=lr, warmup_share=1, flip=0, rotation_deg=0)  # the last epoch's weights are kept
        trained(images, tmp_path / str(epochs), config=config.model_copy(update={"margin": 1.0}))
        with torch.no_grad():
            vectors = load_siamese(tmp_path / str(epochs) / "model.safetensors", BACKBONE)(stored(images, 64, 32, fitted))
        found.append(nearest_is_right(vectors, [row["pid"] for row in fitted]))
    assert found[0] < 0.4 and found[1] > 0.75


def test_the_validation_values_are_those_of_the_kept_weights(images: Path, tmp_path: Path) -> None:
    config = settings(epochs=3, patience=3, stop_on="val_mAP")
    _, history = trained(images, tmp_path, config=config)
    embed_siamese(images, tmp_path / "model.safetensors", BACKBONE, SPLIT, RUNTIME, tmp_path / "descriptors.parquet")
    side = load_descriptors(images, tmp_path / "descriptors.parquet").holdout
    assert side is not None and len(side) == 12
    is_query = choose_queries(side.labels, 1, 1)
    query, gallery = side.take(is_query), side.take(~is_query)
    precisions = []
    for i in range(len(query)):
        order = np.argsort(-(gallery.descriptor @ query.descriptor[i]), kind="stable")
        right = gallery.labels.pid[order] == query.labels.pid[i]
        precisions.append(np.mean([right[: place + 1].sum() / (place + 1) for place in np.flatnonzero(right)]))
    assert max(float(row["val_mAP"]) for row in history[1:]) == pytest.approx(100 * np.mean(precisions), abs=1e-3)


def test_descriptors_image_by_image(images: Path, tmp_path: Path) -> None:
    trained(images, tmp_path)
    embed_siamese(images, tmp_path / "model.safetensors", BACKBONE, SPLIT, RUNTIME, tmp_path / "d.parquet")
    table, rows = read_parquet(tmp_path / "d.parquet").to_pylist(), read_parquet(images, IMAGES_SCHEMA).to_pylist()
    pids = np.array([row["pid"] for row in rows if row["split"] == "train"])
    fitted = set(pids[trained_on(pids, 0.6, 1)].tolist())
    searched = [row for row in rows if row["pid"] != -1 and (row["split"] != "train" or row["pid"] not in fitted)]
    assert [(row["image_id"], row["split"]) for row in table] == [(row["image_id"], row["split"].replace("train", "holdout")) for row in searched]
    model = load_siamese(tmp_path / "model.safetensors", BACKBONE)
    for line, row in zip(table, searched, strict=True):
        with torch.no_grad():
            expected = model(normalize(to_input(read_image(Path(row["path"]))[None], 64, 32)))[0]
        np.testing.assert_allclose(line["descriptor"], expected.numpy(), atol=1e-5)


def test_an_interrupted_training_ends_with_the_same_bytes(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings(epochs=4, patience=2)
    trained(images, tmp_path / "whole", config=config)
    validate = module._SiameseRun.validate

    def killed(self: object, epoch: int) -> dict[str, float]:
        if epoch == 2:
            raise KeyboardInterrupt
        return validate(self, epoch)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(module._SiameseRun, "validate", killed)
    with pytest.raises(KeyboardInterrupt):
        trained(images, tmp_path / "resumed", config=config)
    assert list((tmp_path / "resumed" / ".resume").glob("*.pt"))
    monkeypatch.undo()
    trained(images, tmp_path / "resumed", config=config)
    for name in ("model.safetensors", "history.csv"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "resumed" / name).read_bytes()
    assert not (tmp_path / "resumed" / ".resume").exists()


def test_what_cannot_be_trained_is_refused(images_of: Callable[[list[Row]], Path], rows: list[Row], tmp_path: Path) -> None:
    pids = np.array([row["pid"] for row in rows if row["split"] == "train"])
    fitted = set(pids[trained_on(pids, 0.6, 1)].tolist())
    for side, name in ((fitted, "trained"), (set(pids.tolist()) - fitted, "validation")):
        alone = [row for row in rows if row["pid"] not in side or row["image_id"].endswith("_0.png")]  # one image each
        with pytest.raises(InputError, match=rf"other\.parquet: {name} images: no triplet among \d identities"):
            train_siamese(images_of(alone), None, settings(), RUNTIME, 1, outputs(tmp_path / "a"))


def test_map_cannot_decide_without_a_right_image(images_of: Callable[[list[Row]], Path], rows: list[Row], tmp_path: Path) -> None:
    one_camera = images_of([row | {"camid": 1} for row in rows])
    config = settings().model_copy(update={"search": SearchConfig(same_camera="drop")})
    _, history = trained(one_camera, tmp_path / "a", config=config)
    assert [row["val_mAP"] for row in history] == ["", ""]
    deciding = config.model_copy(update={"training": config.training.model_copy(update={"stop_on": "val_mAP"})})
    with pytest.raises(InputError, match="none of the 3 queries has a valid match"):
        train_siamese(one_camera, None, deciding, RUNTIME, 1, outputs(tmp_path / "b"))


def test_weights_that_do_not_fit_are_named(images: Path, tmp_path: Path) -> None:
    save_weights(tmp_path / "w.safetensors", {"other": torch.zeros(2)}, {})
    with pytest.raises(InputError, match=r"w\.safetensors: does not fit the configured siamese network"):
        embed_siamese(images, tmp_path / "w.safetensors", BACKBONE, SPLIT, RUNTIME, tmp_path / "out.parquet")
    with pytest.raises(InputError, match=r"w\.safetensors: does not fit the 'trunk' of the configured model"):
        train_siamese(images, tmp_path / "w.safetensors", settings(), RUNTIME, 1, outputs(tmp_path / "a"))
    assert not (tmp_path / "out.parquet").exists()
