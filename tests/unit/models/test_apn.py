import pytest
import torch

from qafm.config.branches import ApnConfig
from qafm.models.apn import Apn

SMALL = ApnConfig(mfpm_channels=8, decoder_channels=(8, 6), lam_channels=(4, 12), embedding_dim=10, horizontal_stripes=3, vertical_stripes=2)
ORIGINAL = ApnConfig(decoder_channels=(512, 512, 256, 128, 64, 1), decoder_kernel=3, decoder_last_linear=True, horizontal_stripes=0, vertical_stripes=0)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def small(**changes):
    torch.manual_seed(0)
    return Apn(config=SMALL.model_copy(update=changes), in_channels=5, num_ids=7)


def test_original_has_its_parameter_counts():
    with torch.device("meta"):
        apn = Apn(config=ORIGINAL, in_channels=1024, num_ids=751)
        v_a, logits, stripe_logits = apn(torch.zeros(2, 1024, 24, 8))
    assert (count(apn.mfpm), count(apn.ltn), count(apn)) == (40_104_896, 13_126_800, 54_530_128)
    assert v_a.shape == (2, 1024) and logits.shape == (2, 751) and stripe_logits == []


def test_default_full_size():
    with torch.device("meta"):
        apn = Apn(config=ApnConfig(), in_channels=1024, num_ids=751)
        v_a, logits, stripe_logits = apn(torch.zeros(2, 1024, 24, 8))
    assert v_a.shape == (2, 1024) and [x.shape for x in [logits, *stripe_logits]] == [(2, 751)] * 5
    decoder = 1024 * 512 + 512 * 512 + 512 * 256 + 2 * (512 + 512 + 256)
    assert count(apn.mfpm) == 3 * 1_051_648 + 3 * 9_440_256 + decoder
    assert count(apn.ltn) == 13_126_800 + 255 * 128
    assert count(apn) == count(apn.mfpm) + count(apn.ltn) + 1_298_432 + 4 * (2 * 512 + 512 * 751)


def test_embedding_and_stripes_are_means_of_the_local_map(rough):
    apn = rough(small()).eval()
    x = torch.randn(2, 5, 8, 5)
    local = apn.ltn(apn.mfpm(x))
    v_a, logits, stripe_logits = apn(x)
    torch.testing.assert_close(v_a, apn.embed(local.mean(dim=(2, 3))))
    torch.testing.assert_close(logits, apn.neck(v_a).logits)
    stripes = [local[:, :, 0:3], local[:, :, 3:6], local[:, :, 6:8], local[:, :, :, 0:3], local[:, :, :, 3:5]]
    for k, (stripe, neck) in enumerate(zip(stripes, [*apn.horizontal, *apn.vertical], strict=True)):
        pooled = torch.stack([torch.stack([torch.tensor(stripe[n, c].flatten().tolist()).mean() for c in range(12)]) for n in range(2)])
        torch.testing.assert_close(stripe_logits[k], neck(pooled).logits, rtol=1e-4, atol=1e-6)


def test_a_map_smaller_than_the_stripes_has_fewer():
    apn = small(horizontal_stripes=4, vertical_stripes=3).eval()
    outputs = apn(torch.randn(2, 5, 2, 1)).stripe_logits
    assert len(outputs) == 3 and all(torch.isfinite(x).all() for x in outputs)


def test_descriptor_is_the_normalised_neck(rough):
    apn = rough(small()).eval()
    v_a = torch.randn(3, 10)
    normalized = apn.neck(v_a).normalized
    torch.testing.assert_close(apn.descriptor(v_a), normalized / normalized.square().sum(dim=1, keepdim=True).sqrt())


@pytest.mark.parametrize(
    "change",
    [
        {"mfpm_channels": 9},
        {"decoder_channels": (8,)},
        {"decoder_kernel": 3},
        {"decoder_last_linear": True},
        {"lam_channels": (5, 12)},
        {"lam_grid": (1, 2)},
        {"embedding_dim": 11},
    ],
)
def test_every_setting_changes_the_embedding(change):
    x = torch.randn(2, 5, 8, 4)
    base, changed = small().eval()(x).v_a, small(**change).eval()(x).v_a
    assert base.shape != changed.shape or not torch.allclose(base, changed)


@pytest.mark.parametrize(
    ("change", "stripes"), [({}, 5), ({"horizontal_stripes": 1}, 3), ({"vertical_stripes": 0}, 3), ({"horizontal_stripes": 0, "vertical_stripes": 0}, 0)]
)
def test_number_of_stripe_classifiers(change, stripes):
    assert [x.shape for x in small(**change)(torch.randn(2, 5, 8, 4)).stripe_logits] == [(2, 7)] * stripes


@pytest.mark.parametrize("size", [(6, 3), (8, 4)])  # layer3 of 96 x 48 and of 128 x 64
def test_trains_and_serves(check_learns, check_serves, size):
    apn, x = small(), torch.randn(4, 5, *size)
    check_learns(apn, x)
    check_serves(apn, x)


def test_shortcuts_add_the_unchanged_map_to_what_mfpm_and_each_lam_block_make_of_it(rough):
    apn = rough(small(residual=True)).eval()
    x = torch.randn(2, 5, 8, 4)
    torch.testing.assert_close(apn.mfpm(x), torch.relu(apn.mfpm.shortcut(x) + apn.mfpm.module(x)))  # 5 -> 6 channels: a 1x1 convolution
    assert apn.mfpm.shortcut[0].kernel_size == (1, 1)
    local = apn.ltn.stem(apn.mfpm(x))
    tile = local[:, :, :4, :2]
    first, second = apn.ltn.stage1[0], apn.ltn.stage2[0]
    inner = torch.relu(tile + first.module(tile))  # 4 -> 4 channels: the map itself
    expected = torch.relu(second.shortcut(inner) + second.module(inner))
    torch.testing.assert_close(apn.ltn(apn.mfpm(x))[:, :, :4, :2], expected)
    assert apn(x).v_a.shape == small().eval()(x).v_a.shape
    assert count(apn) == count(small()) + (5 * 6 + 12) + 4 * (4 * 12 + 24)
