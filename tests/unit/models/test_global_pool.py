import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.models.branch import AttributeBranch, VisualBranch
from qafm.models.global_pool import GlobalPool
from qafm.models.reid_baseline import ReidBaseline

GEM = BackboneConfig(name="resnet10", channels=16, height=64, width=32, pooling="gem", init="random")
MEAN = GEM.model_copy(update={"pooling": "mean"})
APN = ApnConfig(mfpm_channels=8, decoder_channels=(6,), lam_channels=(4, 12), embedding_dim=10)
APAN = ApanConfig(pafm_channels=6, step_channels=5, hidden_channels=4, embedding_dim=8, residual=True)


def test_gem_by_hand():
    x = torch.tensor([[[[1.0, 2.0]], [[0.0, 0.0]], [[-5.0, 2.0]]]])  # [1, 3, 1, 2]
    pool = GlobalPool("gem")
    expected = [4.5 ** (1 / 3), 1e-6, 4.0 ** (1 / 3)]  # means of cubes: (1 + 8)/2; nothing but the floor; (0 + 8)/2
    torch.testing.assert_close(pool(x), torch.tensor([expected]))


def test_the_exponent_leads_from_the_mean_to_the_maximum():
    x, pool = torch.rand(2, 5, 6, 4), GlobalPool("gem")
    for exponent, expected in ((1.0, x.mean(dim=(2, 3))), (200.0, x.amax(dim=(2, 3)))):
        torch.nn.init.constant_(pool.exponent, exponent)
        torch.testing.assert_close(pool(x), expected, rtol=0.02, atol=1e-5)


def test_gem_of_a_half_precision_map_is_that_of_the_full_one():
    x = torch.rand(2, 5, 6, 4).bfloat16()
    pooled = GlobalPool("gem")(x)
    assert pooled.dtype == torch.bfloat16
    torch.testing.assert_close(pooled, GlobalPool("gem")(x.float()).bfloat16())


def test_trains_and_serves(check_learns, check_serves):
    pool, x = GlobalPool("gem"), torch.rand(2, 5, 6, 4)
    check_learns(pool, x)
    check_serves(pool, x)
    assert not list(GlobalPool("mean").parameters())


@pytest.mark.parametrize(
    ("build", "place"),
    [
        (lambda backbone: ReidBaseline(backbone=backbone, num_ids=5), "pool.exponent"),
        (lambda backbone: VisualBranch(backbone, APN, 5), "apn.pool.exponent"),
        (lambda backbone: AttributeBranch(backbone, APAN, 5), "apan.pool.exponent"),
    ],
)
@torch.no_grad()
def test_the_backbones_pooling_is_every_vectors(build, place):
    gem, mean, images = build(GEM).eval(), build(MEAN).eval(), torch.randn(2, 3, 64, 32)
    missing, unexpected = gem.load_state_dict(mean.state_dict(), strict=False)
    assert missing == [place] and not unexpected  # weights of the mean are as they were
    assert not torch.allclose(gem(images)[0], mean(images)[0])
    gem.get_parameter(place).fill_(1.0)
    torch.testing.assert_close(gem(images)[0], mean(images)[0], rtol=1e-3, atol=1e-4)


def test_apan_without_a_shortcut_pools_nothing_but_states():
    assert not any("pool" in name for name in AttributeBranch(GEM, APAN.model_copy(update={"residual": False}), 5).state_dict())
