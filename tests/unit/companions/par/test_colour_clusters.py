import numpy as np
import pytest

from qafm.companions.par.colour_clusters import Clusters, colour_histograms, find_clusters
from qafm.config.par import ClustersConfig
from qafm.evaluation.colour_histogram import colour_histogram

CONFIG = ClustersConfig(count=3, hue_bins=8, stripes=1)


def shades(colors: list[tuple[int, int, int]], each: int, seed: int = 1) -> np.ndarray:
    """Images of nearly one colour, uint8 [N, 12, 6, 3]."""
    rng = np.random.default_rng(seed)
    base = np.repeat(np.array(colors), each, axis=0)[:, None, None]
    return np.clip(base + rng.integers(-9, 10, (len(base), 12, 6, 3)), 0, 255).astype(np.uint8)


def test_images_of_one_colour_share_a_cluster() -> None:
    histograms = colour_histograms(shades([(200, 30, 30), (30, 200, 30), (30, 30, 200)], 10), CONFIG)
    found = find_clusters(histograms, CONFIG)
    members = found.of(histograms)
    assert len(found.centres) == 3
    assert [len(np.unique(members[i : i + 10])) for i in (0, 10, 20)] == [1, 1, 1]
    assert len(np.unique(members)) == 3
    others = found.of(colour_histograms(shades([(30, 200, 30), (200, 30, 30)], 2, seed=2), CONFIG))
    assert others.tolist() == [members[10]] * 2 + [members[0]] * 2


def test_every_image_belongs_to_the_nearest_centre_and_every_centre_is_the_mean_of_its_images() -> None:
    rng = np.random.default_rng(2)
    histograms = rng.random((60, 5)).astype(np.float32)
    found = find_clusters(histograms, ClustersConfig(count=4))
    members = found.of(histograms)
    for histogram, member in zip(histograms, members, strict=True):
        distances = [float(((histogram - centre) ** 2).sum()) for centre in found.centres]
        assert member == distances.index(min(distances))
    for cluster in range(4):
        np.testing.assert_allclose(found.centres[cluster], histograms[members == cluster].mean(axis=0), atol=1e-5)


def test_the_seed_decides() -> None:
    histograms = np.random.default_rng(3).random((200, 6)).astype(np.float32)
    one, same, other = (find_clusters(histograms, ClustersConfig(count=8, seed=seed)).centres for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(("distinct", "count"), [(1, 3), (2, 3), (3, 3), (5, 1)])
def test_no_more_clusters_than_different_histograms(distinct: int, count: int) -> None:
    histograms = np.repeat(np.eye(6, dtype=np.float32)[:distinct], 4, axis=0)
    found = find_clusters(histograms, ClustersConfig(count=count))
    assert len(found.centres) == min(distinct, count)
    members = found.of(histograms)
    assert len(np.unique(members)) == min(distinct, count)
    assert np.isfinite(found.centres).all()


def test_histograms_are_those_of_the_stripes() -> None:
    images = np.random.default_rng(4).integers(0, 256, (2, 12, 6, 3), dtype=np.uint8)
    found = colour_histograms(images, ClustersConfig(hue_bins=4, saturation_bins=3, value_bins=2, stripes=2))
    assert found.shape == (2, 48)
    expected = np.concatenate([colour_histogram(part, (4, 3, 2)) for part in (images[1, :6], images[1, 6:])]) / np.sqrt(2)
    np.testing.assert_allclose(found[1], expected, atol=1e-6)


def test_new_images_go_to_the_nearest_of_given_centres() -> None:
    centres = Clusters(np.array([[0.0, 0.0], [1.0, 1.0]]))
    assert centres.of(np.array([[0.2, 0.1], [0.9, 0.8], [0.4, 0.5]], np.float32)).tolist() == [0, 1, 0]
