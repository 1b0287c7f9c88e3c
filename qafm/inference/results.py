"""What `ReidModel` answers.

N images, D the length of a descriptor.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Embedded:
    """Images as descriptors.

    Args:
        descriptor: L2-normalised, float32 [N, D]; compared by Euclidean distance sqrt(2 - 2 cos), 0 (equal) to 2.
        q: Q(I), float64 [N], low = stable features = good; NaN where it was not computed.
        visual_weight: share of the visual branch, float64 [N] in [0, 1].
    """

    descriptor: np.ndarray
    q: np.ndarray
    visual_weight: np.ndarray

    def __len__(self) -> int:
        return len(self.descriptor)

    @property
    def with_q(self) -> bool:
        """Whether Q was computed, of all images."""
        return not np.isnan(self.q).any()


@dataclass(frozen=True)
class Score:
    """How identifiable an image is.

    Args:
        q: Q(I) >= 0: mean distance of the features of the image and its perturbed variants; low = good. None where the bundle has no extractor.
        q_z: (q - mean) / sd of the reference images.
        q_rank: share of the reference images with a lower q, 0 to 1, between their quantiles.
        by_family: Q within the image and the variants of one family of perturbations: light, blur, occlusion, background, noise.
        visual_weight: share of the visual branch in the descriptor, 0 to 1.
        paper_alpha: share of the attribute branch, 1 - visual_weight, as the paper prints it.
    """

    q: float | None
    q_z: float | None
    q_rank: float | None
    by_family: dict[str, float]
    visual_weight: float
    paper_alpha: float


@dataclass(frozen=True)
class Attribute:
    """The most likely class of an attribute.

    Args:
        value: its name, see qafm/tables/attributes.py.
        probability: what the network gives it, 0 to 1; not calibrated.
    """

    value: str
    probability: float


@dataclass(frozen=True)
class Match:
    """Two images compared.

    Args:
        distance: Euclidean, of both descriptors, 0 (equal) to 2.
        probability: that both show one person, 0 to 1; None: the bundle is not calibrated.
        false_match_rate: share of pairs of different people that are as close or closer; None: not calibrated.
        prior: share of pairs of one person that `probability` supposes; None: not calibrated.
    """

    distance: float
    probability: float | None
    false_match_rate: float | None
    prior: float | None
