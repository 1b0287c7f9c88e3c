"""Training, embedding and evaluation on a small data set: what is written, what is seeded, what a kill leaves, what is refused."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from qafm.companions.slicenet import train_slicenet as module
from qafm.companions.slicenet.embed_slicenet import embed_slicenet
from qafm.companions.slicenet.evaluate_slicenet import evaluate_slicenet
from qafm.companions.slicenet.load_weights import load_col780_weights
from qafm.companions.slicenet.pixel_statistics import pixel_statistics
from qafm.companions.slicenet.results import read_looks, read_protocols
from qafm.companions.slicenet.train_slicenet import train_slicenet
from qafm.config.runtime import RuntimeConfig
from qafm.config.sliced_net import NetworkConfig, TrainSlicenetConfig
from qafm.errors import InputError
from qafm.images.image_set import load_image_set, select_rows
from qafm.models.weights import load_weights
from qafm.runtime.torch_setup import describe_device
from qafm.training.stage import TrainingOutputs

People = Callable[..., Path]
RUNTIME = RuntimeConfig(threads=1, device="cpu")
NETWORK = NetworkConfig(network="slicenet2", height=16, width=8, slices=2)
CONFIG = TrainSlicenetConfig(network=NETWORK, epochs=3, batch_size=5, check_every=2)


def trained(images: Path, folder: Path, config: TrainSlicenetConfig = CONFIG, seed: int = 1) -> tuple[Path, Path]:
    weights, history = folder / "model.safetensors", folder / "history.csv"
    settings = {"config": config.model_dump(mode="json"), "seed": seed}
    train_slicenet(images, config, RUNTIME, seed, TrainingOutputs.keyed(str(weights), str(history), settings, [str(images)]))
    return weights, history


def rows_of(history: Path) -> list[dict[str, str]]:
    with history.open() as stream:
        return list(csv.DictReader(stream))


def test_what_a_training_writes(people: People, tmp_path: Path) -> None:
    images = people(train_ids=4, held_out=1)
    weights, history = trained(images, tmp_path / "run")
    rows = rows_of(history)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [row["images_seen"] for row in rows] == ["24", "48", "72"]  # 3 identities x 4 images x 2
    assert [bool(row["top10_mAP"]) for row in rows] == [False, True, True]  # every second epoch, and the last
    assert {name for name in rows[0] if "_" in name} == {"cross_entropy", "images_seen"} | {
        f"{protocol}_{metric}" for protocol in ("top10", "full", "no_copies", "market") for metric in ("rank1", "rank5", "mAP")
    }
    assert len({row["kappa"] for row in rows}) == 3
    tensors, provenance = load_weights(weights)
    assert provenance == {"config": CONFIG.model_dump(mode="json"), "seed": 1, "machines": [describe_device(torch.device("cpu"))]}
    assert tensors["classifier.weight"].shape == (128, 3)
    train = load_image_set(select_rows(images, split="train", fold="fit"), 16, 8)
    for name, value in zip(("mean", "std"), pixel_statistics(train.pixels), strict=True):
        assert torch.equal(tensors[name], value)
    assert not (tmp_path / "run" / ".resume").exists()


def test_copies_are_mirrored_and_can_be_left_out(people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, seen = people(), []
    forward = module.SlicedNet.forward

    def noted(model: Any, pixels: torch.Tensor) -> Any:
        if model.training:
            seen.extend(pixels)
        return forward(model, pixels)

    monkeypatch.setattr(module.SlicedNet, "forward", noted)
    one = CONFIG.model_copy(update={"epochs": 1})
    trained(images, tmp_path / "copies", one)
    train = load_image_set(select_rows(images, split="train"), 16, 8).pixels
    expected = [picture.numpy().tobytes() for picture in (*train, *train.flip(3))]
    assert sorted(picture.numpy().tobytes() for picture in seen) == sorted(expected)
    seen.clear()
    _, history = trained(images, tmp_path / "plain", one.model_copy(update={"flip": False}))
    assert sorted(picture.numpy().tobytes() for picture in seen) == sorted(expected[: len(train)])
    assert rows_of(history)[-1]["images_seen"] == "12"


def test_the_learning_rate_is_constant(people: People, tmp_path: Path, rates: list) -> None:
    trained(people(), tmp_path / "run", CONFIG.model_copy(update={"lr": 0.002}))
    assert set(rates) == {(0.002, 0, (0.9, 0.999))} and len(rates) == 3 * 5  # 24 images in batches of 5


def test_equal_seeds_give_equal_bytes_and_a_network_learns(people: People, tmp_path: Path) -> None:
    images = people(train_ids=2)
    config = CONFIG.model_copy(update={"epochs": 12, "check_every": 12})
    runs = [trained(images, tmp_path / f"run-{i}", config, seed) for i, seed in enumerate((1, 1, 2))]
    assert [path.read_bytes() for path in runs[0]] == [path.read_bytes() for path in runs[1]]
    assert runs[0][1].read_bytes() != runs[2][1].read_bytes()
    losses = [float(row["cross_entropy"]) for row in rows_of(runs[0][1])]
    assert losses[-1] < 0.7 * losses[0]


def test_a_killed_training_ends_with_the_same_bytes(people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = people()
    undisturbed = trained(images, tmp_path / "one")
    measure = module.PeriodicEvaluation.measure

    def killed(*_arguments: Any) -> dict[str, float]:
        raise KeyboardInterrupt

    monkeypatch.setattr(module.PeriodicEvaluation, "measure", killed)
    with pytest.raises(KeyboardInterrupt):
        trained(images, tmp_path / "two")
    monkeypatch.setattr(module.PeriodicEvaluation, "measure", measure)
    assert list((tmp_path / "two" / ".resume").iterdir())
    assert [path.read_bytes() for path in trained(images, tmp_path / "two")] == [path.read_bytes() for path in undisturbed]


def test_looks_change_nothing_of_the_training(people: People, tmp_path: Path) -> None:
    images = people()
    every, last = (trained(images, tmp_path / f"{n}", CONFIG.model_copy(update={"check_every": n})) for n in (1, 100))
    assert load_weights(every[0])[0].keys() == load_weights(last[0])[0].keys()
    assert all(torch.equal(one, load_weights(last[0])[0][name]) for name, one in load_weights(every[0])[0].items())
    assert [len(read_looks(history)) for history in (every[1], last[1])] == [3, 1]


@pytest.mark.parametrize(
    ("data", "message"),
    [({"train_ids": 1}, "training needs at least 2 identities, found 1"), ({"train_ids": 3, "held_out": 3}, "no image with split train and fold fit")],
)
def test_too_few_identities(people: People, tmp_path: Path, data: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        trained(people(**data), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("network", [NETWORK, NetworkConfig(network="slicenet1", height=16, width=8, slices=2), NetworkConfig(height=8, width=16)])
@pytest.mark.parametrize("size", [(40, 13), (7, 30)])
def test_the_last_look_is_what_the_evaluation_finds(people: People, tmp_path: Path, network: NetworkConfig, size: tuple[int, int]) -> None:
    images = people(size=size, train_ids=3, held_out=1)
    weights, history = trained(images, tmp_path, TrainSlicenetConfig(network=network, epochs=2, batch_size=16, flip=False))
    embed_slicenet(images, weights, network, RUNTIME, sign=False, out=tmp_path / "descriptors.parquet")
    places = {"retrieval": tmp_path / "retrieval.json", "protocols": tmp_path / "protocols.json"}
    evaluate_slicenet("some_row", images, tmp_path / "descriptors.parquet", same_camera="drop", ranks=(1, 2), note="a note", **places)
    looked = read_looks(history)[-1].protocols
    for protocol, metrics in read_protocols(places["protocols"], "some_row").items():
        assert metrics is not None
        assert {name: value for name, value in metrics.items() if name != "n_queries"} == pytest.approx(looked[protocol], rel=1e-5)
        assert metrics["n_queries"] == 3
    shared = json.loads(places["retrieval"].read_text())
    assert (shared["experiment"], shared["note"], set(shared["galleries"])) == ("some_row", "a note", {"standard", "no_distractors"})
    standard = shared["galleries"]["standard"]["metrics"]
    assert standard["mAP"] == pytest.approx(looked["market"]["mAP"], rel=1e-5) and {"rank1", "rank2"} <= set(standard)  # type: ignore[index]


def test_descriptors_of_query_gallery_and_held_out_images(people: People, tmp_path: Path) -> None:
    images = people(train_ids=3, held_out=1)
    weights, _ = trained(images, tmp_path)
    tables = {}
    for sign in (False, True):
        embed_slicenet(images, weights, NETWORK, RUNTIME, sign=sign, out=tmp_path / "descriptors.parquet")
        tables[sign] = pq.read_table(tmp_path / "descriptors.parquet")
    names = tables[False]["image_id"].to_pylist()
    splits = dict(zip(names, tables[False]["split"].to_pylist(), strict=True))
    assert {name.split("-")[0]: split for name, split in splits.items()} == {"query": "query", "gallery": "gallery", "train": "holdout"}
    assert len(names) == 4 + 3 + 9 + 1 and "gallery-junk" not in names
    plain, signs = (np.array(table["descriptor"].to_pylist()) for table in tables.values())
    np.testing.assert_allclose(np.linalg.norm(plain, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(signs, np.sign(plain) / np.sqrt(128), rtol=1e-5)
    model = load_col780_weights(weights, NETWORK)
    row = names.index("query-102")
    pixels = load_image_set(select_rows(images, split="query"), 16, 8).pixels
    with torch.no_grad():
        np.testing.assert_allclose(plain[row], model(pixels[1:2]).vector[0].numpy(), rtol=1e-3, atol=1e-5)


def test_weights_of_another_network_are_refused(people: People, tmp_path: Path) -> None:
    images = people()
    weights, _ = trained(images, tmp_path)
    with pytest.raises(InputError, match=r"model\.safetensors: dense_10\..* has the shape"):
        embed_slicenet(images, weights, NetworkConfig(height=16, width=8), RUNTIME, sign=False, out=tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_without_cameras(people: People, tmp_path: Path) -> None:
    images = people(cameras=False, distractors=0)
    weights, history = trained(images, tmp_path)
    assert not any(name.startswith("market") for name in rows_of(history)[0])
    embed_slicenet(images, weights, NETWORK, RUNTIME, sign=False, out=tmp_path / "d.parquet")
    places = {"retrieval": tmp_path / "retrieval.json", "protocols": tmp_path / "protocols.json"}
    evaluate_slicenet("row", images, tmp_path / "d.parquet", same_camera="keep", ranks=(1,), note="", **places)
    found = read_protocols(places["protocols"], "row")
    assert found["market"] is None
    assert set(json.loads(places["retrieval"].read_text())["galleries"]) == {"standard"}
    assert json.loads(places["retrieval"].read_text())["galleries"]["standard"]["metrics"]["mAP"] == pytest.approx(found["no_copies"]["mAP"])  # type: ignore[index]
    with pytest.raises(InputError, match="set same_camera to keep"):
        evaluate_slicenet("row", images, tmp_path / "d.parquet", same_camera="drop", ranks=(1,), note="", **places)
