"""Stage 6 as a whole on images of noise: what is loaded, what moves, what is recorded, and that an interrupted run ends like an undisturbed one."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig, PretrainApanConfig
from qafm.config.choices import SameCamera
from qafm.config.fusion import ArchitectureConfig, TrainFusionConfig
from qafm.config.runtime import RuntimeConfig
from qafm.errors import InputError
from qafm.models.branch import AttributeBranch, VisualBranch
from qafm.models.weights import load_weights, save_weights
from qafm.runtime.resume import ResumeState
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.tables.quality import QUALITY_SCHEMA
from qafm.training.freezing import Freezing
from qafm.training.stage import TrainingOutputs
from qafm.training.train_fusion import FusionInputs, build_model, build_optimizer, train_fusion
from tests.made_up_images import write_images

ARCHITECTURE = ArchitectureConfig(
    backbone=BackboneConfig(name="resnet10", channels=16, init="random", height=64, width=32),
    apn=ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(16, 16), embedding_dim=12),
    apan=ApanConfig(pafm_channels=4, step_channels=4, hidden_channels=4, embedding_dim=10),
)
TRAINING = {
    "epochs": 3,
    "batch": {"ids": 2, "images_per_id": 2},
    "optimizer": {"weight_decay": 0.0, "warmup_epochs": 0},
    "head": {"dim": 14},
    "freeze_epochs": 1,
}
TARGET = ["target_mean", "target_sd", "target_q_r", "weight_mean", "weight_sd", "weight_q_r"]


def config(**changes: Any) -> TrainFusionConfig:
    return TrainFusionConfig.model_validate(TRAINING | changes)


def inputs(folder: Path, *, holdout: int = 2, with_q: int = 100) -> FusionInputs:
    """Four identities to train on and both branches as stage 5 leaves them; `with_q`: how many images have a Q."""
    images = write_images(folder, {"fit": 4, "holdout": holdout})
    rows = [{"image_id": str(i), "q": 1.0 + 0.1 * i, "q_z": 0.0, "q_rank": 0.0} for i in range(min(with_q, 8 + 2 * holdout))]
    write_parquet(folder / "quality.parquet", pa.Table.from_pylist(rows, QUALITY_SCHEMA))
    (folder / "quality.json").write_text(json.dumps({"reference": {"mean": 1.5, "sd": 0.4}}))
    torch.manual_seed(3)
    apan = PretrainApanConfig.model_validate({"backbone": ARCHITECTURE.backbone, "apan": ARCHITECTURE.apan, "stage_1": "all"})
    save_weights(folder / "apn.safetensors", VisualBranch(ARCHITECTURE.backbone, ARCHITECTURE.apn, 4).state_dict(), {})
    save_weights(
        folder / "apan.safetensors", AttributeBranch(ARCHITECTURE.backbone, ARCHITECTURE.apan, 4).state_dict(), {"config": apan.model_dump(mode="json")}
    )
    return FusionInputs(images, folder / "quality.parquet", folder / "quality.json", folder / "apn.safetensors", folder / "apan.safetensors", None)


def run(files: FusionInputs, settings: TrainFusionConfig, name: str = "run", same_camera: SameCamera = "drop") -> tuple[dict[str, torch.Tensor], pd.DataFrame]:
    """Weights and history."""
    folder = files.images.parent / name
    folder.mkdir(exist_ok=True)
    outputs = TrainingOutputs.keyed(str(folder / "w.safetensors"), str(folder / "h.csv"), {"config": settings.model_dump(mode="json")}, [])
    train_fusion(files, ARCHITECTURE, settings, same_camera, RuntimeConfig(threads=1, device="cpu"), 1, outputs)
    return load_weights(folder / "w.safetensors")[0], pd.read_csv(folder / "h.csv")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["alpha", *TARGET]),
        ({"alpha": {"target": "train", "loss": "expected_loss"}}, ["alpha", *TARGET]),
        ({"alpha": {"loss": "fused_id"}}, ["alpha"]),
        ({"gradients": "original"}, ["mix"]),
        ({"alpha": {"fixed": 0.5}}, []),
    ],
)
def test_the_history_says_how_the_weight_learns(tmp_path: Path, changes: dict[str, Any], expected: list[str]) -> None:
    _, history = run(inputs(tmp_path), config(**changes))
    always = {
        "epoch",
        "images_seen",
        "apn_identity",
        "apn_triplet",
        "apn_stripes",
        "apan_attributes",
        "apan_identity",
        "apan_triplet",
        "global_identity",
        "global_triplet",
    }
    assert set(history) - always == set(expected)
    assert history[["alpha"] if "alpha" in expected else []].isna().all(axis=1).tolist()[:1] == [True]  # not in the frozen epoch


def test_frozen_branches_are_those_of_stage_five_to_the_bit_while_head_learns_and_the_weight_stands(tmp_path: Path) -> None:
    files = inputs(tmp_path)
    one, _ = run(files, config(epochs=1), "frozen")
    more, _ = run(files, config(epochs=3), "thawed")
    for path, branch in ((files.apn, "visual"), (files.apan, "attribute")):
        before, _ = load_weights(path)
        learned = [name for name in before if name.endswith("conv1.weight")]
        assert all(torch.equal(one[f"{branch}.{name}"], before[name]) for name in before)
        assert learned and not any(torch.equal(more[f"{branch}.{name}"], before[name]) for name in learned)
    assert not torch.equal(one["head.fc.weight"], more["head.fc.weight"])
    assert torch.equal(one["weight_mlp.output.bias"], torch.zeros(1))
    assert not torch.equal(one["weight_mlp.hidden.weight"], more["weight_mlp.hidden.weight"])


def test_each_part_has_its_own_rate(tmp_path: Path) -> None:
    settings = config(branch_lr_factor=0.2, alpha={"lr": 0.03}, optimizer={"lr": 0.5, "weight_decay": 0.1})
    model, before = build_model(inputs(tmp_path), ARCHITECTURE, settings, 4)
    optimizer = build_optimizer(model, Freezing(model, before, settings), settings)
    names = {id(parameter): name.split(".")[0] for name, parameter in model.named_parameters()}
    rates = {names[id(parameter)]: (group["base_lr"], group["weight_decay"]) for group in optimizer.param_groups for parameter in group["params"]}
    assert rates == {"visual": (pytest.approx(0.1), 0.1), "attribute": (pytest.approx(0.1), 0.1), "head": (0.5, 0.1), "weight_mlp": (0.03, 0.0)}


def test_images_without_q_are_taken_as_average_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _, history = run(inputs(tmp_path, with_q=0), config())
    assert "4 of 4 images have no Q and are taken as average" in caplog.text
    assert "8 of 8 images have no Q and are taken as average" in caplog.text
    assert history["weight_sd"].dropna().tolist() == [0, 0]


@pytest.mark.parametrize(
    "changes",
    [{"alpha": {"start": "half", "target": "train"}}, {"alpha": {"start": "half", "loss": "fused_id"}}, {"alpha": {"start": "half"}, "gradients": "original"}],
)
def test_a_weight_that_needs_no_held_out_identities_learns_without_them(tmp_path: Path, changes: dict[str, Any]) -> None:
    weights, _ = run(inputs(tmp_path, holdout=0), config(**changes))
    assert not torch.equal(weights["weight_mlp.output.bias"], torch.zeros(1))


def test_the_weight_is_taught_for_the_search_that_the_data_set_asks_for(tmp_path: Path) -> None:
    files = inputs(tmp_path)
    table = read_parquet(files.images, IMAGES_SCHEMA)
    one_camera = table.set_column(
        table.schema.get_field_index("camid"), IMAGES_SCHEMA.field("camid"), pa.array([1] * len(table), IMAGES_SCHEMA.field("camid").type)
    )
    write_parquet(files.images, one_camera)
    with pytest.raises(InputError, match=r"images\.parquet: none of the held-out identities is seen by two cameras.*alpha\.start to half"):
        run(files, config(), "dropped")
    assert not (tmp_path / "dropped" / ".resume").exists(), "told before the first epoch"
    run(files, config(alpha={"start": "half"}), "half")
    _, history = run(files, config(), "kept", "keep")
    assert history["target_sd"].iloc[1] > 0


@pytest.mark.parametrize("stop_after", [1, 2])
def test_an_interrupted_run_ends_with_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: int) -> None:
    files = inputs(tmp_path)
    expected, history = run(files, config(), "undisturbed")
    save = ResumeState.save

    def save_and_stop(self: ResumeState, state: dict[str, Any]) -> None:
        save(self, state)
        if len(state["history"]) == stop_after:
            raise KeyboardInterrupt

    monkeypatch.setattr(ResumeState, "save", save_and_stop)
    with pytest.raises(KeyboardInterrupt):
        run(files, config(), "interrupted")
    monkeypatch.undo()
    found, again = run(files, config(), "interrupted")
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    pd.testing.assert_frame_equal(again, history)


def test_weights_that_do_not_say_what_apan_learned_from_are_refused(tmp_path: Path) -> None:
    files = inputs(tmp_path)
    assert files.apan is not None
    save_weights(files.apan, load_weights(files.apan)[0], {})
    with pytest.raises(InputError, match=r"apan.safetensors: its header does not say what APAN was trained on"):
        run(files, config())
