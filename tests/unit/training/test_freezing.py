import torch

from qafm.config.fusion import ArchitectureConfig, HeadConfig, TrainFusionConfig
from qafm.models.qafm import Qafm
from qafm.training.freezing import Freezing, trained_before


def names(model: Qafm, parameters: list[torch.nn.Parameter]) -> set[str]:
    wanted = {id(parameter) for parameter in parameters}
    return {name for name, parameter in model.named_parameters() if id(parameter) in wanted}


def test_all_that_stage_one_reached_is_slow_and_nothing_else(model: Qafm, architecture: ArchitectureConfig) -> None:
    before = trained_before(model, architecture.apan, apn_trained=True, apan_losses="attributes")
    freezing = Freezing(model, before, TrainFusionConfig())
    slow, fast = names(model, freezing.slow), names(model, freezing.fast)
    trainable = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert slow | fast == trainable
    assert not slow & fast
    new = ("attribute.apan.embed.", "attribute.apan.neck.", "head.", "weight_mlp.")
    assert all(name.startswith(("visual.", "attribute.")) and not name.startswith(new) for name in slow)
    assert all(name.startswith(new) for name in fast)


def test_apan_trained_on_all_its_losses_is_slow_as_a_whole(model: Qafm, architecture: ArchitectureConfig) -> None:
    freezing = Freezing(model, trained_before(model, architecture.apan, apn_trained=True, apan_losses="all"), TrainFusionConfig())
    assert all(name.startswith(("head.", "weight_mlp.")) for name in names(model, freezing.fast))


def test_nothing_is_slow_where_nothing_was_trained(model: Qafm, architecture: ArchitectureConfig) -> None:
    assert Freezing(model, trained_before(model, architecture.apan, apn_trained=False, apan_losses=None), TrainFusionConfig()).slow == []


def test_only_branches_trained_before_are_frozen(model: Qafm, architecture: ArchitectureConfig) -> None:
    freezing = Freezing(model, trained_before(model, architecture.apan, apn_trained=False, apan_losses="attributes"), TrainFusionConfig())
    assert not any(name.startswith("visual.") for name in names(model, freezing.slow))


def test_frozen_branches_keep_weights_and_statistics_then_learn_again(model: Qafm, architecture: ArchitectureConfig, pixels: torch.Tensor) -> None:
    freezing = Freezing(model, trained_before(model, architecture.apan, apn_trained=True, apan_losses="attributes"), TrainFusionConfig(freeze_epochs=2))
    freezing.train_mode(1)
    statistics = {name: buffer.clone() for name, buffer in model.visual.named_buffers()}
    output = model.visual(pixels)
    assert not output.v_a.requires_grad
    assert all(torch.equal(statistics[name], buffer) for name, buffer in model.visual.named_buffers())
    assert model.attribute(pixels).v_s.requires_grad  # its embedding is new in stage 2
    assert model.head.training

    freezing.train_mode(2)
    assert model.visual(pixels).v_a.requires_grad
    assert any(not torch.equal(statistics[name], buffer) for name, buffer in model.visual.named_buffers())
    assert not model.visual.apn.neck.norm.bias.requires_grad  # the BNNeck's bias stays fixed for good


def test_what_only_v_s_reads_is_new_after_a_stage_one_on_attributes(architecture: ArchitectureConfig) -> None:
    """A learned pooling, whose exponent no attribute head sees."""
    backbone, apan = architecture.backbone.model_copy(update={"pooling": "gem"}), architecture.apan.model_copy(update={"residual": True})
    pooled = architecture.model_copy(update={"backbone": backbone, "apan": apan})
    model = Qafm(pooled, HeadConfig(dim=14), 3, None)
    model.attribute(torch.rand(2, 3, 64, 32)).attribute_logits[0].sum().backward()
    freezing = Freezing(model, trained_before(model, pooled.apan, apn_trained=False, apan_losses="attributes"), TrainFusionConfig())
    assert "attribute.apan.pool.exponent" in names(model, freezing.fast)
    assert model.attribute.apan.pool.exponent.grad is None


def test_a_single_attribute_head_trains_v_s_with_it(architecture: ArchitectureConfig) -> None:
    """It reads v_s, so that a stage 1 on attributes reaches the embedding; the identity head alone is new."""
    single = architecture.model_copy(update={"apan": architecture.apan.model_copy(update={"heads": "single", "steps": 1})})
    model = Qafm(single, HeadConfig(dim=14), 3, None)
    torch.stack([logits.square().sum() for logits in model.attribute(torch.rand(4, 3, 64, 32)).attribute_logits]).sum().backward()
    freezing = Freezing(model, trained_before(model, single.apan, apn_trained=False, apan_losses="attributes"), TrainFusionConfig())
    reached = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert names(model, freezing.slow) == reached
    assert any(name.startswith("attribute.apan.embed.") for name in reached) and not any(name.startswith("attribute.apan.neck.") for name in reached)
