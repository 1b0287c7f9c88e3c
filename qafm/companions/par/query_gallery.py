"""The report's own protocol: the validation identities, split into queries and gallery.

N images.
"""

from collections import defaultdict

import numpy as np

from qafm.datasets.folds import hash_order
from qafm.evaluation.ranking import Labels


def choose_queries(labels: Labels, queries_per_camera: int, seed: int) -> np.ndarray:
    """Which images are queries, bool [N]; the others are the gallery.

    Each identity gives up to `queries_per_camera` images of every camera, drawn by name, as long as an image of it is left for the gallery: an
    identity with a single image has no query. Images without a camera count as of one camera.
    """
    groups: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for pid, camid, name in zip(labels.pid, labels.camid, labels.image_id, strict=True):
        groups[int(pid)][int(camid)].append(str(name))
    chosen: set[str] = set()
    for cameras in groups.values():
        drawn = [name for camera in sorted(cameras) for name in hash_order(cameras[camera], f"par query {seed}")[:queries_per_camera]]
        images = sum(len(names) for names in cameras.values())
        chosen.update(drawn[: images - 1])
    return np.isin(labels.image_id, sorted(chosen))
