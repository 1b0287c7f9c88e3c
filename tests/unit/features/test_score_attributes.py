"""APAN's attributes scored from the weights of stage 1 and of stage 2, against image-by-image loops."""

import csv
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig, PretrainApanConfig
from qafm.config.fusion import ArchitectureConfig, HeadConfig
from qafm.config.runtime import RuntimeConfig
from qafm.config.training import BranchTrainingConfig
from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.features.score_attributes import PREFIXES, Stage, load_attribute_branch, score_attributes
from qafm.images import forward as module
from qafm.images.network_input import normalize, to_input
from qafm.models.branch import AttributeBranch
from qafm.models.qafm import Qafm
from qafm.models.weights import load_weights, save_weights
from qafm.runtime.torch_setup import describe_device
from qafm.tables.attributes import ATTRIBUTE_NAMES, ATTRIBUTE_SIZES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet
from qafm.training.pretrain_apan import pretrain_apan
from qafm.training.stage import TrainingOutputs

BACKBONE = BackboneConfig(name="resnet10", last_stride=1, init="random", height=64, width=32)
APAN = ApanConfig(pafm_channels=4, step_channels=4, hidden_channels=4, embedding_dim=10)
APN = ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(16, 16), embedding_dim=12)
RUNTIME = RuntimeConfig(threads=1, device="cpu")
IDS = 3
# (name, split, fold, pid): what is scored, what decides the majority, and what never counts
IMAGES = [
    *((f"fit_{i}", "train", "fit", 1 + i // 3) for i in range(9)),
    *((f"held_{i}", "train", "holdout", 11) for i in range(4)),
    *((f"query_{i}", "query", None, 21) for i in range(2)),
    *((f"gallery_{i}", "gallery", None, 21 + i // 3) for i in range(7)),
    *((f"junk_{i}", "gallery", None, -1) for i in range(2)),
    *((f"distractor_{i}", "gallery", None, 0) for i in range(2)),
]


def rows_of(folder: Path, unknown: float = 0.2) -> list[dict[str, object]]:
    rng = np.random.default_rng(5)
    rows = []
    for name, split, fold, pid in IMAGES:
        path = folder / f"{name}.png"
        cv2.imwrite(str(path), rng.integers(0, 256, (64, 32, 3), dtype=np.uint8) // 2 + rng.integers(0, 128, 3, dtype=np.uint8))
        row: dict[str, object] = {field.name: None for field in IMAGES_SCHEMA}
        row |= {"image_id": name, "path": str(path), "split": split, "fold": fold, "pid": pid, "junk": pid == -1, "distractor": pid == 0}
        row |= {"sha256": name, "height": 64, "width": 32}
        labels = {key: None if rng.random() < unknown else int(rng.integers(size)) for key, size in zip(ATTRIBUTE_NAMES, ATTRIBUTE_SIZES, strict=True)}
        rows.append(row | labels | {"age": None if split == "gallery" else labels["age"]})
    return rows


@pytest.fixture
def images(tmp_path: Path) -> Path:
    write_parquet(tmp_path / "images.parquet", pa.Table.from_pylist(rows_of(tmp_path), IMAGES_SCHEMA))
    return tmp_path / "images.parquet"


def write_images(path: Path, rows: list[dict[str, object]]) -> Path:
    write_parquet(path, pa.Table.from_pylist(rows, IMAGES_SCHEMA))
    return path


def branch(apan: ApanConfig = APAN, ids: int = IDS) -> AttributeBranch:
    """Untrained, but with batch-norm statistics, and heads that answer with all their classes."""
    torch.manual_seed(3)
    model = AttributeBranch(BACKBONE, apan, ids).train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(6, 3, 64, 32))
        for name, parameter in model.named_parameters():
            if "head" in name:
                parameter.normal_(std=3)
    return model.eval()


def save(path: Path, model: torch.nn.Module) -> Path:
    save_weights(path, model.state_dict(), {})
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def answers(model: AttributeBranch, path: str) -> list[int]:
    """The 12 codes of one image, one head at a time."""
    with torch.no_grad():
        logits = model(normalize(to_input(read_image(Path(path))[None], 64, 32))).attribute_logits
    return [int(torch.argmax(x[0])) if x.ndim == 2 else int(x[0] > 0) for x in logits]


@pytest.mark.parametrize("apan", [APAN, APAN.model_copy(update={"identity_head": False}), APAN.model_copy(update={"heads": "single", "steps": 1})])
def test_scores_of_stage_1_against_loops(images: Path, tmp_path: Path, apan: ApanConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IMAGES_PER_BATCH", 3)
    model = branch(apan)
    score_attributes(save(tmp_path / "w.safetensors", model), "apan", images, BACKBONE, apan, RUNTIME, tmp_path / "out.csv")
    found = read(tmp_path / "out.csv")
    assert list(found[0]) == ["set", "attribute", "n", "accuracy", "macro_f1", "majority", "n_images", "official", "official_majority"]
    assert [(row["set"], row["attribute"]) for row in found] == [(name, attribute) for name in ("holdout", "gallery") for attribute in ATTRIBUTE_NAMES]
    rows = rows_of(tmp_path)
    fit = [row for row in rows if row["fold"] == "fit"]
    for line in found:
        prefix = {"holdout": "held_", "gallery": "gallery_"}[line["set"]]
        column = ATTRIBUTE_NAMES.index(line["attribute"])
        chosen = [(row[line["attribute"]], answers(model, str(row["path"]))[column]) for row in rows if str(row["image_id"]).startswith(prefix)]
        known = [(label, answer) for label, answer in chosen if label is not None]
        counts = [sum(row[line["attribute"]] == code for row in fit) for code in range(ATTRIBUTE_SIZES[column])]
        most = counts.index(max(counts))
        assert (line["n"], line["n_images"]) == (str(len(known)), str(len(chosen)))
        right, common = sum(label == answer for label, answer in known), sum(label == most for label, _ in known)
        expected = [100 * right / len(known), 100 * common / len(known), 100 * right / len(chosen), 100 * common / len(chosen)] if known else [""] * 4
        cells = [line[name] for name in ("accuracy", "majority", "official", "official_majority")]
        assert cells == [value if isinstance(value, str) else f"{value:.4f}" for value in expected]
    age = next(row for row in found if row["set"] == "gallery" and row["attribute"] == "age")
    assert [age[name] for name in ("n", "macro_f1", "n_images")] == ["0", "", "7"]
    assert any(row["n"] != row["n_images"] != "0" and row["official"] != row["accuracy"] for row in found)


def test_stage_2_holds_the_same_branch_under_another_name(images: Path, tmp_path: Path) -> None:
    alone, other = branch(ids=7), branch(ids=IDS)
    architecture = ArchitectureConfig(backbone=BACKBONE, apn=APN, apan=APAN)
    model = Qafm(architecture, HeadConfig(dim=14), 7, None)
    model.attribute.load_state_dict(alone.state_dict())
    first, second = save(tmp_path / "apan.safetensors", alone), save(tmp_path / "fusion.safetensors", model)
    parts: tuple[Stage, ...] = get_args(Stage)
    assert parts == tuple(PREFIXES) == ("apan", "fusion")
    for part, weights in zip(parts, (first, second), strict=True):
        for run in ("a", "b"):
            score_attributes(weights, part, images, BACKBONE, APAN, RUNTIME, tmp_path / f"{part}-{run}.csv")
    contents = {(tmp_path / f"{part}-{run}.csv").read_bytes() for part in parts for run in ("a", "b")}
    assert len(contents) == 1
    loaded = load_attribute_branch(second, "fusion", BACKBONE, APAN)
    assert not loaded.training and loaded.apan.neck is not None and loaded.apan.neck.classifier.out_features == 7
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in alone.state_dict().items())
    assert load_attribute_branch(save(first, other), "apan", BACKBONE, APAN).state_dict()["apan.neck.classifier.weight"].shape[0] == IDS


def test_a_set_without_images_has_no_row_and_unknown_labels_no_score(tmp_path: Path) -> None:
    weights = save(tmp_path / "w.safetensors", branch())
    for name, keep, sets in (("a", "gallery", ["gallery"]), ("b", "held", ["holdout"]), ("c", "query", [])):
        rows = [row | dict.fromkeys(ATTRIBUTE_NAMES) for row in rows_of(tmp_path) if str(row["image_id"]).startswith(keep)]
        score_attributes(weights, "apan", write_images(tmp_path / "some.parquet", rows), BACKBONE, APAN, RUNTIME, tmp_path / f"{name}.csv")
        found = read(tmp_path / f"{name}.csv")
        assert [row["set"] for row in found] == sets * 12
        assert all(row["n"] == "0" and row["n_images"] != "0" and not any(list(row.values())[3:6]) and not row["official"] for row in found)
    assert (tmp_path / "c.csv").read_text().startswith("set,attribute,n,")
    rows = [row for row in rows_of(tmp_path, 0.0) if not str(row["image_id"]).startswith("fit")]
    score_attributes(weights, "apan", write_images(tmp_path / "some.parquet", rows), BACKBONE, APAN, RUNTIME, tmp_path / "d.csv")
    assert all(row["accuracy"] and not row["majority"] and not row["official_majority"] for row in read(tmp_path / "d.csv")[:12])


def test_settings_reach_the_model(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = save(tmp_path / "w.safetensors", branch())
    seen = []
    monkeypatch.setattr(module, "autocast", lambda device, runtime: (seen.append(runtime.precision), torch.autocast(device.type, enabled=False))[1])
    forward = AttributeBranch.forward
    monkeypatch.setattr(AttributeBranch, "forward", lambda self, x: (seen.append(tuple(x.shape[2:])), forward(self, x))[1])
    backbone = BACKBONE.model_copy(update={"height": 96, "width": 48})
    score_attributes(weights, "apan", images, backbone, APAN, RUNTIME.model_copy(update={"precision": "bf16"}), tmp_path / "out.csv")
    assert set(seen) == {"bf16", (96, 48)}


def test_branch_and_images_go_to_the_device_that_the_settings_lead_to(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands for a GPU."""
    weights = save(tmp_path / "w.safetensors", branch())
    asked, places = [], set()

    def forward(self: AttributeBranch, x: torch.Tensor) -> SimpleNamespace:
        places.update({x.device.type, *(parameter.device.type for parameter in self.parameters())})
        return SimpleNamespace(attribute_logits=[torch.zeros(len(x)) for _ in ATTRIBUTE_NAMES])

    monkeypatch.setattr("qafm.features.score_attributes.prepare_torch", lambda runtime: (asked.append(runtime), torch.device("meta"))[1])
    monkeypatch.setattr(module, "autocast", lambda *_: nullcontext())
    monkeypatch.setattr(AttributeBranch, "forward", forward)
    score_attributes(weights, "apan", images, BACKBONE, APAN, RUNTIME, tmp_path / "out.csv")
    assert (asked, places) == ([RUNTIME], {"meta"})
    assert len(read(tmp_path / "out.csv")) == 24


def test_weights_that_do_not_fit_are_named(images: Path, tmp_path: Path) -> None:
    weights = save(tmp_path / "w.safetensors", branch())
    with pytest.raises(InputError, match=r"w\.safetensors: holds no attribute branch of stage 'fusion' \(no tensor attribute\.apan\.\*\)$"):
        score_attributes(weights, "fusion", images, BACKBONE, APAN, RUNTIME, tmp_path / "out.csv")
    with pytest.raises(InputError, match=r"^[^\n]*w\.safetensors: does not fit the 'apan' of the configured model[^\n]*$"):
        score_attributes(weights, "apan", images, BACKBONE, APAN.model_copy(update={"hidden_channels": 5}), RUNTIME, tmp_path / "out.csv")
    with pytest.raises(InputError, match=r"none\.safetensors: cannot be read as weights"):
        score_attributes(tmp_path / "none.safetensors", "apan", images, BACKBONE, APAN, RUNTIME, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_what_stage_1_writes_can_be_scored(images: Path, tmp_path: Path) -> None:
    config = PretrainApanConfig(backbone=BACKBONE, apan=APAN, training=BranchTrainingConfig(epochs=1))
    folder = tmp_path / "apan"
    outputs = TrainingOutputs.keyed(str(folder / "model.safetensors"), str(folder / "history.csv"), {"seed": 4}, [str(images)])
    pretrain_apan(images, None, config, RUNTIME, 4, outputs)
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == ["history.csv", "model.safetensors"]
    assert [list(row) for row in read(folder / "history.csv")] == [["epoch", "attributes", "images_seen"]]
    assert load_weights(folder / "model.safetensors")[1] == {"seed": 4, "machines": [describe_device(torch.device("cpu"))]}
    score_attributes(folder / "model.safetensors", "apan", images, BACKBONE, APAN, RUNTIME, tmp_path / "out.csv")
    assert len(read(tmp_path / "out.csv")) == 24
