import pytest
import torch
import torch.nn.functional as F

from qafm.models.mfpm import Mfpm

SMALL = {"in_channels": 6, "channels": 4, "decoder_channels": (5, 3), "decoder_kernel": 1, "decoder_last_linear": False}


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def conv_bn_relu(x, block, dilation=1):
    conv, norm = block[0], block[1]
    padding = dilation * (conv.weight.shape[2] // 2)
    y = F.conv2d(x, conv.weight, conv.bias, padding=padding, dilation=dilation)
    return F.batch_norm(y, norm.running_mean, norm.running_var, norm.weight, norm.bias).clamp(min=0)


def test_equals_the_formula(rough):
    mfpm = rough(Mfpm(**SMALL)).eval()
    x = torch.randn(2, 6, 9, 7)
    paths = [conv_bn_relu(x, mfpm.paths[0])] + [conv_bn_relu(x, mfpm.paths[k], dilation=k + 1) for k in (1, 2, 3)]
    assert all(path.shape == (2, 4, 9, 7) for path in paths)
    context = conv_bn_relu(F.adaptive_avg_pool2d(x, 1), mfpm.context)
    context = F.interpolate(context, size=(9, 7), mode="bilinear", align_corners=False)
    y = conv_bn_relu(sum(paths) + context, mfpm.merge)
    for block in mfpm.decoder:
        y = conv_bn_relu(y, block)
    torch.testing.assert_close(mfpm(x), y)


@torch.no_grad()
def test_last_linear_convolution_may_be_negative():
    x = torch.randn(2, 6, 9, 7)
    assert float(Mfpm(**SMALL)(x).min()) == 0
    assert float(Mfpm(**SMALL | {"decoder_last_linear": True, "decoder_kernel": 3})(x).min()) < 0


@pytest.mark.parametrize(
    ("change", "out_channels"),
    [
        ({}, 256),
        ({"decoder_channels": (512, 320)}, 320),
        ({"decoder_channels": (512, 512, 256, 128, 64, 1), "decoder_kernel": 3, "decoder_last_linear": True}, 1),
    ],
)
def test_full_size_shapes(change, out_channels):
    full = {"in_channels": 1024, "channels": 1024, "decoder_channels": (512, 512, 256), "decoder_kernel": 1, "decoder_last_linear": False} | change
    with torch.device("meta"):
        mfpm = Mfpm(**full)
        assert mfpm(torch.zeros(2, 1024, 24, 8)).shape == (2, out_channels, 24, 8)
    assert mfpm.out_channels == out_channels


def test_widths_and_kernel_change_the_parameters():
    base = count(Mfpm(**SMALL))
    assert count(Mfpm(**SMALL | {"channels": 8})) > base
    assert count(Mfpm(**SMALL | {"decoder_kernel": 3})) == base + 8 * (4 * 5 + 5 * 3)
    assert count(Mfpm(**SMALL | {"decoder_kernel": 3, "decoder_last_linear": True})) == base + 8 * 4 * 5 - 2 * 3


def test_trains_and_serves(check_learns, check_serves):
    mfpm, x = Mfpm(**SMALL), torch.randn(3, 6, 6, 3)
    check_learns(mfpm, x)
    check_serves(mfpm, x)
