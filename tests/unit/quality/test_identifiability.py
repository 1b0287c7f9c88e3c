import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qafm.config.perturb import PerturbConfig
from qafm.perturbations.catalog import variant_families
from qafm.quality.identifiability import identifiability, pair_distances, pair_weights
from qafm.tables.quality import FAMILIES


def slow_distance(a: list[float], b: list[float]) -> float:
    return math.sqrt(math.fsum((x - y) ** 2 for x, y in zip(a, b, strict=True)))


def slow_unit(vector: list[float]) -> list[float]:
    norm = math.sqrt(math.fsum(x * x for x in vector))
    return [x / norm for x in vector] if norm else vector


def slow_q(features: np.ndarray, normalize: str, mode: str, members: set[int] | None = None) -> float:
    """Eq. 1, pair by pair; only pairs within `members` if given."""
    vectors = [[float(x) for x in row] for row in features]
    if normalize == "l2":
        vectors = [slow_unit(vector) for vector in vectors]
    distances = []
    for i in range(len(vectors)):
        for j in range(i + 1, len(vectors)):
            if (mode == "all_pairs" or i == 0) and (members is None or {i, j} <= members):
                distances.append(slow_distance(vectors[i], vectors[j]))
    return math.fsum(distances) / len(distances)


def like_features(variants: int = 35, dim: int = 64, spread: float = 0.3, seed: int = 0) -> np.ndarray:
    """Made-up features: positive, one direction with some spread, float32 [V, D]."""
    rng = np.random.default_rng(seed)
    return np.abs(rng.normal(size=dim) + spread * rng.normal(size=(variants, dim))).astype(np.float32)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("mode", ["all_pairs", "reference"])
@pytest.mark.parametrize("normalize", ["l2", "none"])
def test_q_equals_nested_loops(dtype: str, mode, normalize) -> None:
    features = like_features().astype(dtype)
    assert identifiability(features, normalize=normalize, mode=mode) == pytest.approx(slow_q(features, normalize, mode), rel=1e-12)


def test_q_counted_by_hand() -> None:
    features = np.array([[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]])
    assert identifiability(features, normalize="none") == pytest.approx((5 + 5 + 10) / 3)
    assert identifiability(features, normalize="none", mode="reference") == pytest.approx(5)
    assert identifiability(features, normalize="l2") == pytest.approx((1 + 0 + 1) / 3)  # the zero vector stays zero


def test_defaults_are_all_pairs_of_normalised_features() -> None:
    features = like_features()
    assert identifiability(features) == identifiability(features, normalize="l2", mode="all_pairs")
    assert len({identifiability(features, normalize=n, mode=m) for n in ("l2", "none") for m in ("all_pairs", "reference")}) == 4


def test_35_vectors_have_595_pairs_in_order() -> None:
    distances = pair_distances(like_features())
    assert distances.raw.shape == distances.normalized.shape == (595,)
    assert distances.raw[0] == pytest.approx(slow_distance(*like_features()[[0, 1]].astype(float).tolist()))
    assert distances.raw[34] == pytest.approx(slow_distance(*like_features()[[1, 2]].astype(float).tolist()))
    assert distances.mean_norm == pytest.approx(np.mean([math.hypot(*row) for row in like_features()]))


def test_equal_vectors_are_exactly_0_apart() -> None:
    features = like_features(dim=2048)
    features[7] = features[3]
    distances = pair_distances(features)
    position = list(zip(*np.triu_indices(35, 1), strict=True)).index((3, 7))
    assert distances.raw[position] == distances.normalized[position] == 0
    assert (np.delete(distances.raw, position) > 0).all()
    same = np.repeat(features[:1], 35, axis=0)
    assert identifiability(same) == identifiability(same, normalize="none") == 0
    assert identifiability(np.zeros((35, 8), np.float16)) == 0


@pytest.mark.parametrize("exponent", range(1, 9))
def test_nearly_equal_vectors_lose_no_digits(exponent: int) -> None:
    """A Gram matrix alone would be wrong in the first digit from 1e-8 on."""
    base = np.random.default_rng(5).normal(size=512)
    features = np.stack([base, base + 10.0**-exponent * np.random.default_rng(6).normal(size=512), base * 2])
    for normalize in ("l2", "none"):
        first = pair_distances(features).normalized[0] if normalize == "l2" else pair_distances(features).raw[0]
        assert first == pytest.approx(slow_q(features[:2], normalize, "all_pairs"), rel=1e-7)


@given(st.integers(2, 7), st.integers(1, 5), st.integers(0, 10_000), st.sampled_from([1e-3, 1.0, 1e3]))
def test_any_shape_and_scale(variants: int, dim: int, seed: int, scale: float) -> None:
    features = np.random.default_rng(seed).integers(-3, 4, (variants, dim)) * scale  # many equal, parallel and zero vectors
    distances = pair_distances(features)
    assert distances.raw.mean() == pytest.approx(slow_q(features, "none", "all_pairs"), rel=1e-9, abs=1e-12)
    assert distances.normalized.mean() == pytest.approx(slow_q(features, "l2", "all_pairs"), rel=1e-9, abs=1e-9)


def test_q_grows_with_the_spread_and_raw_q_with_the_norm() -> None:
    scores = [identifiability(like_features(spread=spread)) for spread in (0.0, 0.1, 0.2, 0.4)]
    assert all(low < high for low, high in pairwise(scores))
    features = like_features().astype(np.float64)
    assert identifiability(3 * features) == pytest.approx(identifiability(features))
    assert identifiability(3 * features, normalize="none") == pytest.approx(3 * identifiability(features, normalize="none"))


def test_the_order_of_the_variants_does_not_matter_but_the_original_does() -> None:
    features = like_features()
    assert identifiability(features[::-1]) == pytest.approx(identifiability(features), rel=1e-12)
    assert identifiability(features[::-1], mode="reference") != pytest.approx(identifiability(features, mode="reference"), rel=1e-6)


def test_a_working_buffer_changes_nothing_and_features_are_left_alone() -> None:
    features, work = like_features(), np.full((35, 64), np.nan)
    before = features.copy()
    for _ in range(2):
        assert (pair_distances(features, work).raw == pair_distances(features).raw).all()
    assert (features == before).all()


@pytest.mark.parametrize("mode", ["all_pairs", "reference"])
def test_families_are_the_pairs_of_the_original_and_their_variants(mode) -> None:
    families = variant_families(PerturbConfig())
    features = like_features()
    scores = pair_weights(families, mode) @ pair_distances(features).raw
    assert scores[0] == pytest.approx(slow_q(features, "none", mode), rel=1e-12)
    assert len(scores) == 1 + len(FAMILIES)
    for family in dict.fromkeys(families):
        members = {0} | {1 + position for position, name in enumerate(families) if name == family}
        assert scores[1 + FAMILIES.index(family)] == pytest.approx(slow_q(features, "none", mode, members), rel=1e-12)


def test_family_weights_counted_by_hand() -> None:
    weights = pair_weights(("blur", "noise", "blur"))  # pairs 01 02 03 12 13 23
    assert weights[0].tolist() == [1 / 6] * 6
    assert weights[1 + FAMILIES.index("blur")].tolist() == [1 / 3, 0, 1 / 3, 0, 1 / 3, 0]
    assert weights[1 + FAMILIES.index("noise")].tolist() == [0, 1, 0, 0, 0, 0]
    assert np.isnan(weights[1 + FAMILIES.index("light")]).all()
    assert pair_weights(("blur", "noise", "blur"), "reference")[1 + FAMILIES.index("blur")].tolist() == [0.5, 0, 0.5, 0, 0, 0]


def test_bad_input_is_refused() -> None:
    for features in (np.zeros(5), np.zeros((1, 5)), np.zeros((2, 3, 4))):
        with pytest.raises(ValueError, match=r"expected \[V, D\]"):
            pair_distances(features)
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="not finite"):
            pair_distances(np.array([[1.0, value], [1.0, 2.0]]))
    with pytest.raises(ValueError, match="unknown families"):
        pair_weights(("rain",))
