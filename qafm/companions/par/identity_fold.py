"""The report's split of the train images: identities that are trained on, and identities that validate.

N images.
"""

import numpy as np

from qafm.datasets.folds import draw


def trained_on(pids: np.ndarray, train_share: float, seed: int) -> np.ndarray:
    """Which images are trained on, bool [N]; all images of an identity lie on one side, and each side has an identity.

    Args:
        pids: identity of each image of the train split [N].
        train_share: share of the identities that is trained on, in (0, 1), rounded to whole identities.
        seed: number of the draw, which depends on the identities alone.

    Raises:
        ValueError: fewer than two identities.
    """
    identities = np.unique(pids)
    if len(identities) < 2:
        raise ValueError(f"{len(identities)} train identities, at least 2 are needed: some to train on, some to validate")
    n = min(max(round(train_share * len(identities)), 1), len(identities) - 1)
    chosen = draw((str(pid) for pid in identities), n, f"par {seed}")
    return np.isin(pids, [int(pid) for pid in chosen])
