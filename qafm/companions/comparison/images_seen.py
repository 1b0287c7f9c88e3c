"""How many images went through a system's networks while it was trained: the batches are drawn again, without images."""

from pathlib import Path

import numpy as np

from qafm.companions.par.identity_fold import trained_on
from qafm.config.compared import IdentityBatches, Presented, SplitImages
from qafm.images.image_set import select_rows
from qafm.runtime.errors import InputError
from qafm.runtime.torch_setup import seed_everything
from qafm.tables.csv_rows import read_rows
from qafm.training.batches import identity_batches


def images_seen(images: Path, presented: Presented, seed: int, history: Path) -> tuple[int, int]:
    """Epochs and images of one training; an image counts as often as it was shown.

    Args:
        images: images.parquet.
        presented: which images an epoch shows.
        seed: of the training.
        history: its learning curve, a row per epoch.

    Raises:
        InputError: the curve or images.parquet cannot be read.
    """
    if isinstance(presented, IdentityBatches):
        epochs = len(read_rows(history, ["epoch"]))
        return epochs, _by_identity(images, presented, seed, epochs)
    if isinstance(presented, SplitImages):
        epochs = len(read_rows(history, ["epoch"]))
        return epochs, epochs * _of_split(images, presented)
    rows = read_rows(history, ["epoch", "images_seen"])
    try:
        return len(rows), int(rows[-1]["images_seen"])
    except (IndexError, ValueError) as error:
        raise InputError(f"{history}: does not end with a number of images seen") from error


def _by_identity(images: Path, presented: IdentityBatches, seed: int, epochs: int) -> int:
    pids = select_rows(images, split="train", fold="fit")["pid"].to_numpy()
    labels = np.unique(pids, return_inverse=True)[1]
    drawn = (identity_batches(labels, presented.batch, seed_everything(presented.task, seed, epoch)) for epoch in range(epochs))
    return sum(len(batch) for epoch in drawn for batch in epoch)


def _of_split(images: Path, presented: SplitImages) -> int:
    """Images of an epoch of companion c1: of each image of the trained identities one, or, of each that has a positive, the three of its triplet."""
    pids = select_rows(images, split="train")["pid"].to_numpy()
    try:
        fitted = pids[trained_on(pids, presented.split.train_share, presented.split.seed)]
    except ValueError as error:
        raise InputError(f"{images}: {error}") from error
    if not presented.triplets:
        return len(fitted)
    counts = np.unique(fitted, return_counts=True)[1]
    return 3 * int(counts[counts > 1].sum())
