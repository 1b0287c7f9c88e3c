"""BPBReID as a whole: against its parts put together by hand, every option, HRNet, and what every model must do."""

import pytest
import torch
from torch.nn import functional as F

from qafm.companions.bpbreid.backbones import HrnetTrunk, build_backbone
from qafm.companions.bpbreid.part_model import PartReid
from qafm.companions.bpbreid.start_weights import start_weights
from qafm.config.bpbreid import PartBackboneConfig, PartModelConfig, PartsConfig
from qafm.errors import InputError

SMALL = PartBackboneConfig(name="resnet10", init="random", height=96, width=48)
IDS = 7


def model_config(**parts) -> PartModelConfig:
    return PartModelConfig(backbone=SMALL, parts=PartsConfig(**{"dim": 6} | parts))


def pictures(n: int = 4) -> torch.Tensor:
    return torch.randn(n, 3, 96, 48)


@torch.no_grad()
@pytest.mark.parametrize("pooling", ["gwap", "gap", "gmp"])
def test_embeddings_by_hand(rough, pooling) -> None:
    model = rough(PartReid(model_config(pooling=pooling), "learned", IDS)).eval()
    torch.nn.init.normal_(model.attention.scores.weight, std=0.05)
    images = pictures(2)
    output = model(images)
    features = model.backbone(images)  # [2, 512, 6, 3]
    maps = torch.softmax(model.attention.scores(model.attention.norm(features)), dim=1)
    torch.testing.assert_close(output.maps, maps)

    def reduced(reduction, vector):
        linear, norm = reduction[0], reduction[1]
        value = (linear.weight @ vector - norm.running_mean) / torch.sqrt(norm.running_var + norm.eps) * norm.weight + norm.bias
        return torch.relu(value)

    foreground = torch.stack([maps[1, k] for k in range(1, 6)]).amax(dim=0)
    by_hand = {
        "whole": reduced(model.whole_reduction, features[1].mean(dim=(1, 2))),
        "foreground": reduced(model.foreground_reduction, (features[1] * foreground).sum(dim=(1, 2)) / 18),
        "background": reduced(model.background_reduction, (features[1] * maps[1, 0]).sum(dim=(1, 2)) / 18),
    }
    vectors = []
    for k in range(1, 6):
        product = features[1] * maps[1, k]
        pooled = {"gwap": product.sum(dim=(1, 2)) / maps[1, k].sum(), "gap": product.mean(dim=(1, 2)), "gmp": product.amax(dim=(1, 2))}[pooling]
        vectors.append(reduced(model.part_reduction, pooled))
    by_hand["concatenated"] = torch.cat(vectors)
    for name, vector in by_hand.items():
        found, neck = getattr(output, name), getattr(model, f"{name}_neck")
        torch.testing.assert_close(found.vector[1], vector, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found.normalized, neck.norm(found.vector))
        torch.testing.assert_close(found.logits, neck.classifier(found.normalized))
    for k in range(5):
        torch.testing.assert_close(output.parts.vector[1, k], vectors[k], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(output.parts.logits[:, k], model.part_necks[k](output.parts.vector[:, k]).logits)


@pytest.mark.parametrize(
    ("parts", "variant", "shape", "concatenated"),
    [
        ({}, "masks", (4, 5, 6), 30),
        ({"grouping": "eight"}, "learned", (4, 8, 6), 48),
        ({"stripes": 3}, "stripes", (4, 3, 6), 18),
        ({"stripes": 4}, "stripe_labels", (4, 4, 6), 24),
        ({"shared_classifier": True}, "masks", (4, 5, 6), 30),
        ({"reduction": "before_pooling"}, "masks", (4, 5, 6), 30),
        ({"reduction": "before_and_after"}, "masks", (4, 5, 6), 30),
        ({"reduction": "none"}, "masks", (4, 5, 512), 2560),
    ],
)
def test_options_learn_and_serve(check_learns, check_serves, parts, variant, shape, concatenated) -> None:
    model = PartReid(model_config(**parts), variant, IDS)
    output = model.eval()(pictures())
    assert output.parts.vector.shape == output.parts.normalized.shape == shape
    assert output.parts.logits.shape == (*shape[:2], IDS) and output.concatenated.logits.shape == (4, IDS)
    assert output.concatenated.vector.shape == (4, concatenated) and output.whole.vector.shape == (4, shape[2])
    assert output.maps.shape == (4, shape[1] + 1, 6, 3)
    assert (output.attention_logits is None) == (variant == "stripes")
    assert len(model.part_necks) == (1 if parts.get("shared_classifier") else shape[1])
    still = tuple(name for name, _ in model.named_parameters() if variant == "stripes" and name.startswith("background_"))
    check_learns(model, pictures(), still=still)  # stripes leave no background, whose embedding is a constant
    check_serves(model, pictures())


def test_dropout_is_there_in_training_alone() -> None:
    model = PartReid(model_config(dropout=0.9), "learned", IDS)
    images = pictures()
    zeros = [(model.train(train)(images).parts.vector == 0).float().mean() for train in (True, False)]
    assert zeros[0] > 0.8 and zeros[1] < 0.7


def test_one_classifier_for_all_parts() -> None:
    model = PartReid(model_config(shared_classifier=True), "learned", IDS).eval()
    output = model(pictures())
    for k in range(5):
        torch.testing.assert_close(output.parts.logits[:, k], model.part_necks[0](output.parts.vector[:, k]).logits)


def test_full_size_resnet_has_last_stride_1() -> None:
    config = PartModelConfig(backbone=PartBackboneConfig(name="resnet50", height=384, width=128))
    with torch.device("meta"):
        output = PartReid(config, "masks", 751)(torch.zeros(2, 3, 384, 128))
    assert output.maps.shape == (2, 6, 24, 8) and output.parts.vector.shape == (2, 5, 512)


def test_hrnet_concatenates_its_four_scales() -> None:
    trunk = build_backbone(PartBackboneConfig(name="hrnet_w32", init="random", height=64, width=32)).eval()
    assert isinstance(trunk, HrnetTrunk) and trunk.out_channels == 1920
    with torch.no_grad():
        images = torch.randn(1, 3, 64, 32)
        found, scales = trunk(images), trunk.scales(images)
    assert found.shape == (1, 1920, 16, 8)
    assert [tuple(scale.shape[1:]) for scale in scales] == [(128, 16, 8), (256, 8, 4), (512, 4, 2), (1024, 2, 1)]
    torch.testing.assert_close(found[:, :128], scales[0])
    torch.testing.assert_close(found[:, 384:896], F.interpolate(scales[2], size=(16, 8), mode="bilinear"))


def test_hrnet_takes_a_training_step() -> None:
    config = PartModelConfig(backbone=PartBackboneConfig(name="hrnet_w32", init="random", height=64, width=32), parts=PartsConfig(dim=8))
    model = PartReid(config, "masks", 3).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    before = model.backbone.scales.conv1.weight.detach().clone()
    output = model(torch.randn(2, 3, 64, 32))
    assert output.maps.shape == (2, 6, 16, 8)
    (output.parts.vector.sum() + F.cross_entropy(output.whole.logits, torch.tensor([0, 2]))).backward()
    optimizer.step()
    assert not torch.equal(before, model.backbone.scales.conv1.weight)


def test_hrnet_without_imagenet_weights_says_so_in_one_line(monkeypatch) -> None:
    import timm

    trunk = HrnetTrunk()
    state = {name: value.clone() for name, value in trunk.state_dict().items()}

    def refuse(*_args, **_settings):
        raise OSError("cannot be reached\nand more")

    monkeypatch.setattr(timm, "create_model", refuse)
    config = PartBackboneConfig(name="hrnet_w32", init="imagenet", height=64, width=32)
    with pytest.raises(InputError, match=r"^imagenet weights of hrnet_w32: timm cannot load them \(cannot be reached\); set .*random$"):
        start_weights(trunk, config, None)
    assert all(torch.equal(value, state[name]) for name, value in trunk.state_dict().items())


def test_a_resnet_starts_as_the_core_lets_it() -> None:
    trunk = build_backbone(SMALL)
    with pytest.raises(InputError, match="imagenet weights of resnet10"):
        start_weights(trunk, SMALL.model_copy(update={"init": "imagenet"}), None)
    with pytest.raises(InputError, match="needs the extractor's weights"):
        start_weights(trunk, SMALL.model_copy(update={"init": "extractor"}), None)
