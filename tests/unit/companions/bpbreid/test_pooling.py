import pytest
import torch

from qafm.companions.bpbreid.pooling import pool_maps


@pytest.mark.parametrize("pooling", ["gwap", "gap", "gmp"])
def test_against_loops(pooling) -> None:
    features, maps = torch.randn(2, 3, 4, 2), torch.rand(2, 5, 4, 2)
    found = pool_maps(features, maps, pooling)
    assert found.shape == (2, 5, 3)
    for n in range(2):
        for p in range(5):
            for c in range(3):
                products = [float(features[n, c, y, x] * maps[n, p, y, x]) for y in range(4) for x in range(2)]
                expected = {"gwap": sum(products) / float(maps[n, p].sum()), "gap": sum(products) / 8, "gmp": max(products)}[pooling]
                assert float(found[n, p, c]) == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("pooling", ["gwap", "gap", "gmp"])
def test_an_empty_map_gives_zeros_with_a_finite_gradient(pooling) -> None:
    features = torch.randn(1, 3, 4, 2, requires_grad=True)
    maps = torch.zeros(1, 2, 4, 2, requires_grad=True)
    found = pool_maps(features, maps, pooling)
    assert not found.any()
    found.sum().backward()
    assert torch.isfinite(features.grad).all() and torch.isfinite(maps.grad).all()
