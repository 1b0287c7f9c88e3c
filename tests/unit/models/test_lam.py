import math

import pytest
import torch

from qafm.models.lam import ChannelAttention, LamBlock, Ltn, SpatialAttention


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


@torch.no_grad()
def test_channel_attention_by_hand():
    attention = ChannelAttention(channels=32)
    x = torch.randn(1, 32, 3, 2)
    first, second = attention.mlp[0].weight[:, :, 0, 0], attention.mlp[2].weight[:, :, 0, 0]
    assert first.shape == (8, 32)
    pooled = {"mean": [sum(x[0, c].flatten().tolist()) / 6 for c in range(32)], "max": [max(x[0, c].flatten().tolist()) for c in range(32)]}
    gate = [0.0] * 32
    for values in pooled.values():
        hidden = [max(0.0, sum(float(first[k, c]) * values[c] for c in range(32))) for k in range(8)]
        gate = [gate[c] + sum(float(second[c, k]) * hidden[k] for k in range(8)) for c in range(32)]
    y = attention(x)
    for c in range(32):
        assert y[0, c].flatten().tolist() == pytest.approx([value * sigmoid(gate[c]) for value in x[0, c].flatten().tolist()], abs=1e-5)


@pytest.mark.parametrize(("channels", "hidden"), [(16, 8), (128, 8), (512, 32)])
def test_channel_attention_reduces_by_16_but_not_below_8(channels, hidden):
    assert ChannelAttention(channels=channels).mlp[0].out_channels == hidden


@torch.no_grad()
def test_spatial_attention_by_hand():
    attention, x = SpatialAttention(), torch.randn(1, 3, 2, 4)
    kernel, y = attention.conv.weight[0], attention(x)
    for row in range(2):
        for column in range(4):
            total = 0.0
            for r in range(2):
                for c in range(4):
                    tap = kernel[:, r - row + 3, c - column + 3]
                    total += float(tap[0] * x[0, :, r, c].mean() + tap[1] * x[0, :, r, c].max())
            torch.testing.assert_close(y[0, :, row, column], x[0, :, row, column] * sigmoid(total), rtol=1e-4, atol=1e-5)


def test_block_order_and_parameters():
    block = LamBlock(in_channels=128, out_channels=512)
    x = torch.randn(1, 128, 4, 3)
    block.eval()
    torch.testing.assert_close(block(x), block[3](block[2](block[1](block[0](x)))))
    assert isinstance(block[2], ChannelAttention) and isinstance(block[3], SpatialAttention)
    assert sum(parameter.numel() for parameter in block.parameters()) == 2_984_034


def test_full_size():
    with torch.device("meta"):
        ltn = Ltn(in_channels=1, channels=(128, 512), grid=(2, 2))
        assert ltn(torch.zeros(2, 1, 24, 8)).shape == (2, 512, 24, 8)
    assert sum(parameter.numel() for parameter in ltn.parameters()) == 13_126_800


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"), [(6, 4, (0, 3, 6), (0, 2, 4)), (5, 3, (0, 3, 5), (0, 2, 3)), (1, 2, (0, 1), (0, 1, 2)), (1, 1, (0, 1), (0, 1))]
)
def test_tiles_are_processed_alone_by_their_own_blocks(rough, height, width, rows, columns):
    ltn = rough(Ltn(in_channels=3, channels=(4, 6), grid=(2, 2))).eval()
    x = torch.randn(2, 3, height, width)
    y, stem = ltn(x), ltn.stem(x)
    assert y.shape == (2, 6, height, width)
    for r in range(len(rows) - 1):
        for c in range(len(columns) - 1):
            block = (..., slice(rows[r], rows[r + 1]), slice(columns[c], columns[c + 1]))
            torch.testing.assert_close(y[block], ltn.stage2[2 * r + c](ltn.stage1[2 * r + c](stem[block])))


def test_grid_and_channels_matter():
    x = torch.randn(2, 3, 6, 6)
    assert Ltn(in_channels=3, channels=(4, 10), grid=(3, 1))(x).shape == (2, 10, 6, 6)
    assert len(Ltn(in_channels=3, channels=(4, 10), grid=(3, 1)).stage1) == 3
    assert Ltn(in_channels=3, channels=(8, 10), grid=(1, 1)).stem[0].out_channels == 8
    rows, columns = Ltn(in_channels=3, channels=(4, 6), grid=(2, 1)).eval(), Ltn(in_channels=3, channels=(4, 6), grid=(1, 2)).eval()
    columns.load_state_dict(rows.state_dict())
    assert not torch.allclose(rows(x), columns(x))


def test_trains_and_serves(check_learns, check_serves):
    ltn, x = Ltn(in_channels=3, channels=(16, 32), grid=(2, 2)), torch.randn(4, 3, 5, 3)
    check_learns(ltn, x)
    check_serves(ltn, x)
