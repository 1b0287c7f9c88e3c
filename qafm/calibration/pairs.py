"""Cross-camera pairs of test images, counted by distance in bounded memory.

Shapes: N images, I identities, F folds, B bins of the distance, D length of a descriptor.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

STEP = 0.001  # width of a distance bin
EDGES = np.arange(round(2 / STEP) + 1) * STEP  # bin b holds the distances in (EDGES[b - 1], EDGES[b]], [B]


@dataclass(frozen=True)
class People:
    """Test images ordered by identity.

    Args:
        vectors: L2-normalised descriptors, float32 [N, D].
        camid: cameras, int [N].
        content: equal where two images are identical, int [N].
        starts: first image of each identity, and N, int64 [I + 1].
    """

    vectors: np.ndarray
    camid: np.ndarray
    content: np.ndarray
    starts: np.ndarray

    @property
    def owner(self) -> np.ndarray:
        """Number of the identity of each image, int64 [N]."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def __len__(self) -> int:
        """Number of identities."""
        return len(self.starts) - 1

    @property
    def cameras_of(self) -> np.ndarray:
        """Number of cameras that saw each identity, int64 [I]."""
        return np.array([len(np.unique(self.camid[start:end])) for start, end in zip(self.starts[:-1], self.starts[1:], strict=True)])


def group_people(vectors: np.ndarray, pid: np.ndarray, camid: np.ndarray, sha256: np.ndarray) -> People:
    """Order images by identity.

    Args:
        vectors: [N, D].
        pid: identities, int [N].
        camid: cameras, int [N].
        sha256: content hashes, str [N].
    """
    order = np.argsort(pid, kind="stable")
    _, starts = np.unique(pid[order], return_index=True)
    content = np.unique(sha256.astype(str), return_inverse=True)[1]
    return People(vectors[order], camid[order], content[order], np.append(starts, len(order)))


def distance_bins(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Bins [n, m] of the Euclidean distances of unit vectors `left` [n, D] and `right` [m, D]."""
    squared = np.maximum(2 - 2 * (left @ right.T), 0)  # [n, m]
    return np.minimum(np.ceil(np.sqrt(squared) / STEP), len(EDGES) - 1).astype(np.int64)


def pairs_of(people: People, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of two cameras between identity `i` and itself or a later one, each pair once, identical images left out.

    Returns:
        Number of the other image's identity, and bin of the distance: int64 [P] each. The pair is of one person where the number is `i`.
    """
    start, end = people.starts[i], people.starts[i + 1]
    bins = distance_bins(people.vectors[start:end], people.vectors[start:])  # [n, m]
    counted = people.camid[start:end, None] != people.camid[None, start:]
    counted &= people.content[start:end, None] != people.content[None, start:]
    counted[:, : end - start] &= np.triu(np.ones((end - start, end - start), bool), 1)
    others = np.broadcast_to(people.owner[None, start:], counted.shape)
    return others[counted], bins[counted]


def counted_pairs(people: People) -> Iterator[tuple[int, np.ndarray]]:
    """Per identity i its pairs by the other's identity and distance, int64 [I - i, B]: row 0 those of the identity itself."""
    for i in range(len(people)):
        other, bins = pairs_of(people, i)
        rows = len(people) - i
        yield i, np.bincount((other - i) * len(EDGES) + bins, minlength=rows * len(EDGES)).reshape(rows, len(EDGES))


def deal_folds(people: People, folds: int, seed: int) -> np.ndarray:
    """Fold of each identity, int64 [I]; those seen by two cameras are dealt out first, so that every fold has its share of them."""
    shuffled = np.random.default_rng(seed).permutation(len(people))
    order = shuffled[np.argsort(people.cameras_of[shuffled] < 2, kind="stable")]
    fold = np.empty(len(people), np.int64)
    fold[order] = np.arange(len(people)) % folds
    return fold


@dataclass(frozen=True)
class PairCounts:
    """Pairs by fold and distance.

    Args:
        genuine: of one person, int64 [F, B].
        impostor: of a person of the one and one of the other fold, int64 [F, F, B]; [f, g] and [g, f] hold the same pairs.
        identity_pairs: pairs of two people with at least one pair of images.
    """

    genuine: np.ndarray
    impostor: np.ndarray
    identity_pairs: int

    def without(self, fold: int) -> tuple[np.ndarray, np.ndarray]:
        """Genuine and impostor pairs [B] between identities that are not in `fold`."""
        rest = [f for f in range(len(self.genuine)) if f != fold]
        inner = sum((self.impostor[f, g] for f in rest for g in rest if f <= g), np.zeros(len(EDGES), np.int64))
        return self.genuine[rest].sum(axis=0), inner

    def all(self) -> tuple[np.ndarray, np.ndarray]:
        """All genuine and all impostor pairs [B]."""
        return self.without(-1)


def count_pairs(people: People, fold: np.ndarray, folds: int) -> PairCounts:
    """Count every pair by the folds [I] of its identities and by its distance."""
    genuine = np.zeros((folds, len(EDGES)), np.int64)
    impostor = np.zeros((folds, folds, len(EDGES)), np.int64)
    identity_pairs = 0
    for i, counts in counted_pairs(people):
        genuine[fold[i]] += counts[0]
        identity_pairs += int(np.count_nonzero(counts[1:].any(axis=1)))
        for g in range(folds):
            pairs = counts[1:][fold[i + 1 :] == g].sum(axis=0)
            impostor[fold[i], g] += pairs
            if g != fold[i]:
                impostor[g, fold[i]] += pairs
    return PairCounts(genuine, impostor, identity_pairs)
