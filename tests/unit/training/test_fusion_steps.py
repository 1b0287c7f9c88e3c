"""What each step of stage 6 is made of: the branches of stage 5, every image at its own weight, each loss on its own part, and what teaches the weight.

The optimiser moves nothing here, so that every loss of the learning curve can be computed again from the first weights.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from torch import Tensor, nn

from qafm.config.branches import PretrainApanConfig
from qafm.config.fusion import ArchitectureConfig, TrainFusionConfig
from qafm.datasets.read_image import read_image
from qafm.images.network_input import normalize, to_input
from qafm.losses.alpha import SCALES
from qafm.models.branch import AttributeBranch, VisualBranch
from qafm.models.qafm import Qafm
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weights import load_weights, save_weights
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.tables.quality import QUALITY_SCHEMA
from qafm.training.train_fusion import FusionInputs, build_model, train_fusion
from qafm.training.visual_weight import FixedWeight
from tests.unit.training.by_hand import (
    APAN,
    APN,
    BACKBONE,
    RATES,
    RUNTIME,
    SCHEDULE,
    SEED,
    Step,
    check_curve,
    codes_of,
    first,
    heads,
    outputs,
    smoothed,
    triplet,
)

ARCHITECTURE = ArchitectureConfig(backbone=BACKBONE, apn=APN, apan=APAN)
MEAN, SD = 1.5, 0.4  # of the reference images' Q


def settings(**changes: Any) -> TrainFusionConfig:
    base = {"loss": {"label_smoothing": 0.3, "triplet_margin": 0.9}, "head": {"dim": 14}, "freeze_epochs": 0, "branch_lr_factor": 0.25}
    return TrainFusionConfig.model_validate(SCHEDULE | base | changes)


def experienced(branch: nn.Module, batch: Tensor) -> dict[str, Tensor]:
    """Weights whose batch norms have seen these images: in eval mode, too, they tell them apart."""
    norms = [module for module in branch.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        branch(batch)
    return branch.state_dict()


def as_batch(rows: list[dict[str, Any]]) -> Tensor:
    """The networks' input of images as they are."""
    return normalize(torch.cat([to_input(read_image(Path(row["path"]))[None], 64, 32) for row in rows]))


@pytest.fixture
def inputs(tmp_path: Path, varied_images: Path, decided: None) -> FusionInputs:  # noqa: ARG001
    """Four identities to train on, three held-out ones, Q of all images but number 7 in no order, both branches as stage 5 leaves them."""
    rows = [{"image_id": str(i), "q": q_of(str(i)), "q_z": 0.0, "q_rank": 0.0} for i in (12, 2, 11, 0, 9, 4, 1, 13, 10, 3, 5, 8, 6)]
    write_parquet(tmp_path / "quality.parquet", pa.Table.from_pylist(rows, QUALITY_SCHEMA))
    (tmp_path / "quality.json").write_text(json.dumps({"reference": {"mean": MEAN, "sd": SD}}))
    batch = as_batch(read_parquet(varied_images, IMAGES_SCHEMA).to_pylist())
    torch.manual_seed(3)
    apan = PretrainApanConfig.model_validate({"backbone": BACKBONE, "apan": APAN, "stage_1": "all"})
    save_weights(tmp_path / "apn.safetensors", experienced(VisualBranch(BACKBONE, APN, 4), batch), {})
    save_weights(tmp_path / "apan.safetensors", experienced(AttributeBranch(BACKBONE, APAN, 4), batch), {"config": apan.model_dump(mode="json")})
    return FusionInputs(
        varied_images, tmp_path / "quality.parquet", tmp_path / "quality.json", tmp_path / "apn.safetensors", tmp_path / "apan.safetensors", None
    )


def q_of(image_id: str) -> float:
    """Q as the table has it; number 7 has none and counts as average."""
    return MEAN if image_id == "7" else 1 + 0.1 * int(image_id)


def run(inputs: FusionInputs, config: TrainFusionConfig) -> pd.DataFrame:
    """The history."""
    folder = inputs.images.parent
    train_fusion(inputs, ARCHITECTURE, config, "drop", RUNTIME, SEED, outputs(folder))
    return pd.read_csv(folder / "h.csv")


def first_model(inputs: FusionInputs, config: TrainFusionConfig) -> Qafm:
    """Head and BNNeck of a fresh model, the branches of stage 5."""
    model = first("train_fusion", lambda: Qafm(ARCHITECTURE, config.head, 4, None))
    assert isinstance(model, Qafm) and inputs.apn is not None and inputs.apan is not None
    model.visual.load_state_dict(load_weights(inputs.apn)[0])
    model.attribute.load_state_dict(load_weights(inputs.apan)[0])
    return model


def losses_at(model: Qafm, inputs: FusionInputs, config: TrainFusionConfig, weight: Callable[[Tensor], Tensor]) -> Callable[[Step, Tensor], dict[str, Tensor]]:
    """All losses of a step but the weight's own, which is given per image."""

    def expected(step: Step, labels: Tensor) -> dict[str, Tensor]:
        visual, attribute = model.visual(step.images), model.attribute(step.images)
        by_head = heads(attribute.attribute_logits, codes_of(inputs.images, step.batch))
        fused, logits = fuse(model, visual.v_a, attribute.v_s, weight(step.batch), config.head.normalize)
        return {
            "apn_identity": smoothed(visual.logits, labels, 0.3),
            "apn_triplet": triplet(visual.v_a, labels, 0.9, unit=True),
            "apn_stripes": torch.stack([smoothed(stripe, labels, 0.3) for stripe in visual.stripe_logits]).sum() / 4,
            "apan_attributes": 0.7 * torch.stack(by_head).sum() / len(by_head),
            "apan_identity": smoothed(attribute.logits, labels, 0.3),
            "apan_triplet": triplet(attribute.v_s, labels, 0.9, unit=True),
            "global_identity": smoothed(logits, labels, 0.3),
            "global_triplet": triplet(fused, labels, 0.9, unit=False),
        }

    return expected


def fuse(model: Qafm, v_a: Tensor, v_s: Tensor, w: Tensor, unit: bool) -> tuple[Tensor, Tensor]:
    """Eq. 3 image by image: what the FC makes of [w v_a, (1 - w) v_s], and the logits behind the BNNeck in train mode."""
    rows = []
    for a, s, weight in zip(v_a, v_s, w, strict=True):
        rows.append(torch.cat([weight * (a / a.norm() if unit else a), (1 - weight) * (s / s.norm() if unit else s)]))
    fused = torch.stack(rows) @ model.head.fc.weight.T
    neck = model.head.neck
    normalized = (fused - fused.mean(dim=0)) / torch.sqrt(fused.var(dim=0, correction=0) + neck.norm.eps) * neck.norm.weight
    return fused, normalized @ neck.classifier.weight.T


@pytest.mark.parametrize(("frozen", "unit"), [(0, True), (2, True), (0, False)])
def test_every_image_is_fused_at_its_own_weight(
    inputs: FusionInputs, steps: list[Step], rates: list[list[tuple[float, float]]], monkeypatch: pytest.MonkeyPatch, frozen: int, unit: bool
) -> None:
    """Frozen branches are in eval mode, as stage 5 left their statistics."""
    monkeypatch.setattr(FixedWeight, "of", lambda _self, batch: 0.1 + 0.1 * batch)
    config = settings(alpha={"fixed": 0.3}, freeze_epochs=frozen, head={"dim": 14, "normalize": unit})
    run(inputs, config)
    model = first_model(inputs, config)
    model.visual.train(not frozen), model.attribute.train(not frozen)
    check_curve(inputs.images.parent, "train_fusion", steps, losses_at(model, inputs, config, lambda batch: 0.1 + 0.1 * batch))
    assert rates == [[(pytest.approx(0.25 * rate), 0.003), (pytest.approx(rate), 0.003)] for rate in RATES]


@pytest.mark.usefixtures("rates")
def test_a_fixed_weight_is_that_of_the_visual_branch(inputs: FusionInputs, steps: list[Step]) -> None:
    config = settings(alpha={"fixed": 0.3})
    run(inputs, config)
    model = first_model(inputs, config)
    check_curve(inputs.images.parent, "train_fusion", steps, losses_at(model, inputs, config, lambda batch: torch.full((len(batch),), 0.3)))


class Caught(Exception):
    """Stands for the rest of the training."""


def test_the_weight_is_told_each_images_own_q_and_the_references_mean_and_sd(inputs: FusionInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    def caught(model: Qafm, _config: object, *scored: object) -> None:
        raise Caught(model, *scored)

    monkeypatch.setattr("qafm.training.train_fusion.LearnedWeight", caught)
    with pytest.raises(Caught) as found:
        run(inputs, settings())
    model, train, held_out = found.value.args[:3]
    assert [float(model.weight_mlp.mean), float(model.weight_mlp.sd)] == pytest.approx([MEAN, SD])
    for scored, names in ((train, "6 7 8 9 10 11 12 13"), (held_out, "0 1 2 3 4 5")):
        assert scored.images.image_ids == names.split()
        assert scored.q.tolist() == pytest.approx([q_of(name) for name in names.split()])
    assert held_out.images.camids.tolist() == [0, 1] * 3


def losses_of_the_branches(model: Qafm, inputs: FusionInputs, target: str) -> tuple[list[list[float]], list[float]]:
    """Plain identity losses of both branches on the images as they are, and their Q."""
    rows = [row for row in read_parquet(inputs.images, IMAGES_SCHEMA).to_pylist() if row["fold"] == ("fit" if target == "train" else "holdout")]
    batch = as_batch(rows)
    outputs = model.eval().visual(batch), model.attribute(batch)
    if target == "train":
        losses = [[-float(scores.log_softmax(0)[i // 2]) for i, scores in enumerate(output.logits)] for output in outputs]
    else:
        losses = [prototype_losses(vectors) for vectors in (outputs[0].v_a, outputs[1].v_s)]
    return losses, [q_of(row["image_id"]) for row in rows]


def prototype_losses(vectors: Tensor) -> list[float]:
    """Identities of two images in two cameras: the own one is the other image, any other the mean of both of its images; at the best scale."""
    units = vectors / vectors.norm(dim=1, keepdim=True)
    found = []
    for scale in SCALES:
        losses = []
        for i, unit in enumerate(units):
            others = [units[k] + units[k + 1] for k in range(0, len(units), 2) if k != i // 2 * 2]
            logits = scale * torch.stack([unit @ units[i ^ 1], *(unit @ (other / other.norm()) for other in others)])
            losses.append(-float(logits.log_softmax(0)[0]))
        found.append(losses)
    return min(found, key=sum)


@pytest.mark.parametrize("target", ["holdout", "train"])
@pytest.mark.parametrize("loss", ["ratio_bce", "expected_loss"])
@pytest.mark.usefixtures("rates")
def test_the_weight_learns_from_plain_losses_of_the_images_that_q_belongs_to(
    inputs: FusionInputs, monkeypatch: pytest.MonkeyPatch, target: str, loss: str
) -> None:
    monkeypatch.setattr("qafm.training.visual_weight.best_fixed_weight", lambda *_: (0.7, 50.0))
    config = settings(epochs=1, alpha={"loss": loss, "target": target})
    history = run(inputs, config).iloc[0]
    with torch.no_grad():
        (l_apn, l_apan), q = losses_of_the_branches(first_model(inputs, config), inputs, target)
    targets = [s / (a + s) for a, s in zip(l_apn, l_apan, strict=True)]  # the higher APAN's loss, the more APN counts
    if loss == "ratio_bce":
        terms = [-t * np.log(0.7) - (1 - t) * np.log(0.3) for t in targets]
    else:
        terms = [0.7 * a + 0.3 * s for a, s in zip(l_apn, l_apan, strict=True)]
    assert history["alpha"] == pytest.approx(np.mean(terms), rel=1e-3)
    assert np.std(targets) > 0.05 and abs(np.mean(targets) - 0.5) > 0.01
    described = {"target_mean": np.mean(targets), "target_sd": np.std(targets), "target_q_r": np.corrcoef(q, targets)[0, 1], "weight_mean": 0.7}
    assert history[list(described)].tolist() == pytest.approx(list(described.values()), rel=1e-2, abs=1e-3)


@pytest.mark.usefixtures("rates")
def test_the_fused_loss_teaches_the_weight_at_the_weight_it_has(inputs: FusionInputs, steps: list[Step], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qafm.training.visual_weight.best_fixed_weight", lambda *_: (0.7, 50.0))
    config = settings(alpha={"loss": "fused_id"})
    run(inputs, config)
    base = losses_at(first_model(inputs, config), inputs, config, lambda batch: torch.full((len(batch),), 0.7))

    def expected(step: Step, labels: Tensor) -> dict[str, Tensor]:
        losses = base(step, labels)
        return losses | {"alpha": losses["global_identity"]}

    check_curve(inputs.images.parent, "train_fusion", steps, expected)


def test_branches_that_stage_five_did_not_train_start_from_the_configured_first_weights(inputs: FusionInputs, tmp_path: Path) -> None:
    started = BACKBONE.model_copy(update={"init": "extractor", "ibn": True})
    torch.manual_seed(9)
    extractor = ReidBaseline(backbone=started, num_ids=4)
    save_weights(tmp_path / "extractor.safetensors", extractor.state_dict(), {"config": {"backbone": started.model_dump(mode="json")}})
    files = FusionInputs(inputs.images, inputs.quality, inputs.summary, None, None, tmp_path / "extractor.safetensors")
    model, before = build_model(files, ARCHITECTURE.model_copy(update={"backbone": started}), settings(), 4)
    start = extractor.trunk.state_dict()
    for backbone in (model.visual.backbone, model.attribute.backbone):
        assert all(torch.equal(value, start[name]) for name, value in backbone.state_dict().items())
    assert before == []
