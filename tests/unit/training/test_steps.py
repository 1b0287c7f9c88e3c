"""What each step of each training stage is made of: its batch, the augmented images, their own labels, the configured losses and learning rates.

The optimiser moves nothing here, so that every loss of the learning curve can be computed again from the first weights.
"""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from qafm.config.baseline import BaselineConfig
from qafm.config.branches import PretrainApanConfig, PretrainApnConfig
from qafm.config.features import ExtractorConfig
from qafm.config.training import AugmentConfig, BranchTrainingConfig, TrainingConfig
from qafm.datasets.read_image import read_image
from qafm.images.network_input import to_input
from qafm.models.branch import AttributeBranch, VisualBranch
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weights import load_weights, save_weights
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet
from qafm.training.augment import augment
from qafm.training.pretrain_apan import pretrain_apan
from qafm.training.pretrain_apn import pretrain_apn
from qafm.training.stage import TrainData
from qafm.training.train_baseline import train_baseline
from qafm.training.train_extractor import train_extractor
from tests.unit.training.by_hand import (
    APAN,
    APN,
    BACKBONE,
    LABELS,
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

pytestmark = pytest.mark.usefixtures("decided")
LOSS = {"label_smoothing": 0.3, "triplet_margin": 0.9}


def test_a_batch_is_its_own_images_augmented_as_configured(varied_images: Path) -> None:
    config = AugmentConfig.model_validate(SCHEDULE["augment"])
    data = TrainData(varied_images, BACKBONE, config, torch.device("cpu"))
    rows = [row for row in read_parquet(varied_images, IMAGES_SCHEMA).to_pylist() if row["fold"] == "fit"]
    assert data.images.image_ids == [row["image_id"] for row in rows] and data.labels.tolist() == LABELS.tolist()
    batch = torch.tensor([6, 1, 4])
    pixels = torch.cat([to_input(read_image(Path(rows[i]["path"]))[None], 64, 32) for i in batch.tolist()])
    torch.manual_seed(3)
    expected = augment(pixels, config)
    torch.manual_seed(3)
    assert torch.equal(data.augmented(batch), expected)
    assert data.attributes[batch].tolist() == [[-1 if code is None else code for code in codes] for codes in codes_of(varied_images, batch)]


@pytest.mark.parametrize(("name", "triplet_on"), [("train_extractor", "raw"), ("train_baseline_a", "unit"), ("train_baseline_b", "raw")])
def test_of_a_plain_network(tmp_path: Path, varied_images: Path, steps: list[Step], rates: list[list[tuple[float, float]]], name: str, triplet_on: str) -> None:
    training = TrainingConfig.model_validate({**SCHEDULE, "loss": LOSS | {"triplet_on": triplet_on}})
    if name == "train_extractor":
        train_extractor(varied_images, ExtractorConfig(backbone=BACKBONE, seed=SEED, training=training), RUNTIME, outputs(tmp_path))
    else:
        twin = "a" if name.endswith("a") else "b"
        train_baseline(twin, varied_images, None, BaselineConfig(backbone=BACKBONE, training=training), RUNTIME, SEED, outputs(tmp_path))
    model = first(name, lambda: ReidBaseline(backbone=BACKBONE, num_ids=4))

    def expected(step: Step, labels: Tensor) -> dict[str, Tensor]:
        output = model(step.images)
        return {"identity": smoothed(output.logits, labels, 0.3), "triplet": triplet(output.feature, labels, 0.9, triplet_on == "unit")}

    check_curve(tmp_path, name, steps, expected)
    assert rates == [[(pytest.approx(rate), 0.003)] for rate in RATES]


def test_of_apn_alone(tmp_path: Path, varied_images: Path, steps: list[Step], rates: list[list[tuple[float, float]]]) -> None:
    training = BranchTrainingConfig.model_validate({**SCHEDULE, "loss": LOSS})
    pretrain_apn(varied_images, None, PretrainApnConfig(backbone=BACKBONE, apn=APN, training=training), RUNTIME, SEED, outputs(tmp_path))
    model = first("pretrain_apn", lambda: VisualBranch(BACKBONE, APN, 4))

    def expected(step: Step, labels: Tensor) -> dict[str, Tensor]:
        output = model(step.images)
        stripes = [smoothed(logits, labels, 0.3) for logits in output.stripe_logits]
        return {
            "apn_identity": smoothed(output.logits, labels, 0.3),
            "apn_triplet": triplet(output.v_a, labels, 0.9, unit=True),
            "apn_stripes": torch.stack(stripes).sum() / 4,
        }

    check_curve(tmp_path, "pretrain_apn", steps, expected)
    assert rates == [[(pytest.approx(rate), 0.003)] for rate in RATES]


@pytest.mark.parametrize("stage_1", ["attributes", "all"])
def test_of_apan_alone(tmp_path: Path, varied_images: Path, steps: list[Step], rates: list[list[tuple[float, float]]], stage_1: str) -> None:
    training = BranchTrainingConfig.model_validate({**SCHEDULE, "loss": LOSS})
    config = PretrainApanConfig.model_validate({"backbone": BACKBONE, "apan": APAN, "stage_1": stage_1, "training": training})
    pretrain_apan(varied_images, None, config, RUNTIME, SEED, outputs(tmp_path))
    model = first("pretrain_apan", lambda: AttributeBranch(BACKBONE, APAN, 4))

    def expected(step: Step, labels: Tensor) -> dict[str, Tensor]:
        output = model(step.images)
        by_head = heads(output.attribute_logits, codes_of(varied_images, step.batch))
        if stage_1 == "attributes":
            return {"attributes": torch.stack(by_head).sum()}
        return {
            "apan_attributes": 0.7 * torch.stack(by_head).sum() / len(by_head),
            "apan_identity": smoothed(output.logits, labels, 0.3),
            "apan_triplet": triplet(output.v_s, labels, 0.9, unit=True),
        }

    check_curve(tmp_path, "pretrain_apan", steps, expected)
    assert rates == [[(pytest.approx(rate), 0.003)] for rate in RATES]


@pytest.mark.parametrize("branch", ["apn", "apan"])
@pytest.mark.usefixtures("steps", "rates")
def test_a_branch_starts_from_the_extractor_where_that_is_configured(tmp_path: Path, varied_images: Path, branch: str) -> None:
    started = BACKBONE.model_copy(update={"init": "extractor", "ibn": True})
    torch.manual_seed(9)
    trunk = ReidBaseline(backbone=started, num_ids=4).state_dict()
    save_weights(tmp_path / "e.safetensors", trunk, {"config": {"backbone": started.model_dump(mode="json")}})
    training, extractor = BranchTrainingConfig.model_validate({**SCHEDULE, "epochs": 1}), tmp_path / "e.safetensors"
    if branch == "apn":
        pretrain_apn(varied_images, extractor, PretrainApnConfig(backbone=started, apn=APN, training=training), RUNTIME, SEED, outputs(tmp_path))
    else:
        pretrain_apan(varied_images, extractor, PretrainApanConfig(backbone=started, apan=APAN, training=training), RUNTIME, SEED, outputs(tmp_path))
    written = {name: value for name, value in load_weights(tmp_path / "w.safetensors")[0].items() if name.startswith("backbone.") and name.endswith("weight")}
    assert len(written) > 20 and all(torch.equal(value, trunk[name.replace("backbone.", "trunk.")]) for name, value in written.items())
