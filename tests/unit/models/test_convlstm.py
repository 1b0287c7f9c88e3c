import math

import pytest
import torch

from qafm.models.convlstm import ConvLstmCell, LstmState


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def reference_gate(cell, stacked, k, r, s):
    """Convolution output k at one position, zero padding, of nested lists [channel][row][column]."""
    total = float(cell.conv.bias[k].detach())
    for channel, plane in enumerate(stacked):
        for row in range(max(0, r - 1), min(len(plane), r + 2)):
            for column in range(max(0, s - 1), min(len(plane[0]), s + 2)):
                total += float(cell.conv.weight[k, channel, row - r + 1, column - s + 1].detach()) * plane[row][column]
    return total


def reference_step(cell, x, h, c):
    """One step on nested lists [channel][row][column] of one image."""
    hidden, rows, columns = len(h), len(x[0]), len(x[0][0])
    new_h, new_c = [[[[0.0] * columns for _ in range(rows)] for _ in range(hidden)] for _ in range(2)]
    for d in range(hidden):
        for r in range(rows):
            for s in range(columns):
                i, f, o, g = (reference_gate(cell, x + h, part * hidden + d, r, s) for part in range(4))
                new_c[d][r][s] = sigmoid(f) * c[d][r][s] + sigmoid(i) * math.tanh(g)
                new_h[d][r][s] = sigmoid(o) * math.tanh(new_c[d][r][s])
    return new_h, new_c


def test_three_steps_against_nested_loops():
    cell = ConvLstmCell(in_channels=2, hidden_channels=3)
    xs = torch.randn(3, 1, 2, 3, 2)
    state = cell.start(xs[0])
    h = c = [[[0.0] * 2 for _ in range(3)] for _ in range(3)]
    for x in xs:
        state = cell(x, state)
        h, c = reference_step(cell, x[0].tolist(), h, c)
        torch.testing.assert_close(state, LstmState(torch.tensor([h]), torch.tensor([c])), rtol=1e-4, atol=1e-5)


def test_start_is_zero_and_the_forget_gate_starts_at_one():
    cell = ConvLstmCell(in_channels=4, hidden_channels=5)
    state = cell.start(torch.randn(2, 4, 3, 6))
    assert state.h.shape == state.c.shape == (2, 5, 3, 6) and not state.h.any() and not state.c.any()
    bias = cell.conv.bias.tolist()
    assert bias[5:10] == [1.0] * 5 and all(abs(value) < 1 for value in bias[:5] + bias[10:])


def test_full_size_parameters():
    with torch.device("meta"):
        cell = ConvLstmCell(in_channels=2048, hidden_channels=256)
    assert sum(parameter.numel() for parameter in cell.parameters()) == 21_234_688


@pytest.mark.parametrize(("steps", "learns"), [(1, False), (2, True)])
def test_recurrent_weights_learn_from_the_second_step_on(steps, learns):
    cell, x = ConvLstmCell(in_channels=2, hidden_channels=3), torch.randn(2, 2, 4, 4)
    state = cell.start(x)
    for _ in range(steps):
        state = cell(x, state)
    state.h.sum().backward()
    assert bool(cell.conv.weight.grad[:, 2:].any()) == learns
    assert bool(cell.conv.bias.grad[3:6].any()) == learns  # forget gate


def test_batch_of_one_and_state_dict():
    cell, other = ConvLstmCell(in_channels=2, hidden_channels=3), ConvLstmCell(in_channels=2, hidden_channels=3)
    other.load_state_dict(cell.state_dict())
    x, state = torch.randn(4, 2, 3, 3), LstmState(torch.randn(4, 3, 3, 3), torch.randn(4, 3, 3, 3))
    torch.testing.assert_close(other(x[:1], LstmState(state.h[:1], state.c[:1])).h, cell(x, state).h[:1])
