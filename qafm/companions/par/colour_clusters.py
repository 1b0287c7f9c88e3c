"""Clusters of images that look alike in colour: k-means on the square roots of HSV histograms, whose Euclidean distance is Hellinger's.

N images, H W their size, B length of a histogram, K clusters.
"""

from dataclasses import dataclass

import numpy as np
from scipy.cluster.vq import kmeans2, vq

from qafm.config.par import ClustersConfig
from qafm.evaluation.colour_histogram import stripe_histograms

ITERATIONS = 100


@dataclass(frozen=True)
class Clusters:
    """Centres of clusters, float64 [K, B]."""

    centres: np.ndarray

    def of(self, histograms: np.ndarray) -> np.ndarray:
        """The nearest cluster of each histogram [N, B], int64 [N]."""
        return vq(histograms.astype(np.float64), self.centres)[0].astype(np.int64)


def colour_histograms(images: np.ndarray, config: ClustersConfig) -> np.ndarray:
    """Histograms of images, uint8 RGB [N, H, W, 3], float32 [N, B] with L2 norm 1."""
    bins = config.hue_bins, config.saturation_bins, config.value_bins
    return np.stack([stripe_histograms(image, bins, config.stripes) for image in images])


def find_clusters(histograms: np.ndarray, config: ClustersConfig) -> Clusters:
    """k-means of `histograms` [N, B], N > 0, seeded; `count` clusters, fewer where there are not so many different histograms.

    A cluster that loses all its images keeps its centre; nothing is in it then.
    """
    distinct = np.unique(histograms, axis=0).astype(np.float64)
    if len(distinct) <= config.count:
        return Clusters(distinct)
    rng = np.random.default_rng(config.seed)
    start = distinct[_spread(distinct, config.count, rng)]
    return Clusters(kmeans2(histograms.astype(np.float64), start, iter=ITERATIONS, minit="matrix", missing="warn")[0])


def _spread(points: np.ndarray, count: int, rng: np.random.Generator) -> list[int]:
    """`count` rows of distinct `points` [N, B] far from each other: k-means++."""
    chosen = [int(rng.integers(len(points)))]
    nearest = np.square(points - points[chosen[0]]).sum(axis=1)  # [N]
    while len(chosen) < count:
        chosen.append(int(rng.choice(len(points), p=nearest / nearest.sum())))
        nearest = np.minimum(nearest, np.square(points - points[chosen[-1]]).sum(axis=1))
    return chosen
