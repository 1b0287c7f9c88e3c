"""Which loss reaches what: one backward pass against four separate ones."""

import copy

import pytest
import torch

from qafm.config.fusion import AlphaConfig, ArchitectureConfig, HeadConfig
from qafm.config.training import BranchLossConfig, OptimizerConfig
from qafm.losses.branches import apan_losses, apn_losses
from qafm.losses.triplet import batch_hard_triplet
from qafm.models.qafm import Qafm
from qafm.models.weight_mlp import WeightMlp
from qafm.training.fusion_losses import AlphaTable, Fused, Losses, alpha_losses, fused_id_loss, global_losses
from qafm.training.schedule import build_adam

CONFIG = BranchLossConfig()
PARTS = ("visual", "attribute", "head", "weight_mlp")


def compute(model: Qafm, pixels: torch.Tensor, labels: torch.Tensor, gradients: str, alpha: AlphaConfig | None = None) -> dict[str, Losses]:
    """All losses of stage 2 by the part they belong to."""
    alpha = alpha or AlphaConfig()
    q = torch.linspace(0.5, 1.5, len(labels))
    attributes = torch.zeros(len(labels), 12, dtype=torch.long)
    visual, attribute = model.visual(pixels), model.attribute(pixels)
    assert model.weight_mlp is not None
    fused = Fused(visual.v_a, attribute.v_s, model.weight_mlp.weight(q))
    table = AlphaTable(q, torch.linspace(0.2, 2, len(q)), torch.linspace(1, 0.1, len(q)))
    return {
        "visual": apn_losses(visual, labels, CONFIG),
        "attribute": apan_losses(attribute, labels, attributes, CONFIG, 1.0),
        "head": global_losses(model, fused, labels, CONFIG, gradients),
        "weight_mlp": fused_id_loss(model, fused, labels, CONFIG) if alpha.loss == "fused_id" else alpha_losses(model.weight_mlp, table, alpha),
    }


def gradients_of(model: Qafm, losses: list[Losses]) -> dict[str, torch.Tensor | None]:
    model.zero_grad(set_to_none=True)
    torch.stack([value for part in losses for value in part.values()]).sum().backward()
    return {name: None if parameter.grad is None else parameter.grad.clone() for name, parameter in model.named_parameters()}


def test_one_backward_pass_equals_four_separate_passes(model: Qafm, pixels: torch.Tensor, labels: torch.Tensor) -> None:
    model.train()
    one = copy.deepcopy(model)
    joint = gradients_of(one, list(compute(one, pixels, labels, "isolated").values()))
    for part in PARTS:
        alone = copy.deepcopy(model)
        separate = gradients_of(alone, [compute(alone, pixels, labels, "isolated")[part]])
        for name, gradient in separate.items():
            if name.startswith(f"{part}."):
                expected = joint[name]
                assert (gradient is None) == (expected is None), name
                if gradient is not None and expected is not None:
                    torch.testing.assert_close(gradient, expected, atol=1e-6, rtol=1e-5, msg=name)
            else:
                assert gradient is None, f"the loss of {part} reaches {name}"


@pytest.mark.parametrize(("mode", "reached"), [("isolated", {"head"}), ("coupled", {"head", "visual", "attribute"}), ("original", set(PARTS))])
def test_what_the_global_loss_reaches(model: Qafm, pixels: torch.Tensor, labels: torch.Tensor, mode: str, reached: set[str]) -> None:
    gradients = gradients_of(model.train(), [compute(model, pixels, labels, mode)["head"]])
    found = {name.split(".")[0] for name, gradient in gradients.items() if gradient is not None and gradient.abs().sum() > 0}
    assert found == reached


def test_original_takes_the_bnneck_for_its_extra_loss_alone_and_runs_the_norm_of_the_fc_twice(
    architecture: ArchitectureConfig, pixels: torch.Tensor, labels: torch.Tensor
) -> None:
    """N5, by hand."""
    torch.manual_seed(0)
    model = Qafm(architecture, HeadConfig(dim=14, activation="relu", normalize=False), 3, WeightMlp(mean=1.0, sd=0.5)).train()
    reference = copy.deepcopy(model)
    losses = compute(model, pixels, labels, "original")["head"]
    head = reference.head
    assert reference.weight_mlp is not None and head.fc_norm is not None
    w = reference.weight_mlp.weight(torch.linspace(0.5, 1.5, len(labels)))[:, None]
    weighted = torch.cat([w * reference.visual(pixels).v_a, (1 - w) * reference.attribute(pixels).v_s], dim=1)
    vector = torch.relu(head.fc_norm(head.fc(weighted)))
    expected = {"global_identity": head.neck.classifier(vector), "mix": head.neck.classifier(head.neck.norm(vector))}
    for name, logits in expected.items():
        assert float(losses[name].detach()) == pytest.approx(float(torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1).detach()), rel=1e-5)
    assert float(losses["global_triplet"].detach()) == pytest.approx(float(batch_hard_triplet(vector, labels, 0.3).detach()), rel=1e-5)
    assert float(losses["global_identity"].detach()) != pytest.approx(float(losses["mix"].detach()), rel=1e-4)
    assert (int(model.head.fc_norm.num_batches_tracked), int(model.head.neck.norm.num_batches_tracked)) == (2, 1)


def test_original_adds_a_loss_against_the_detached_classifier(model: Qafm, pixels: torch.Tensor, labels: torch.Tensor) -> None:
    losses = compute(model.train(), pixels, labels, "original")["head"]
    model.zero_grad(set_to_none=True)
    losses["mix"].backward()
    assert model.head.neck.classifier.weight.grad is None
    assert model.head.fc.weight.grad is not None


@pytest.mark.parametrize("loss", ["ratio_bce", "expected_loss", "fused_id"])
def test_the_weights_own_loss_reaches_the_mlp_alone(model: Qafm, pixels: torch.Tensor, labels: torch.Tensor, loss: str) -> None:
    statistics = model.head.neck.norm.running_mean.clone()
    losses = compute(model.train(), pixels, labels, "isolated", AlphaConfig(loss=loss))
    after_head = model.head.neck.norm.running_mean.clone()
    gradients = gradients_of(model, [losses["weight_mlp"]])
    found = {name.split(".")[0] for name, gradient in gradients.items() if gradient is not None}
    assert found == {"weight_mlp"}
    assert not torch.equal(statistics, after_head)
    torch.testing.assert_close(after_head, 0.9 * statistics + 0.1 * _batch_mean(model, pixels), atol=1e-4, rtol=1e-3)


def _batch_mean(model: Qafm, pixels: torch.Tensor) -> torch.Tensor:
    """Mean of the fused vectors of the batch: what one single update of the running mean adds."""
    clone = copy.deepcopy(model).train()
    q = torch.linspace(0.5, 1.5, len(pixels))
    with torch.no_grad():
        return clone.head(clone.visual(pixels).v_a, clone.attribute(pixels).v_s, clone.weight_mlp.weight(q)).fused.mean(dim=0)


def test_weight_decay_leaves_parameters_without_gradient_alone(model: Qafm, pixels: torch.Tensor, labels: torch.Tensor) -> None:
    model.train()
    optimizer = build_adam([{"params": model.parameters()}], OptimizerConfig(weight_decay=0.5))
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    gradients_of(model, [compute(model, pixels, labels, "isolated")["head"]])
    optimizer.step()
    for name, parameter in model.named_parameters():
        changed = not torch.equal(before[name], parameter)
        assert changed == (parameter.grad is not None), name
    assert torch.equal(before["visual.backbone.conv1.weight"], model.visual.backbone.conv1.weight)
