import copy

import numpy as np
import pytest
import torch

from qafm.config.runtime import RuntimeConfig
from qafm.images.image_set import ImageSet
from qafm.images.network_input import normalize
from qafm.losses.alpha import fit_scale, prototype_loss
from qafm.models.qafm import Qafm
from qafm.training import alpha_table
from qafm.training.alpha_table import describe_table, holdout_table, train_table
from qafm.training.best_fixed import best_fixed_weight
from qafm.training.fusion_losses import AlphaTable

CPU = torch.device("cpu")


@pytest.fixture
def images(labels: torch.Tensor) -> ImageSet:
    n = len(labels)
    pixels = torch.randint(0, 256, (n, 3, 64, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    camids = np.tile([1, 2, 3], n)[:n]
    return ImageSet([f"{i}.jpg" for i in range(n)], pixels, labels.numpy() + 40, camids, np.array(["train"] * n), labels, torch.zeros(n, 12, dtype=torch.long))


def test_train_table_holds_plain_cross_entropy_of_each_classifier(model: Qafm, images: ImageSet) -> None:
    q = torch.arange(9.0)
    table = train_table(model, images, q, CPU, RuntimeConfig())
    with torch.no_grad():
        for losses, logits in ((table.l_apn, model.visual(normalize(images.pixels)).logits), (table.l_apan, model.attribute(normalize(images.pixels)).logits)):
            expected = [-torch.log_softmax(row, 0)[label] for row, label in zip(logits, images.labels, strict=True)]
            torch.testing.assert_close(losses, torch.stack(expected), atol=1e-5, rtol=1e-4)
    assert torch.equal(table.q, q)


def test_both_tables_measure_the_branches_in_eval_mode(model: Qafm, images: ImageSet) -> None:
    settled = copy.deepcopy(model).eval()
    for table in (train_table, holdout_table):
        found, expected = (table(network, images, torch.arange(9.0), CPU, RuntimeConfig()) for network in (model.train(), settled))
        for losses, others in zip(found, expected, strict=True):
            torch.testing.assert_close(losses, others)


def test_holdout_table_holds_each_branchs_own_losses_at_its_own_scale(model: Qafm, images: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of the three images of each identity are of one camera and more alike for it; v_a tells the identities more clearly than v_s."""
    two_in_one_camera = ImageSet(**{**vars(images), "camids": np.array([1, 1, 2] * 3)})
    generator = torch.Generator().manual_seed(14)
    centres, seen_alike = torch.randn(3, 8, generator=generator)[images.labels], torch.randn(6, 8, generator=generator)[[0, 0, 1, 2, 2, 3, 4, 4, 5]]
    vectors = [centres + noise * torch.randn(9, 8, generator=generator) + alike * seen_alike for noise, alike in ((0.3, 0.3), (0.8, 1.0))]
    monkeypatch.setattr(alpha_table, "branch_vectors", lambda *_: tuple(vectors))
    pids, camids = torch.from_numpy(images.pids), torch.from_numpy(two_in_one_camera.camids)
    scales = [fit_scale(v, pids, camids) for v in vectors]
    table = holdout_table(model, two_in_one_camera, torch.arange(9.0), CPU, RuntimeConfig())
    for losses, v, scale in zip((table.l_apn, table.l_apan), vectors, scales, strict=True):
        torch.testing.assert_close(losses, prototype_loss(v, pids, camids, scale))
        assert not torch.allclose(losses, prototype_loss(v, pids, None, scale), rtol=1e-2)
    assert scales[0] > scales[1] and all(scale != fit_scale(v, pids, None) for v, scale in zip(vectors, scales, strict=True))


def test_holdout_table_leaves_out_identities_with_a_single_image(model: Qafm, images: ImageSet) -> None:
    alone = images.pids.copy()
    alone[0] = 99
    table = holdout_table(model, ImageSet(**{**vars(images), "pids": alone}), torch.arange(9.0), CPU, RuntimeConfig())
    assert table.q.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert torch.isfinite(table.l_apn).all()
    assert (table.l_apan > 0).all()


def test_description_tells_a_collapsed_weight(model: Qafm) -> None:
    table = AlphaTable(torch.linspace(0, 2, 20), torch.linspace(1, 2, 20), torch.linspace(2, 1, 20))
    report = describe_table(model, table)
    assert report["weight_sd"] == pytest.approx(0, abs=1e-6)
    assert report["target_q_r"] < -0.99
    assert report["target_mean"] == pytest.approx(0.5, abs=0.02)


def test_description_tells_the_weight_from_its_target(model: Qafm) -> None:
    assert model.weight_mlp is not None
    q = torch.linspace(0, 2, 20)
    table = AlphaTable(q, 1 + q.square(), torch.full((20,), 2.0))
    with torch.no_grad():
        for parameter in model.weight_mlp.parameters():
            parameter.copy_(torch.linspace(-1, 1, parameter.numel()).reshape(parameter.shape))
        w = model.weight_mlp.weight(q).numpy()
    target = 2 / (3 + np.linspace(0, 2, 20) ** 2)
    expected = {f"{name}_{what}": value for name, x in (("target", target), ("weight", w)) for what, value in (("mean", x.mean()), ("sd", x.std()))}
    expected |= {"target_q_r": np.corrcoef(q, target)[0, 1], "weight_q_r": np.corrcoef(q, w)[0, 1]}
    assert describe_table(model, table) == pytest.approx(expected, rel=1e-4)
    assert expected["weight_sd"] > 0.01 and abs(expected["weight_q_r"] - expected["target_q_r"]) > 0.01


def test_best_fixed_weight_finds_the_informative_branch(images: ImageSet) -> None:
    rng = np.random.default_rng(3)
    good = np.eye(3, dtype=np.float32)[images.labels.numpy()] + 0.01 * rng.normal(size=(9, 3)).astype(np.float32)
    noise = rng.normal(size=(9, 5)).astype(np.float32)
    weight, score = best_fixed_weight(good, noise, images)
    assert score == 100
    assert weight >= 0.5
    swapped, _ = best_fixed_weight(noise, good, images)
    assert swapped <= 0.5


def slow_map(images: ImageSet, v_a: np.ndarray, v_s: np.ndarray, w: float) -> float:
    """mAP in percent of [w v_a, (1 - w) v_s], query by query; images of the query's own person and camera are left out."""
    units = [np.concatenate([w * a / np.linalg.norm(a), (1 - w) * s / np.linalg.norm(s)]) for a, s in zip(v_a, v_s, strict=True)]
    units = [v / np.linalg.norm(v) for v in units]
    scores = []
    for i, query in enumerate(units):
        gallery = [j for j in range(len(units)) if images.pids[j] != images.pids[i] or images.camids[j] != images.camids[i]]
        ranked = sorted(gallery, key=lambda j: -float(query @ units[j]))
        right = [rank for rank, j in enumerate(ranked, 1) if images.pids[j] == images.pids[i]]
        scores.append(np.mean([found / rank for found, rank in enumerate(right, 1)]))
    return 100 * float(np.mean(scores))


@pytest.mark.parametrize(("seed", "best"), [(7, 0.3), (11, 0.7)])
def test_best_fixed_weight_is_the_best_of_twentieths(images: ImageSet, seed: int, best: float) -> None:
    rng = np.random.default_rng(seed)
    v_a, v_s = (np.eye(3)[images.labels.numpy()] + 0.6 * rng.normal(size=(9, 3)) for _ in range(2))
    scores = {k: slow_map(images, v_a, v_s, k / 20) for k in range(21)}
    assert [k for k, score in scores.items() if score > max(scores.values()) - 1e-9] == [round(20 * best)]
    weight, score = best_fixed_weight(v_a.astype(np.float32), v_s.astype(np.float32), images)
    assert (weight, score) == (pytest.approx(best), pytest.approx(max(scores.values())))
