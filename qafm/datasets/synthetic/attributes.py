"""Attribute vectors of synthetic identities: Market-1501's marginals and dependences, and about half of the identities sharing their vector.

Columns and codes are those of `qafm.tables.attributes`; -1 is an unknown colour (the person wears several).
The conditional tables are rounded statistics of the 1,501 identities of Market-1501.

N identities.
"""

import numpy as np

from qafm.tables.attributes import ATTRIBUTE_NAMES

GENDER, HAIR, UP, DOWN, CLOTHES, HAT, BACKPACK, BAG, HANDBAG, AGE, UP_COLOR, DOWN_COLOR = range(len(ATTRIBUTE_NAMES))
UNKNOWN = -1

AGES = (0.011, 0.805, 0.175, 0.009)
FEMALE_BY_AGE = (0.40, 0.45, 0.38, 0.31)
LONG_HAIR = (0.006, 0.785)  # by gender
SHORT_SLEEVE = (0.972, 0.91)  # by gender
DRESS_BY_HAIR = (0.23, 0.32)  # women only, by hair
SHORT_PANTS_BY_AGE = (0.69, 0.67, 0.27, 0.08)
SHORT_DRESS = 0.87
HAT_BY_GENDER = (0.018, 0.043)
ALONE_IS_COPIED = 0.15  # how likely an identity alone with its vector is copied, against one of a group
# none, backpack, shoulder bag, handbag; by (adult or old, gender): nobody in Market-1501 has two
LUGGAGE = {
    (0, 0): (0.424, 0.36, 0.15, 0.066),
    (0, 1): (0.267, 0.25, 0.37, 0.113),
    (1, 0): (0.52, 0.05, 0.23, 0.20),
    (1, 1): (0.28, 0.03, 0.40, 0.29),
}
# several, then black white red purple yellow gray blue green; by gender
UP_COLORS = (
    (0.089, 0.156, 0.253, 0.086, 0.037, 0.070, 0.155, 0.088, 0.066),
    (0.110, 0.137, 0.338, 0.123, 0.035, 0.058, 0.093, 0.037, 0.069),
)
# several, then black white pink purple yellow gray blue green brown; men's, women's trousers, dresses and skirts
DOWN_COLORS = (
    (0.024, 0.432, 0.046, 0.007, 0.001, 0.001, 0.222, 0.159, 0.014, 0.094),
    (0.060, 0.362, 0.070, 0.042, 0.003, 0.003, 0.099, 0.270, 0.028, 0.063),
    (0.130, 0.240, 0.190, 0.120, 0.005, 0.050, 0.090, 0.090, 0.045, 0.040),
)


def draw_attributes(rng: np.random.Generator) -> np.ndarray:
    """Draw one identity's vector from the joint distribution.

    Returns:
        int8 [12], codes of `ATTRIBUTES`, -1 where the garment has several colours.
    """
    vector = np.zeros(len(ATTRIBUTE_NAMES), np.int8)
    age = _choice(rng, AGES)
    gender = int(rng.random() < FEMALE_BY_AGE[age])
    hair = int(rng.random() < LONG_HAIR[gender])
    dress = gender == 1 and rng.random() < DRESS_BY_HAIR[hair]
    vector[[AGE, GENDER, HAIR, CLOTHES]] = age, gender, hair, 0 if dress else 1
    vector[UP] = rng.random() < SHORT_SLEEVE[gender]
    vector[DOWN] = rng.random() < (SHORT_DRESS if dress else SHORT_PANTS_BY_AGE[age])
    vector[HAT] = rng.random() < HAT_BY_GENDER[gender]
    luggage = _choice(rng, LUGGAGE[int(age >= 2), gender])
    vector[[BACKPACK, BAG, HANDBAG]] = luggage == 1, luggage == 2, luggage == 3
    vector[UP_COLOR] = _choice(rng, UP_COLORS[gender]) - 1
    vector[DOWN_COLOR] = _choice(rng, DOWN_COLORS[gender + int(dress)]) - 1
    return vector


def draw_population(count: int, shared: float, rng: np.random.Generator) -> np.ndarray:
    """Draw the vectors of `count` identities so that about the share `shared` of them has a vector that another one has too.

    Independent draws share too little in a small set, so identities are made twins: one after another takes over the vector of somebody else. Who does,
    and whose, is drawn without a look at the vectors, which leaves every marginal as it is; those who have a twin already are taken over more often,
    which gives groups of about Market-1501's sizes. A share above the target is left alone.

    Args:
        count: N, the identities of one split.
        shared: the wanted share in [0, 1).

    Returns:
        int8 [N, 12].
    """
    vectors = np.stack([draw_attributes(rng) for _ in range(count)])  # [N, 12]
    source = np.arange(count)  # [N] whose vector each has
    while (group_sizes(vectors[source]) > 1).sum() < round(shared * count):
        alone = np.bincount(source, minlength=count)[source] == 1
        twin = rng.choice(np.flatnonzero(alone))
        weights = np.where(alone, ALONE_IS_COPIED, 1.0)
        weights[twin] = 0
        source[twin] = source[rng.choice(count, p=weights / weights.sum())]
    return vectors[source]


def group_sizes(vectors: np.ndarray) -> np.ndarray:
    """How many identities have each identity's vector, itself included: int [N] for `vectors` [N, 12]."""
    _, group, sizes = np.unique(vectors, axis=0, return_inverse=True, return_counts=True)
    return sizes[group.ravel()]


def _choice(rng: np.random.Generator, shares: tuple[float, ...]) -> int:
    return int(np.searchsorted(np.cumsum(shares), rng.random() * sum(shares), side="right"))
