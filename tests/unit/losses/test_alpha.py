import math

import pytest
import torch

from qafm.errors import InputError
from qafm.losses.alpha import SCALES, expected_loss, fit_scale, prototype_loss, ratio_bce, ratio_target


def test_target_favours_the_branch_with_the_lower_loss():
    l_apn, l_apan = torch.tensor([1.0, 3.0, 0.0, 2.0, 0.0]), torch.tensor([3.0, 1.0, 2.0, 0.0, 0.0])
    assert ratio_target(l_apn, l_apan).tolist() == pytest.approx([0.75, 0.25, 1.0, 0.0, 0.5], abs=1e-6)


def test_target_is_detached():
    losses = torch.tensor([1.0, 2.0], requires_grad=True)
    assert not ratio_target(losses, 2 * losses).requires_grad


def test_bce_by_hand_and_its_minimum():
    logit, target = torch.tensor([0.3, -1.2]), torch.tensor([0.9, 0.2])
    expected = 0.0
    for x, t in zip(logit.tolist(), target.tolist(), strict=True):
        w = 1 / (1 + math.exp(-x))
        expected -= (t * math.log(w) + (1 - t) * math.log(1 - w)) / 2
    assert float(ratio_bce(logit, target)) == pytest.approx(expected, rel=1e-5)
    best = torch.log(target / (1 - target)).requires_grad_()
    ratio_bce(best, target).backward()
    assert best.grad.tolist() == pytest.approx([0, 0], abs=1e-6)


def test_bce_teaches_the_logit_only():
    logit, target = torch.zeros(2, requires_grad=True), torch.tensor([0.9, 0.2], requires_grad=True)
    ratio_bce(logit, target).backward()
    assert logit.grad.tolist() == pytest.approx([-0.2, 0.15]) and target.grad is None


def test_expected_loss_is_equation_6_and_pushes_w_to_an_end():
    w, l_apn, l_apan = torch.tensor([0.2, 0.9], requires_grad=True), torch.tensor([1.0, 4.0], requires_grad=True), torch.tensor([3.0, 2.0])
    loss = expected_loss(w, l_apn, l_apan)
    assert float(loss.detach()) == pytest.approx((0.2 * 1 + 0.8 * 3 + 0.9 * 4 + 0.1 * 2) / 2)
    loss.backward()
    assert w.grad.tolist() == pytest.approx([-1.0, 1.0])  # wherever w stands: towards 1 where APN is better, else towards 0
    assert l_apn.grad is None


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def reference(features, pids, camids, scale):
    """Nested loops over lists."""
    unit = [[x / math.sqrt(sum(y * y for y in row)) for x in row] for row in features]
    losses = []
    for n, pid in enumerate(pids):
        logits = {}
        for other in sorted(set(pids)):
            members = [m for m in range(len(pids)) if pids[m] == other and m != n]
            if other == pid and camids is not None:
                members = [m for m in members if camids[m] != camids[n]] or members
            if members:
                logits[other] = scale * cosine(unit[n], [sum(unit[m][d] for m in members) for d in range(len(unit[0]))])
        losses.append(math.log(sum(math.exp(x) for x in logits.values())) - logits[pid] if pid in logits else math.nan)
    return losses


PIDS = [7, 3, 7, 9, 3, 7, 3, 5, 9]
CAMIDS = [1, 1, 2, 3, 2, 1, 2, 1, 3]  # identity 9 has one camera only


@pytest.mark.parametrize("camids", [None, CAMIDS])
@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_prototype_loss_equals_nested_loops(camids, scale):
    features = torch.randn(9, 4, generator=torch.Generator().manual_seed(2))
    losses = prototype_loss(features, torch.tensor(PIDS), None if camids is None else torch.tensor(camids), scale)
    assert losses.dtype == torch.float32
    assert losses.tolist() == pytest.approx(reference(features.tolist(), PIDS, camids, scale), rel=1e-4, nan_ok=True)
    assert [n for n, loss in enumerate(losses.tolist()) if math.isnan(loss)] == [7]


def test_prototype_loss_ignores_the_length_of_features():
    features, pids = torch.randn(9, 4), torch.tensor(PIDS)
    longer = features * torch.rand(9, 1).add(0.5)
    torch.testing.assert_close(prototype_loss(features, pids, None, 5.0), prototype_loss(longer, pids, None, 5.0), equal_nan=True)


def test_an_image_does_not_vouch_for_itself():
    features = torch.tensor([[1.0, 0, 0], [0, 1.0, 0], [0, 0.9, 0.1], [0, 1.0, 0.1]])  # image 0 is unlike its identity
    losses = prototype_loss(features, torch.tensor([1, 1, 2, 2]), None, 10.0)
    assert float(losses[0]) == pytest.approx(math.log(2), rel=1e-3) and float(losses[2]) < float(losses[0])


def noisy_identities(noise):
    generator = torch.Generator().manual_seed(3)
    pids = torch.arange(12).repeat_interleave(6)
    return torch.randn(12, 16, generator=generator)[pids] + noise * torch.randn(72, 16, generator=generator), pids


def test_fitted_scale_is_the_best_of_the_grid():
    features, pids = noisy_identities(1.0)
    camids = torch.arange(72) % 3
    means = {scale: float(prototype_loss(features, pids, camids, scale).mean()) for scale in SCALES}
    best = fit_scale(features, pids, camids)
    assert best == min(means, key=means.__getitem__) and SCALES[0] < best < SCALES[-1]
    assert fit_scale(features, pids, camids, scales=(1.0, 2.0)) == 2.0


def test_clearer_features_get_a_larger_scale():
    assert fit_scale(*noisy_identities(0.5), None) > fit_scale(*noisy_identities(2.0), None)


def test_cameras_matter_to_the_scale():
    features, pids = noisy_identities(1.0)
    camids = torch.arange(72) % 2
    by_camera = features + 3 * torch.eye(16)[camids] * torch.randn(12, 1, generator=torch.Generator().manual_seed(4))[pids]
    assert fit_scale(by_camera, pids, camids) != fit_scale(by_camera, pids, None)


def test_images_without_company_do_not_spoil_the_scale():
    features, pids = noisy_identities(1.0)
    features = torch.cat([features, torch.randn(100, 16, generator=torch.Generator().manual_seed(5))])
    pids = torch.cat([pids, torch.arange(50, 150)])  # a hundred identities of one image each
    means = {scale: float(prototype_loss(features, pids, None, scale).nanmean()) for scale in SCALES}
    assert fit_scale(features, pids, None) == min(means, key=means.__getitem__)
    with pytest.raises(InputError, match=r"^held-out identities: none has two images"):
        fit_scale(torch.randn(3, 4), torch.tensor([1, 2, 3]), None)
