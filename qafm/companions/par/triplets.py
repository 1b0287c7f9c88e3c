"""Triplets for the siamese network: an anchor, another image of its identity, and a look-alike of another identity from the anchor's own cluster.

N images, M triplets.
"""

import numpy as np


class TripletDraw:
    """Draws triplets of indices.

    Args:
        pids: identity of each image [N].
        clusters: cluster of each image [N].

    Raises:
        ValueError: there is no triplet: fewer than two identities, or none with two images.
    """

    def __init__(self, pids: np.ndarray, clusters: np.ndarray) -> None:
        self.pids, self.clusters = pids, clusters
        self._of_pid = {int(pid): np.flatnonzero(pids == pid) for pid in np.unique(pids)}
        self.anchors = np.flatnonzero([len(self._of_pid[int(pid)]) > 1 for pid in pids])
        if len(self._of_pid) < 2 or not len(self.anchors):
            raise ValueError(f"no triplet among {len(self._of_pid)} identities: it takes two of them, one with two images")
        members = {int(cluster): np.flatnonzero(clusters == cluster) for cluster in np.unique(clusters)}
        places = {(int(clusters[i]), int(pids[i])) for i in self.anchors}
        self._negatives = {(cluster, pid): members[cluster][pids[members[cluster]] != pid] for cluster, pid in sorted(places)}

    @property
    def without_positive(self) -> int:
        """Number of images that cannot be an anchor, since their identity has no other image."""
        return len(self.pids) - len(self.anchors)

    @property
    def without_negative(self) -> int:
        """Number of anchors whose cluster holds their own identity only: their negatives come from all images."""
        return sum(not len(self._negatives[int(self.clusters[i]), int(self.pids[i])]) for i in self.anchors)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One triplet per possible anchor, in random order: int64 [M, 3], anchor, positive, negative."""
        return np.array([self._triplet(int(anchor), rng) for anchor in rng.permutation(self.anchors)], np.int64)

    def _triplet(self, anchor: int, rng: np.random.Generator) -> tuple[int, int, int]:
        pid = int(self.pids[anchor])
        own = self._of_pid[pid]
        place = int(rng.integers(len(own) - 1))
        positive = own[place] if own[place] < anchor else own[place + 1]  # all but the anchor, which `own`, ascending, holds once
        others = self._negatives[int(self.clusters[anchor]), pid]
        if not len(others):
            others = np.flatnonzero(self.pids != pid)
        return anchor, int(positive), int(others[rng.integers(len(others))])
