"""Batches of P identities x K images, or of any images."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np

from qafm.config.training import BatchConfig
from qafm.runtime.errors import InputError

# One epoch of batches: from the identity of each image, int [N], and a generator that decides the epoch, to indices, int [B] per batch.
Sampler: TypeAlias = Callable[[np.ndarray, np.random.Generator], Iterable[np.ndarray]]
_TOO_FEW_IDS = "training needs at least 2 identities, found {}"


def _groups(indices: np.ndarray, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Shuffle one identity's images and cut them into groups of `size`; a lone short group is filled by drawing again."""
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
    identities = np.unique(labels)
    if len(identities) < 2:
        raise InputError(_TOO_FEW_IDS.format(len(identities)))
    waiting = {identity: _groups(np.flatnonzero(labels == identity), config.images_per_id, rng) for identity in identities}
    per_batch = min(config.ids, len(identities))
    while len(waiting) >= per_batch:
        chosen = rng.choice(np.array(sorted(waiting)), per_batch, replace=False)
        yield np.concatenate([waiting[identity].pop() for identity in chosen])
        waiting = {identity: groups for identity, groups in waiting.items() if groups}


def shuffled_batches(labels: np.ndarray, rng: np.random.Generator, *, size: int) -> Iterator[np.ndarray]:
    """One epoch of plain batches: every image once, in random order, whoever it shows.

    Args:
        labels: identity of each image, int [N].
        rng: decides the epoch; the same state gives the same batches.
        size: images per batch. The last batch may be shorter; a single image left over joins the one before, since batch normalisation needs two.

    Yields:
        Indices into `labels`, int [size].

    Raises:
        InputError: fewer than two identities.
    """
    identities = np.unique(labels)
    if len(identities) < 2:
        raise InputError(_TOO_FEW_IDS.format(len(identities)))
    cuts = list(range(size, len(labels), size))
    if cuts and len(labels) - cuts[-1] == 1:
        cuts.pop()
    yield from np.split(rng.permutation(len(labels)), cuts)
