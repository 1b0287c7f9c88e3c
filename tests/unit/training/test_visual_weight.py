"""When the weight of stage 6 starts to learn, and where from."""

import numpy as np
import pytest
import torch

from qafm.config.fusion import TrainFusionConfig
from qafm.config.runtime import RuntimeConfig
from qafm.images.image_set import ImageSet
from qafm.images.network_input import normalize
from qafm.models.qafm import Qafm
from qafm.training import visual_weight
from qafm.training.fusion_losses import AlphaTable, Fused
from qafm.training.visual_weight import FixedWeight, LearnedWeight, ScoredImages

CPU, RUNTIME = torch.device("cpu"), RuntimeConfig(threads=1, device="cpu")
FUSED = Fused(torch.ones(2, 12), torch.ones(2, 10), torch.ones(2))
BATCH = torch.tensor([8, 0])


@pytest.fixture
def scored(pixels: torch.Tensor, labels: torch.Tensor) -> ScoredImages:
    cameras = np.array([0, 1, 0] * 3)
    pixels = (pixels * 255).to(torch.uint8)
    images = ImageSet([str(i) for i in range(9)], pixels, labels.numpy(), cameras, np.array(["train"] * 9), labels, torch.zeros(9, 12, dtype=torch.long))
    return ScoredImages(images, torch.linspace(0.5, 1.5, 9))


def learned(model: Qafm, scored: ScoredImages, **changes: object) -> LearnedWeight:
    config = TrainFusionConfig.model_validate({"freeze_epochs": 2, **changes})
    return LearnedWeight(model, config, scored, scored, CPU, RUNTIME)


def test_a_fixed_weight_is_the_same_for_all_and_has_no_loss(labels: torch.Tensor) -> None:
    weight = FixedWeight(0.3, CPU)
    assert weight.before_epoch(5) == {}
    assert weight.of(BATCH).tolist() == pytest.approx([0.3, 0.3])
    assert weight.losses(FUSED, labels[BATCH]) == {}


def test_the_mlp_starts_at_the_best_fixed_weight_when_it_begins_to_learn(
    model: Qafm, scored: ScoredImages, labels: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visual_weight, "best_fixed_weight", lambda *_: (0.7, 50.0))
    weight = learned(model, scored)
    for epoch in (0, 1):
        assert weight.before_epoch(epoch) == {}
        assert weight.losses(FUSED, labels[BATCH]) == {}
        assert not weight.of(BATCH).requires_grad
        assert weight.of(BATCH).tolist() == pytest.approx([0.4, 0.4])  # where the fixture's MLP starts
    report = weight.before_epoch(2)
    assert weight.of(BATCH).requires_grad
    assert weight.of(BATCH).tolist() == pytest.approx([0.7, 0.7])
    assert report["weight_mean"] == pytest.approx(0.7)
    assert set(weight.losses(FUSED, labels[BATCH])) == {"alpha"}


def test_only_the_first_epoch_sets_the_start(model: Qafm, scored: ScoredImages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visual_weight, "best_fixed_weight", lambda *_: (0.7, 50.0))
    weight = learned(model, scored)
    weight.before_epoch(3)  # as a resumed run does
    assert weight.of(BATCH).tolist() == pytest.approx([0.4, 0.4])


def test_start_half_leaves_the_weight_where_it_is(model: Qafm, scored: ScoredImages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visual_weight, "best_fixed_weight", lambda *_: pytest.fail("asked"))
    weight = learned(model, scored, alpha={"start": "half"})
    weight.before_epoch(2)
    assert weight.of(BATCH).tolist() == pytest.approx([0.4, 0.4])


def test_the_table_is_of_the_images_the_configuration_names(model: Qafm, scored: ScoredImages) -> None:
    held_out = ScoredImages(scored.images, scored.q + 10)
    for target, expected in (("train", scored.q), ("holdout", held_out.q)):
        config = TrainFusionConfig.model_validate({"freeze_epochs": 0, "alpha": {"target": target, "start": "half"}})
        weight = LearnedWeight(model, config, scored, held_out, CPU, RUNTIME)
        weight.before_epoch(0)
        assert weight.table is not None
        assert torch.equal(weight.table.q, expected)


def test_the_start_is_sought_on_the_held_out_images_in_eval_mode(model: Qafm, scored: ScoredImages, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[np.ndarray, np.ndarray, ImageSet]] = []

    def best(v_a: np.ndarray, v_s: np.ndarray, images: ImageSet) -> tuple[float, float]:
        asked.append((v_a, v_s, images))
        return 0.8, 50.0

    monkeypatch.setattr(visual_weight, "best_fixed_weight", best)
    few = ImageSet(**{name: value[:6] for name, value in vars(scored.images).items()})
    config = TrainFusionConfig.model_validate({"freeze_epochs": 0})
    LearnedWeight(model.train(), config, scored, ScoredImages(few, scored.q[:6]), CPU, RUNTIME).before_epoch(0)
    ((v_a, v_s, images),) = asked
    assert images is few
    with torch.no_grad():
        batch = normalize(few.pixels)
        np.testing.assert_allclose(v_a, model.eval().visual(batch).v_a.numpy(), atol=1e-4)
        np.testing.assert_allclose(v_s, model.attribute(batch).v_s.numpy(), atol=1e-4)
    assert model.weight_mlp is not None
    assert model.weight_mlp.weight(scored.q).tolist() == pytest.approx([0.8] * 9)


def test_the_weight_of_a_batch_is_that_of_each_images_own_q(model: Qafm, scored: ScoredImages) -> None:
    assert model.weight_mlp is not None
    with torch.no_grad():
        model.weight_mlp.output.weight.normal_()
        expected = [float(model.weight_mlp.weight(scored.q[i : i + 1])) for i in (8, 0)]
    assert learned(model, scored).of(BATCH).tolist() == pytest.approx(expected)
    assert abs(expected[0] - expected[1]) > 0.01


def test_the_losses_that_teach_it_are_measured_anew_in_every_epoch(model: Qafm, scored: ScoredImages, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = [AlphaTable(torch.ones(2), torch.ones(2), torch.full((2,), loss)) for loss in (1.0, 3.0)]
    waiting = iter(measured)
    monkeypatch.setattr(visual_weight, "holdout_table", lambda *_: next(waiting))
    weight = learned(model, scored, freeze_epochs=0, alpha={"start": "half"})
    for epoch, (table, target) in enumerate(zip(measured, (0.5, 0.75), strict=True)):
        assert weight.before_epoch(epoch)["target_mean"] == pytest.approx(target)
        assert weight.table is table


def test_in_the_original_code_the_weight_has_no_loss_of_its_own(model: Qafm, scored: ScoredImages, labels: torch.Tensor) -> None:
    weight = learned(model, scored, freeze_epochs=0, gradients="original", alpha={"start": "half"})
    assert weight.before_epoch(0) == {} and weight.of(BATCH).requires_grad
    assert weight.losses(FUSED, labels[BATCH]) == {}
