"""Batches of P identities x K images, and plain shuffled ones."""

from collections.abc import Iterator

import numpy as np

from qafm.config.training import BatchConfig
from qafm.errors import InputError


def several_identities(labels: np.ndarray) -> np.ndarray:
    """The distinct values of `labels`, int [N], ascending.

    Raises:
        InputError: fewer than two.
    """
    identities = np.unique(labels)
    if len(identities) < 2:
        raise InputError(f"training needs at least 2 identities, found {len(identities)}")
    return identities


def _groups(indices: np.ndarray, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Shuffle one identity's images and cut them into groups of `size`, the rest left out; fewer than `size` make one group, drawn with replacement."""
    if len(indices) < size:
        return [rng.choice(indices, size)]
    shuffled = rng.permutation(indices)
    return np.split(shuffled[: len(shuffled) // size * size], len(shuffled) // size)


def identity_batches(labels: np.ndarray, config: BatchConfig, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """One epoch of batches: each holds P different identities with K images each.

    Args:
        labels: identity of each image, int [N].
        config: P and K. With fewer than P identities, every batch holds all of them.
        rng: decides the epoch; the same state gives the same batches.

    Yields:
        Indices into `labels`, int [P * K].

    Raises:
        InputError: fewer than two identities.
    """
    identities = several_identities(labels)
    waiting = {identity: _groups(np.flatnonzero(labels == identity), config.images_per_id, rng) for identity in identities}
    per_batch = min(config.ids, len(identities))
    while len(waiting) >= per_batch:
        chosen = rng.choice(np.array(sorted(waiting)), per_batch, replace=False)
        yield np.concatenate([waiting[identity].pop() for identity in chosen])
        waiting = {identity: groups for identity, groups in waiting.items() if groups}


def shuffled_batches(count: int, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """One epoch over 0 .. `count` - 1 in random order, in as few batches of at most `size` as there can be, whose sizes differ by one at most."""
    return np.array_split(rng.permutation(count), -(-count // size))
