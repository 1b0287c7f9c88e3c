import pytest
import torch

from qafm.config.branches import ATTRIBUTE_ORDER, ApanConfig
from qafm.models.apan import Apan
from qafm.tables.attributes import ATTRIBUTE_NAMES, ATTRIBUTES

SMALL = ApanConfig(pafm_channels=6, step_channels=5, hidden_channels=4, embedding_dim=10)
ORIGINAL = ApanConfig(step_channels=0, gates=False, steps=1, heads="single", identity_head=False)
SHAPES = [(3,) if len(attribute.classes) == 2 else (3, len(attribute.classes)) for attribute in ATTRIBUTES]


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def small(**changes):
    torch.manual_seed(0)
    return Apan(config=SMALL.model_copy(update=changes), in_channels=8, num_ids=7)


def states(apan, x):
    """The hidden state after each step."""
    seen = []
    hook = apan.cell.register_forward_hook(lambda _module, _inputs, state: seen.append(state.h))
    output = apan(x)
    hook.remove()
    return seen, output


def test_original_has_its_parameter_counts():
    with torch.device("meta"):
        apan = Apan(config=ORIGINAL, in_channels=2048, num_ids=751)
        v_s, logits, attribute_logits = apan(torch.zeros(3, 2048, 12, 4))
    assert (count(apan.pafm), count(apan.cell), count(apan)) == (16_651_776, 21_234_688, 38_184_448)
    assert count(apan.single_head.classifier) == 30_720
    assert v_s.shape == (3, 1024) and logits is None and [x.shape for x in attribute_logits] == SHAPES


def test_default_full_size():
    with torch.device("meta"):
        apan = Apan(config=ApanConfig(), in_channels=2048, num_ids=751)
        v_s, logits, attribute_logits = apan(torch.zeros(3, 2048, 12, 4))
    assert v_s.shape == (3, 1024) and logits.shape == (3, 751) and [x.shape for x in attribute_logits] == SHAPES
    step = 2048 * 256 + 2 * 256 + 12 * 256 + (512 * 9 + 1) * 1024
    heads = 12 * 2 * 256 + (256 + 1) * 30 + 2 * 1024 + 1024 * 751
    assert count(apan) == 16_651_776 + step + (12 * 256 + 1) * 1024 + 2 * 1024 + heads


@pytest.mark.parametrize("order", [ATTRIBUTE_ORDER, ATTRIBUTE_ORDER[::-1], ATTRIBUTE_NAMES])
def test_head_of_a_group_reads_the_step_of_that_group(rough, order):
    apan = rough(small(group_order=order)).eval()
    seen, output = states(apan, torch.randn(3, 8, 4, 3))
    assert len(seen) == 12 and [x.shape for x in output.attribute_logits] == SHAPES
    columns = []
    for k, name in enumerate(ATTRIBUTE_NAMES):
        pooled = seen[order.index(name)].mean(dim=(2, 3))
        columns.append(pooled)
        torch.testing.assert_close(output.attribute_logits[k], apan.heads[k](pooled).reshape(SHAPES[k]))
    torch.testing.assert_close(output.v_s, apan.embed(torch.cat(columns, dim=1)))
    torch.testing.assert_close(output.logits, apan.neck(output.v_s).logits)


def test_a_shortcut_leads_from_the_attended_map_to_v_s(rough):
    apan, x = rough(small(residual=True)).eval(), torch.randn(3, 8, 4, 3)
    seen, output = states(apan, x)
    read = [seen[ATTRIBUTE_ORDER.index(name)].mean(dim=(2, 3)) for name in ATTRIBUTE_NAMES]
    torch.testing.assert_close(output.v_s, apan.embed(torch.cat([*read, apan.pafm(x).mean(dim=(2, 3))], dim=1)))
    with torch.no_grad():
        apan.embed[0].weight[:, : 12 * 4] = 0  # whatever the ConvLSTM says
    assert not torch.allclose(*(apan(y).v_s for y in (x, x + 1)))
    torch.testing.assert_close(output.attribute_logits, apan(x).attribute_logits)


def test_order_of_the_groups_changes_the_output():
    x = torch.randn(3, 8, 4, 3)
    base, changed = small().eval()(x), small(group_order=ATTRIBUTE_NAMES).eval()(x)
    assert not torch.allclose(base.v_s, changed.v_s) and not torch.allclose(base.attribute_logits[2], changed.attribute_logits[2])


def test_a_gate_acts_from_its_step_on():
    apan, x = small().eval(), torch.randn(3, 8, 4, 3)
    before, _ = states(apan, x)
    assert apan.gates.shape == (12, 5) and bool((torch.sigmoid(apan.gates) > 0.8).all())
    with torch.no_grad():
        apan.gates[7] = -20
    after, _ = states(apan, x)
    assert all(torch.equal(before[t], after[t]) for t in range(7))
    assert all(not torch.allclose(before[t], after[t]) for t in range(7, 12))


def test_open_gates_are_no_gates():
    gated, free, x = small().eval(), small(gates=False).eval(), torch.randn(3, 8, 4, 3)
    weights = gated.state_dict()
    with torch.no_grad():
        gated.gates.fill_(30)
    weights.pop("gates")
    free.load_state_dict(weights)
    assert free.gates is None
    torch.testing.assert_close(gated(x).v_s, free(x).v_s)


def test_one_step_feeds_all_heads():
    apan = small(steps=1).eval()
    seen, output = states(apan, torch.randn(3, 8, 4, 3))
    pooled = seen[0].mean(dim=(2, 3))
    assert len(seen) == 1 and apan.gates.shape == (1, 5)
    torch.testing.assert_close(output.v_s, apan.embed(pooled))
    for k in range(12):
        torch.testing.assert_close(output.attribute_logits[k], apan.heads[k](pooled).reshape(SHAPES[k]))


def test_single_head_slices_one_layer_on_the_neck(rough):
    apan = rough(small(heads="single")).eval()
    output = apan(torch.randn(3, 8, 4, 3))
    logits = apan.single_head(output.v_s).logits
    assert logits.shape == (3, 30) and apan.heads is None
    joined = torch.cat([x.reshape(3, -1) for x in output.attribute_logits], dim=1)
    assert torch.equal(joined, logits)


def test_without_projection_the_cell_sees_the_attended_map():
    apan = small(step_channels=0)
    inputs = []
    apan.cell.register_forward_hook(lambda _module, given, _state: inputs.append(given[0]))
    with torch.no_grad():
        apan.gates.fill_(30)
    apan.eval()(x := torch.randn(3, 8, 4, 3))
    torch.testing.assert_close(inputs[0], apan.pafm(x))
    assert apan.gates.shape == (12, 8)


def test_identity_head_and_descriptor(rough):
    with_head, without = rough(small()).eval(), rough(small(identity_head=False)).eval()
    v_s = torch.randn(3, 10)
    assert without(torch.randn(3, 8, 4, 3)).logits is None
    torch.testing.assert_close(without.descriptor(v_s), v_s / v_s.square().sum(dim=1, keepdim=True).sqrt())
    normalized = with_head.neck(v_s).normalized
    torch.testing.assert_close(with_head.descriptor(v_s), normalized / normalized.square().sum(dim=1, keepdim=True).sqrt())


@pytest.mark.parametrize(
    "change", [{"pafm_channels": 7}, {"step_channels": 6}, {"gates": False}, {"hidden_channels": 5}, {"steps": 1}, {"embedding_dim": 11}, {"residual": True}]
)
def test_every_width_changes_the_embedding(change):
    x = torch.randn(3, 8, 4, 3)
    base, changed = small().eval()(x).v_s, small(**change).eval()(x).v_s
    assert base.shape != changed.shape or not torch.allclose(base, changed)


@pytest.mark.parametrize("size", [(3, 2), (4, 2)])  # layer4 of 96 x 48 and of 128 x 64
@pytest.mark.parametrize(
    "change", [{}, {"heads": "single"}, {"step_channels": 0, "gates": False}, {"identity_head": False, "group_order": ATTRIBUTE_NAMES}, {"residual": True}]
)
def test_trains_and_serves(check_learns, check_serves, size, change):
    apan, x = small(**change), torch.randn(3, 8, *size)
    check_learns(apan, x)
    check_serves(apan, x)


def test_recurrent_weights_are_dead_with_one_step():
    apan = small(steps=1)
    apan(torch.randn(3, 8, 4, 3)).v_s.square().mul(torch.randn(10)).sum().backward()
    assert apan.cell.conv.weight.grad[:, :5].any() and not apan.cell.conv.weight.grad[:, 5:].any()
